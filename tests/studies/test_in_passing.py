"""Studies of what chapters 3, 5 and 6 say in passing: the measures by hand, and claims that can fail."""

import types
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand.experiments.experiment import Measured, Run
from firsthand.nn import Network, sigmoid
from firsthand.studies import conv_choices, conv_training, dropout_inside, entropy, obstacles, regularized_runs


def test_the_wish_becomes_the_cross_entropy(tmp_path):
    [derived, _] = entropy.EXPERIMENTS
    runs = [derived.measure(Run(0, False, tmp_path))]
    assert all(claim.finding(runs, {}).holds for claim in derived.claims)
    other = Measured(dict(runs[0].numbers) | {"integral_off_by": 0.1}, runs[0].arrays)
    assert not derived.claims[0].finding([other], {}).holds


@pytest.mark.tiny
def test_an_angle_is_that_of_the_directions():
    assert regularized_runs._angle(np.array([1.0, 0.0]), np.array([0.0, 7.0])) == pytest.approx(90)
    assert regularized_runs._angle(np.array([1.0, 2.0]), np.array([2.0, 4.0])) == pytest.approx(0, abs=1e-5)


@pytest.mark.tiny
@pytest.mark.parametrize(("scattered", "holds"), [(0.02, True), (0.001, False)])
def test_runs_scatter_where_the_spread_is_beyond_chance(scattered, holds):
    rng = np.random.default_rng(0)
    runs = [
        Measured({"without_validation_accuracy": 0.9 + scattered * a, "with_validation_accuracy": 0.9 + 0.001 * b})
        for a, b in rng.standard_normal((20, 2))
    ]
    assert regularized_runs._scatter(runs).holds is holds


@pytest.mark.tiny
def test_halved_weights_are_the_geometric_mean_of_all_thinned_networks():
    rng = np.random.default_rng(0)
    params = ({"weights": rng.normal(size=(784, 4)), "bias": rng.normal(size=4)}, {})
    params = (*params, {"weights": rng.normal(size=(4, 10)), "bias": rng.normal(size=10)})
    images = rng.integers(0, 255, (3, 28, 28, 1))
    network = dropout_inside._Hidden(types.SimpleNamespace(params=params), images)  # pyright: ignore[reportArgumentType]
    thinned = [network.probabilities(np.array(mask), 2.0) for mask in product((0.0, 1.0), repeat=4)]
    geometric = np.exp(np.mean(np.log(thinned), axis=0))
    geometric /= geometric.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.probabilities(np.ones(4), 1.0), geometric, rtol=1e-9)


def test_softsign_and_a_step_of_descent():
    np.testing.assert_allclose(obstacles.softsign(jnp.array([-3.0, 0.0, 1.0])), [-0.75, 0.0, 0.5], rtol=1e-6)
    params = obstacles._init((4, 3, 2), 1.0, jax.random.key(0))
    x, labels = jnp.eye(4), jnp.array([0, 1, 0, 1])
    still = jax.tree.map(jnp.zeros_like, params)
    order = jnp.array([[0, 1]])
    moved, velocity = obstacles._descend(params, still, x, labels, order, 0.5, 0.9, sigmoid)
    slopes = jax.grad(obstacles._cost)(params, x[:2], labels[:2], sigmoid)
    for (w, _), (after, _), (v, _), (slope, _) in zip(params, moved, velocity, slopes, strict=True):
        np.testing.assert_allclose(v, -0.5 * slope, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(after, w + v, rtol=1e-6)


@pytest.mark.tiny
def test_networks_of_chapter_6_have_the_sizes_that_are_printed():
    assert Network(conv_training._dropout_layers(300, True)).output_shape == (10,)
    assert Network((*conv_choices.STRIDES["stride-2"], *conv_training._dropout_layers(300, False)[-1:])).shapes[1] == (
        12,
        12,
        10,
    )
