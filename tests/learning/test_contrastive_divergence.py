"""Networks run backwards: against the reference, against the exact likelihood, killed and resumed, refused."""

import os
import signal
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Arrays, Splits, Vectors, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import (
    Classification,
    ContrastiveDivergence,
    Greedy,
    Recipe,
    UpDown,
    started,
    train,
    train_greedily,
    unrolled,
    upward,
)
from firsthand.learning.objectives.contrastive_divergence import divergence, gibbs, pseudo_likelihood
from firsthand.models import Autoencoder, Generator, ModelFileError
from firsthand.models.load import load
from firsthand.reference import boltzmann as reference
from tests.processes import PATIENCE, finished

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(3)


def arrays_of(inputs, hidden, scale=0.8):
    """W, b and c of a size that matters."""
    rng = np.random.default_rng(0)
    return [scale * rng.standard_normal(shape) for shape in ((inputs, hidden), hidden, inputs)]


def tiny(inputs, hidden, **options):
    """A machine as a network, its parameters in double precision, and W, b and c."""
    layer = nn.RBM(hidden, **options)
    network = nn.Network((layer,), (inputs,))
    params = network.init(jnp.float64, key=KEY)[0]
    found = arrays_of(inputs + layer.labels, hidden)
    for name, array in zip(("weights", "bias", "visible_bias"), found, strict=True):
        params[name] = jnp.asarray(array)
    return network, layer, params, found


# ---- the reference ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gaussian", [False, True])
def test_free_energy_sums_over_all_hidden_states(gaussian):
    W, b, c = arrays_of(4, 3)
    v = np.random.default_rng(1).standard_normal((5, 4)) if gaussian else np.eye(4)
    h = reference._all_states(3)
    each = [-np.log(np.sum(np.exp(-reference.energy(np.tile(row, (8, 1)), h, W, b, c, gaussian)))) for row in v]
    np.testing.assert_allclose(reference.free_energy(v, W, b, c, gaussian), each, rtol=1e-12)


def test_probabilities_sum_to_one_and_those_of_gaussian_units_integrate_to_it():
    W, b, c = arrays_of(5, 3)
    assert np.exp(reference.log_likelihood(reference._all_states(5), W, b, c)).sum() == pytest.approx(1, abs=1e-12)
    W, b, c = W[:1, :], b, c[:1]
    grid = np.linspace(-15, 15, 6001)[:, None]
    density = np.exp(reference.log_likelihood(grid, W, b, c, gaussian=True))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1, abs=1e-9)


def test_the_exact_gradient_is_that_of_the_likelihood():
    W, b, c = arrays_of(5, 3)
    v = (np.random.default_rng(2).random((6, 5)) < 0.5).astype(float)
    gradient, h = reference.likelihood_gradient(v, W, b, c), 1e-6
    for name, array in zip("Wbc", (W, b, c), strict=True):
        for place in list(np.ndindex(array.shape))[:6]:
            values = []
            for sign in (1, -1):
                moved = {"W": W.copy(), "b": b.copy(), "c": c.copy()}
                moved[name][place] += sign * h
                values.append(-reference.log_likelihood(v, moved["W"], moved["b"], moved["c"]).mean())
            assert gradient[name][place] == pytest.approx((values[0] - values[1]) / (2 * h), abs=1e-8)


def test_many_steps_of_contrastive_divergence_are_the_exact_gradient():
    """From chains that have run long, the estimate is unbiased: its mean lies within what chance allows."""
    W, b, c = arrays_of(4, 3, scale=0.5)
    rng = np.random.default_rng(4)
    v = (rng.random((6, 4)) < 0.5).astype(float)
    start = (rng.random((20_000, 4)) < 0.5).astype(float)

    def drawn():
        while True:
            yield rng.random((20_000, 3))
            yield rng.random((20_000, 4))

    found, _ = reference.contrastive_divergence(v, W, b, c, drawn(), 40, states=True, start=start)
    exact = reference.likelihood_gradient(v, W, b, c)
    for name in "Wbc":
        np.testing.assert_allclose(found[name], exact[name], atol=5 * 0.5 / np.sqrt(20_000))


# ---- the engine against the reference -----------------------------------------------------------------------------


@pytest.mark.parametrize("gaussian", [False, True])
@pytest.mark.parametrize(("states", "persistent", "k"), [(False, False, 1), (True, False, 3), (True, True, 2)])
def test_a_gradient_is_that_of_the_reference_with_the_same_random_bits(gaussian, states, persistent, k, float64):
    kind = "gaussian" if gaussian else "binary"
    network, _, params, (W, b, c) = tiny(6, 4, visible=kind, chains=5 if persistent else 0)
    rng = np.random.default_rng(5)
    v = rng.random((3, 6))
    if persistent:
        params["chains"] = jnp.asarray((rng.random((5, 6)) < 0.5).astype(float))
    objective = ContrastiveDivergence(k, persistent, states)
    _, statistics, found = objective.gradient(network, (params,), (jnp.asarray(v),), jnp.full(3, 1 / 3), key=KEY)

    def drawn():
        rows = 5 if persistent else 3
        for i in range(k):
            up, down = jax.random.split(jax.random.fold_in(KEY, i))
            yield np.asarray(jax.random.uniform(up, (rows, 4), jnp.float64))
            if states:
                draw = jax.random.normal if gaussian else jax.random.uniform
                yield np.asarray(draw(down, (rows, 6), jnp.float64))

    start = np.asarray(params["chains"]) if persistent else None
    expected, end = reference.contrastive_divergence(
        v, W, b, c, drawn(), k, states=states, gaussian=gaussian, start=start
    )
    for name, other in zip(("weights", "bias", "visible_bias"), "Wbc", strict=True):
        np.testing.assert_allclose(found[0][name], expected[other], atol=1e-10)
    if persistent:
        np.testing.assert_allclose(statistics[0], end, atol=1e-10)
        assert not np.any(found[0]["chains"])


@pytest.mark.parametrize("options", [{}, {"visible": "gaussian"}, {"activation": "linear"}, {"labels": 2}])
def test_the_gradient_is_that_of_the_free_energy(options, float64):
    """Automatic differentiation finds what `divergence` writes out."""
    _, layer, params, _ = tiny(6, 4, **options)
    rng = np.random.default_rng(6)
    labels = jnp.asarray([0, 1, 1]) if layer.labels else None
    data, model = (layer.seen_with(jnp.asarray(rng.random((3, 6))), labels) for _ in range(2))
    counts = jnp.asarray([0.5, 0.25, 0.25])

    def contrast(params):
        return counts @ layer.free_energy(params, data) - jnp.mean(layer.free_energy(params, model))

    found = divergence(layer, params, data, counts, model, jnp.full(3, 1 / 3))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), found, jax.grad(contrast)(params))


@pytest.mark.parametrize("options", [{}, {"visible": "gaussian"}, {"activation": "linear"}])
def test_free_energy_and_energy_belong_together(options, float64):
    """p(h|v) = e^{F(v) - E(v, h)}: between two states of h it is what the layer draws them with."""
    _, layer, params, _ = tiny(5, 3, **options)
    v = np.random.default_rng(7).random((1, 5))
    one, other = jnp.asarray([[1.0, 0.0, 1.0]]), jnp.asarray([[0.0, 0.0, 1.0]])
    difference = float((layer.energy(params, jnp.asarray(v), other) - layer.energy(params, jnp.asarray(v), one))[0])
    mean = np.asarray(layer.hidden(params, jnp.asarray(v)))[0, 0]
    expected = np.log(mean / (1 - mean)) if layer.binary else mean - 0.5
    assert difference == pytest.approx(float(expected), abs=1e-10)
    if layer.binary:
        gaussian = layer.visible == "gaussian"
        W, b, c = (np.asarray(params[name]) for name in ("weights", "bias", "visible_bias"))
        np.testing.assert_allclose(
            layer.free_energy(params, jnp.asarray(v)), reference.free_energy(v, W, b, c, gaussian), atol=1e-12
        )


def test_pseudo_likelihood_is_that_of_all_units_in_the_mean(float64):
    _, layer, params, (W, b, c) = tiny(4, 3)
    v = np.repeat((np.random.default_rng(8).random((1, 4)) < 0.5).astype(float), 20_000, 0)
    flipped = np.array([np.where(np.arange(4) == i, 1 - v[0], v[0]) for i in range(4)])
    gap = reference.free_energy(flipped, W, b, c) - reference.free_energy(v[:1], W, b, c)
    exact = -np.sum(np.logaddexp(0, -gap))
    found = pseudo_likelihood(layer, params, jnp.asarray(v))
    assert float(found.mean()) == pytest.approx(exact, abs=5 * float(found.std()) / np.sqrt(len(v)))


def test_labels_that_are_given_are_seen_and_those_drawn_are_one_of_them():
    layer = nn.RBM(5, labels=3)
    seen = layer.seen_with(jnp.ones((2, 4)), jnp.asarray([2, 0]))
    np.testing.assert_array_equal(seen[:, 4:], [[0, 0, 1], [1, 0, 0]])
    params = layer.init((4,), key=KEY)
    means = layer.visible_means(params, jnp.ones((50, 5)))
    np.testing.assert_allclose(means[:, 4:].sum(1), 1, rtol=1e-6)
    assert set(np.asarray(layer.draw_visible(means, KEY)[:, 4:].sum(1))) == {1.0}
    v, first = gibbs(layer, params, seen, 3, KEY, states=True)
    assert v.shape == first.shape == seen.shape


# ---- trainings ----------------------------------------------------------------------------------------------------


def stripes(n=200, seed=0):
    """Images of 4 x 4 with one row or one column on, and which of the two it is."""
    rng = np.random.default_rng(seed)
    images, labels = np.zeros((n, 4, 4), np.float32), rng.integers(0, 2, n)
    for image, label, place in zip(images, labels, rng.integers(0, 4, n), strict=True):
        image[(place, slice(None)) if label else (slice(None), place)] = 1
    return Vectors(images.reshape(n, 16), labels, ("column", "row"))


TESTED = stripes(60, 1)
DATA = Splits(stripes(), TESTED, None)
CD = Recipe(20, 10, 0.2, momentum=0.5, objective=ContrastiveDivergence(), keep_best=False)
NET = Greedy((nn.RBM(12, untied=True), nn.RBM(24, labels=2, chains=20)), (CD, CD))


@pytest.mark.parametrize("persistent", [False, True])
def test_what_is_learned_becomes_likely(persistent):
    network = nn.Network((nn.RBM(12, chains=20),), (16,))
    recipe = CD.changed(persistent=persistent, monitor=("validation_pseudo_likelihood", "validation_free_energy"))
    training = train(network, DATA, recipe, key=KEY)
    values = training.history["validation_pseudo_likelihood"]
    assert values[-1] > 0.6 * values[0]  # of negative numbers, nearer to 0
    W, b, c = (np.asarray(training.model.params[0][name], float) for name in ("weights", "bias", "visible_bias"))
    likely = reference.log_likelihood(TESTED.arrays[0].astype(float), W, b, c).mean()
    assert likely > -6  # -16 ln 2 = -11.1 where every image is as likely; -ln 8 = -2.1 is perfect


@pytest.mark.slow
def test_a_deep_belief_net_draws_what_it_is_told(tmp_path):
    model, histories = train_greedily(NET, DATA, key=KEY, place=tmp_path)
    assert len(histories) == 2
    tuned = train(
        model.network,
        DATA,
        Recipe(20, 10, 0.05, objective=UpDown(k=2, persistent=True), keep_best=False),
        key=KEY,
        params=model.params,
    ).model
    right = tuned.probabilities(TESTED.arrays[0]).argmax(1) == TESTED.labels
    assert np.mean(right) > 0.9
    told = {label: tuned.sample(40, key=KEY, label=label, steps=30).reshape(-1, 4, 4) for label in DATA.train.classes}
    for label, images in told.items():
        along = images.sum(2 if label == "row" else 1).max(1)  # 4 where a row, or a column, is on
        across = images.sum(1 if label == "row" else 2).max(1)
        assert np.mean(along > across) > 0.8, label
    path = tuned.save(tmp_path / "model")
    found = load(path)
    assert isinstance(found, Generator)
    np.testing.assert_array_equal(found.sample(3, key=KEY, label="row"), tuned.sample(3, key=KEY, label="row"))


def test_half_an_example_is_completed():
    model, _ = train_greedily(NET, DATA, key=KEY)
    x = TESTED.arrays[0]
    known = np.arange(16) % 4 < 2  # the left half
    rows = TESTED.labels == 1
    found = model.complete(x[rows], known, key=KEY, steps=20)
    np.testing.assert_array_equal(found[:, known], x[rows][:, known])
    assert np.mean(np.sum((found - x[rows]) ** 2, axis=1)) < 1.0  # 2 where nothing is filled in


def test_networks_start_with_the_weights_of_machines():
    model, _ = train_greedily(Greedy((nn.RBM(6), nn.RBM(3, "linear")), (CD.changed(epochs=1),) * 2), DATA, key=KEY)
    x = TESTED.arrays[0]
    up = nn.Network((nn.FullyConnected(6), nn.FullyConnected(3, "linear"), nn.Softmax(2)), (16,))
    params = started(up, model, key=KEY)
    codes = up.trace(params, x)[(1,)].left
    np.testing.assert_allclose(codes, model.encode(x), rtol=1e-5)
    both = nn.Network((*up.layers[:2], nn.FullyConnected(6), nn.FullyConnected(16)), (16,))
    params = started(both, model, key=KEY)
    np.testing.assert_allclose(both.apply(params, x), model.reconstruct(x), rtol=1e-5)
    assert len(unrolled(model)) == 4
    assert len(upward(model)) == 2
    with pytest.raises(FirsthandError, match=r"layer 1 is FullyConnected\(5.*expected one with weights of shape"):
        started(nn.Network((nn.FullyConnected(5), nn.Softmax(2)), (16,)), model, key=KEY)


KILLED = """
import os, signal, sys
from pathlib import Path
import jax
from tests.learning.test_contrastive_divergence import CD, DATA, NET
from firsthand import nn
from firsthand.learning import Recipe, UpDown, train, train_greedily

kind, place, victim = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "victim"
def progress(at):
    # of two machines, in the second
    if victim and at.record is not None and at.epoch == 2 and at.member == (1 if kind == "greedy" else 0):
        os.kill(os.getpid(), signal.SIGKILL)
key, file = jax.random.key(1), place / "checkpoint"
if kind == "persistent":
    network = nn.Network((nn.RBM(6, chains=10),), (16,))
    recipe, params = CD.changed(epochs=4, persistent=True, k=2), None
    progress_of = progress
else:
    recipes = tuple(recipe.changed(epochs=3) for recipe in NET.recipes)
    greedy = type(NET)(NET.machines, recipes)
    model, _ = train_greedily(greedy, DATA, key=key, place=place, progress=progress)
    network, params = model.network, model.params
    recipe, progress_of = Recipe(3, 10, 0.02, objective=UpDown(k=2), keep_best=False), None
options = {'params': params, 'checkpoint': file, 'resume': file.exists(), 'progress': progress_of}
training = train(network, DATA, recipe, key=key, **options)
training.model.save(place / "model")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["persistent", "greedy"])
def test_killed_and_resumed_it_ends_with_the_same_bits(kind, tmp_path):
    """Chains and momentum are in the checkpoint; machines that were complete are not trained again."""
    models = []
    for name, ways in {"whole": ("finish",), "killed": ("victim", "finish")}.items():
        place = tmp_path / name
        place.mkdir()
        for way in ways:
            done = finished([sys.executable, "-c", KILLED, kind, place, way], cwd=os.getcwd(), timeout=2 * PATIENCE)
            assert done.returncode == (-signal.SIGKILL if way == "victim" else 0), done.stderr
        models.append(Generator.load(place / "model"))
    jax.tree.map(np.testing.assert_array_equal, models[0].params, models[1].params)


# ---- what is refused ----------------------------------------------------------------------------------------------


def test_one_line_says_what_is_wrong():
    with pytest.raises(FirsthandError, match=r"k is 0, expected a whole number of 1 or more"):
        ContrastiveDivergence(0)
    with pytest.raises(FirsthandError, match=r"visible is 'real', expected 'binary' or 'gaussian'"):
        nn.RBM(3, visible="real")  # type: ignore[arg-type]
    with pytest.raises(FirsthandError, match=r"activation is relu, expected sigmoid or linear"):
        nn.RBM(3, "relu")
    machine = nn.Network((nn.RBM(3),), (16,))
    with pytest.raises(FirsthandError, match=r"RBM\(3, activation=sigmoid\) has no chains, expected some"):
        train(machine, DATA, CD.changed(persistent=True), key=KEY)
    with pytest.raises(FirsthandError, match=r"its last layer is Softmax\(2.*expected an RBM"):
        train(nn.Network((nn.Softmax(2),), (16,)), DATA, CD, key=KEY)
    with pytest.raises(FirsthandError, match=r"expected examples with labels below 2, for RBM"):
        train(
            nn.Network((nn.RBM(3, labels=2),), (16,)), Splits(Arrays((DATA.train.arrays[0],)), None, None), CD, key=KEY
        )
    with pytest.raises(FirsthandError, match=r"up-down learning expects binary RBMs that are untied"):
        train(nn.Network((nn.RBM(3), nn.RBM(3)), (16,)), DATA, CD.changed(objective=UpDown()), key=KEY)
    with pytest.raises(FirsthandError, match=r"2 machines and 1 recipes found"):
        Greedy((nn.RBM(3), nn.RBM(2)), (CD,))
    with pytest.raises(FirsthandError, match=r"objective Classification.*expected ContrastiveDivergence"):
        Greedy((nn.RBM(3),), (Recipe(1, 10, 0.1, objective=Classification()),))


def test_a_generator_says_what_it_cannot_do(tmp_path):
    network = nn.Network((nn.RBM(5),), (16,))
    model = Generator(network, network.init(key=KEY))
    with pytest.raises(FirsthandError, match=r"label '7' found, expected one of none, the model has no label units"):
        model.sample(2, key=KEY, label="7")
    with pytest.raises(FirsthandError, match=r"no label units found"):
        model.probabilities(np.zeros((1, 16), np.float32))
    with pytest.raises(FirsthandError, match=r"examples have shape \(2, 15\), expected \(n, \*\(16,\)\)"):
        model.encode(np.zeros((2, 15), np.float32))
    with pytest.raises(FirsthandError, match=r"steps 0.*expected 1 or more"):
        model.sample(2, key=KEY, steps=0)
    with pytest.raises(FirsthandError, match=r"not written.*3 classes for 0 label units"):
        replace(model, classes=("a", "b", "c")).save(tmp_path / "model")
    path = model.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="family 'generator' found, 'autoencoder' expected"):
        Autoencoder.load(path)


def test_bytes_are_pixels():
    data = mnist()
    recipe = CD.changed(epochs=1, batch_size=20)
    model = train(nn.Network((nn.RBM(4),)), Splits(data.train[:40], data.validation[:20], None), recipe, key=KEY).model
    images = data.test.images[:3]
    np.testing.assert_allclose(model.reconstruct(images), model.reconstruct(images.astype(np.float32) / 255), rtol=1e-5)
    assert model.states(2, key=KEY, steps=6, every=2).shape == (3, 2, 28, 28, 1)
