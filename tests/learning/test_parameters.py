"""Rules for parameters by name: penalties, frozen ones, rates of their own, and a gradient that is not too long."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, Vectors
from firsthand.errors import FirsthandError
from firsthand.learning import Recipe, train
from firsthand.learning.parameters import clipped, penalty
from firsthand.learning.recipe import RecipeError, canonical

KEY = jax.random.key(5)
NETWORK = nn.Network(
    (nn.FullyConnected(4, nn.tanh), nn.BatchNorm(), nn.FullyConnected(3, nn.tanh), nn.Softmax(2)), (3,)
)
RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(10, 3)).astype(np.float32)
DATA = Splits(Vectors(X, (X[:, 0] > 0).astype(np.int32), ("no", "yes")), None, None)
START = NETWORK.init(key=KEY)


def after_one_step(**fields):
    recipe = Recipe(1, 10, 0.5, monitor=(), shuffle=False, **fields)
    return train(NETWORK, DATA, recipe, key=KEY, params=START).model.params


def moved(params):
    """Names of the parameters that are not as they were."""
    names = {}
    for (path, before), after in zip(jax.tree_util.tree_leaves_with_path(START), jax.tree.leaves(params), strict=True):
        names[jax.tree_util.keystr(path, simple=True, separator=".")] = not np.array_equal(before, after)
    return {name for name, changed in names.items() if changed}


def test_frozen_parameters_stay_as_they_are():
    everything = moved(after_one_step())
    assert {"0.weights", "0.bias", "1.scale", "1.mean", "2.bias", "3.weights"} <= everything
    left = moved(after_one_step(frozen=("0.*", "1.*"), l2=0.1))
    assert left == {name for name in everything if name[0] in "23"}


def test_rates_multiply_the_step():
    plain, slow = after_one_step(), after_one_step(rates=(("3.*", 0.25), ("*", 1.0)))
    for name in ("weights", "bias"):
        step = np.asarray(plain[3][name]) - START[3][name]
        np.testing.assert_allclose(np.asarray(slow[3][name]) - START[3][name], 0.25 * step, rtol=1e-5, atol=1e-7)
        assert np.array_equal(plain[0][name], slow[0][name])


def test_penalties_apply_to_what_is_named():
    without, weights, both = (
        after_one_step(),
        after_one_step(l2=0.1),
        after_one_step(l2=0.1, penalized=("*weights", "*bias")),
    )
    started = [dict(p) for p in START]
    np.testing.assert_allclose(
        weights[0]["weights"], without[0]["weights"] - 0.05 * started[0]["weights"], rtol=1e-5, atol=1e-7
    )
    assert np.array_equal(weights[0]["bias"], without[0]["bias"])
    params = ({"weights": jnp.array([2.0]), "bias": jnp.array([3.0])},)
    assert penalty(params, 1.0, 0.0) == 2.0
    assert penalty(params, 1.0, 0.0, ("*",)) == 6.5
    assert np.array_equal(both[0]["bias"], without[0]["bias"])  # biases start at 0, where the penalty has no slope


def test_the_gradient_is_shortened_and_never_stretched():
    tree = {"a": jnp.array([3.0, 0.0]), "b": jnp.array([[4.0]])}
    short = clipped(tree, 1.0)
    np.testing.assert_allclose(short["a"], [0.6, 0.0], rtol=1e-6)
    np.testing.assert_allclose(short["b"], [[0.8]], rtol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, clipped(tree, 5.0), tree)
    jax.tree.map(
        np.testing.assert_array_equal,
        clipped(jax.tree.map(jnp.zeros_like, tree), 1.0),
        jax.tree.map(jnp.zeros_like, tree),
    )


def test_a_clipped_step_is_as_long_as_it_may_be():
    moved = jax.tree.map(lambda after, before: after - before, after_one_step(clip=1e-3), START)
    learned = [moved[0], {name: moved[1][name] for name in ("scale", "bias")}, *moved[2:]]
    length = np.sqrt(sum(np.sum(np.square(d)) for d in jax.tree.leaves(learned)))
    assert length == pytest.approx(0.5 * 1e-3, rel=1e-2)  # of the rate 0.5


@pytest.mark.tiny
@pytest.mark.parametrize("field", ["penalized", "frozen", "rates"])
def test_a_pattern_that_fits_nothing_is_misspelt(field):
    patterns = (("weigths", 0.5),) if field == "rates" else ("weigths",)
    with pytest.raises(
        FirsthandError, match=f"{field} has 'weigths', which fits no parameter; there are 0.bias, 0.weights"
    ):
        after_one_step(**{field: patterns})


@pytest.mark.tiny
def test_values_out_of_range_are_refused():
    with pytest.raises(RecipeError, match="clip is -1, expected None or a positive number"):
        Recipe(1, 1, 1.0, clip=-1)
    with pytest.raises(RecipeError, match=r"frozen is '0\.weights', expected a tuple of patterns"):
        Recipe(1, 1, 1.0, frozen="0.weights")  # pyright: ignore[reportArgumentType]
    with pytest.raises(RecipeError, match="factors of 0 or more"):
        Recipe(1, 1, 1.0, rates=(("*", -1),))
    with pytest.raises(RecipeError, match="labels_smoothing found, expected one of"):
        Recipe(1, 1, 1.0).changed(labels_smoothing=0.1)


@pytest.mark.tiny
def test_a_new_field_with_a_default_changes_no_recipe():
    """JSON of version 0.1, of today, and of a version with one field more are the same recipe."""
    now = Recipe(3, 10, 0.1, l2=0.5).to_json()
    old = {
        name: value for name, value in now.items() if name not in ("objective", "penalized", "frozen", "rates", "clip")
    }
    old |= {"cost": "log_likelihood", "label_smoothing": 0.0}
    assert canonical(now) == canonical(old) == {"epochs": 3, "l2": 0.5, "learning_rate": 0.1}
    assert canonical({**old, "cost": "quadratic"}) == canonical(
        Recipe(3, 10, 0.1, l2=0.5).changed(cost=nn.quadratic).to_json()
    )
    assert canonical({**now, "clip": 2.0}) != canonical(now)
