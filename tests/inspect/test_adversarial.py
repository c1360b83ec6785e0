"""Adversarial and fooling images: against SciPy, the plain formulas, and what must hold for every image."""

import hashlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from typer.testing import CliRunner

from firsthand import nn
from firsthand.cli import app
from firsthand.data import Dataset, Splits
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    Adversarial,
    distortion,
    evolved,
    fooled,
    gradient_sign,
    grown,
    minimal_distortion,
    projected_gradient,
    same_size,
)
from firsthand.inspect.adversarial import cost_of
from firsthand.inspect.box_minimum import box_minimum
from firsthand.learning import Classification, Hardened, Recipe, input_gradients, train
from firsthand.models import Ensemble, Model

pytestmark = pytest.mark.usefixtures("compiled_quickly")

CLASSES = ("0", "1", "2")
NETWORK = nn.Network((nn.FullyConnected(5, nn.tanh, weights_init=nn.he), nn.Softmax(3, weights_init=nn.he)), (3, 4, 1))


def model_of(seed, network=NETWORK):
    return Model(network, network.init(key=jax.random.key(seed)), CLASSES)


MODEL = model_of(0)
IMAGES = np.random.default_rng(0).random((7, 3, 4, 1)).astype(np.float32) * 0.8 + 0.1
LABELS = MODEL.predict(IMAGES)


# --- the minimum in a box ---------------------------------------------------------------------------------------------


def test_minima_in_a_box_are_those_of_scipy():
    rng = np.random.default_rng(1)
    n, d = 6, 8
    roots = rng.normal(size=(n, d, d)).astype(np.float32)
    centres = rng.normal(0.5, 1.0, (n, d)).astype(np.float32)

    def value(x, root, centre):
        y = root @ (x - centre)
        return jnp.sum(jnp.sqrt(1 + y**2)) + 0.05 * jnp.sum((x - centre) ** 4)

    both, one = jax.vmap(jax.value_and_grad(value)), jax.jit(jax.value_and_grad(value))
    found = np.asarray(box_minimum(lambda x: both(x, roots, centres), jnp.full((n, d), 0.5), steps=200))
    assert found.min() >= 0
    assert found.max() <= 1
    for x, root, centre in zip(found, roots, centres, strict=True):
        scipys = minimize(
            lambda x, r=root, c=centre: tuple(np.asarray(v, float) for v in one(jnp.float32(x), r, c)),
            np.full(d, 0.5),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1)] * d,
        )
        assert float(value(x, root, centre)) == pytest.approx(scipys.fun, rel=2e-4)


@pytest.mark.slow
def test_rows_do_not_depend_on_each_other():
    def rosenbrock(x):
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    both = jax.vmap(jax.value_and_grad(rosenbrock))
    starts = jnp.asarray(np.random.default_rng(0).random((3, 4)), jnp.float32)
    together = box_minimum(both, starts, high=2.0, steps=30)
    alone = jnp.concatenate([box_minimum(both, start[None], high=2.0, steps=30) for start in starts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


# --- the attacks ------------------------------------------------------------------------------------------------------


def test_the_cost_is_the_log_likelihood_and_keeps_its_gradient_where_that_rounds_to_0():
    z, labels = jnp.array([[1.0, 2.0, -1.0], [60.0, 0.0, 1.0]]), jnp.array([1, 0])
    np.testing.assert_allclose(cost_of(z, labels)[:1], nn.log_likelihood(z, labels, nn.softmax)[:1], rtol=1e-6)
    slope = jax.grad(lambda z: jnp.sum(cost_of(z, labels)))(z)
    assert slope[1, 0] == pytest.approx(-(np.exp(-60.0) + np.exp(-59.0)), rel=1e-4)
    assert slope[1].sum() == pytest.approx(0, abs=1e-30)


def test_the_sign_of_the_gradient_is_the_formula():
    slope = input_gradients(NETWORK, MODEL.params, (IMAGES, LABELS), Classification())
    changed = gradient_sign(MODEL, IMAGES, LABELS, 0.05)
    np.testing.assert_allclose(changed, np.clip(IMAGES + 0.05 * np.sign(slope), 0, 1), atol=1e-6)


@pytest.mark.parametrize("norm", ["max", "l2"])
def test_small_steps_stay_near_and_reach_further_than_noise(norm):
    changed = projected_gradient(MODEL, IMAGES, LABELS, 0.3, norm=norm, key=jax.random.key(0))
    change = (changed - IMAGES).reshape(len(IMAGES), -1)
    length = np.abs(change).max(1) if norm == "max" else np.linalg.norm(change, axis=1)
    assert length.max() <= 0.3 + 1e-5
    assert changed.min() >= 0
    assert changed.max() <= 1
    noise = same_size(IMAGES, changed, noise=True, key=jax.random.key(1))
    costs = [
        np.asarray(cost_of(jnp.asarray(MODEL.weighted_inputs(x)), jnp.asarray(LABELS)))
        for x in (changed, noise, IMAGES)
    ]
    assert np.all(costs[0] >= costs[1])
    assert np.all(costs[0] >= costs[2])


def test_the_smallest_change_of_a_linear_network_is_the_distance_to_its_plane():
    network = nn.Network((nn.Softmax(2, weights_init=nn.he),), (3, 4, 1))
    model = Model(network, network.init(key=jax.random.key(2)), ("a", "b"))
    w = np.asarray(model.params[0]["weights"])
    labels = model.predict(IMAGES)
    changed = minimal_distortion(model, IMAGES, labels, steps=40, searches=14)
    z = model.weighted_inputs(IMAGES)
    distance = np.abs(z[:, 0] - z[:, 1]) / np.linalg.norm(w[:, 0] - w[:, 1])
    inside = (changed.min((1, 2, 3)) > 0) & (changed.max((1, 2, 3)) < 1)
    assert inside.sum() >= 3
    assert fooled(model, changed, labels).all()
    length = np.sqrt(12) * distortion(IMAGES, changed)
    assert np.all(length >= distance * (1 - 1e-4))
    np.testing.assert_allclose(length[inside], distance[inside], rtol=0.1)


def test_the_smallest_change_leads_to_the_target():
    targets = (LABELS + 1) % 3
    changed = minimal_distortion(MODEL, IMAGES, LABELS, targets=targets)
    reached = MODEL.predict(changed) == targets
    assert reached.any()
    # where nothing was found the image comes back as it is
    assert np.all((distortion(IMAGES, changed) == 0) == ~reached)


@pytest.mark.slow
def test_an_ensemble_is_attacked_as_a_whole():
    ensemble = Ensemble((model_of(0), model_of(1)))
    labels = ensemble.predict(IMAGES)
    changed = minimal_distortion(ensemble, IMAGES, labels)
    assert fooled(ensemble, changed, labels).all()
    assert np.all(distortion(IMAGES, changed) > 0)


def test_bytes_are_pixels_and_what_is_misread_stays():
    pixels = np.rint(255 * IMAGES).astype(np.uint8)
    wrong = (MODEL.predict(pixels) + 1) % 3
    changed = minimal_distortion(MODEL, pixels, wrong)
    np.testing.assert_allclose(changed, pixels / np.float32(255), atol=1e-6)
    assert minimal_distortion(MODEL, pixels[:0], wrong[:0]).shape == (0, 3, 4, 1)


def test_a_random_way_is_as_far():
    noise = same_size(IMAGES, IMAGES + np.float32(0.01), noise=True, key=jax.random.key(0))
    np.testing.assert_allclose(distortion(IMAGES, noise), 0.01, rtol=1e-3)
    np.testing.assert_allclose(same_size(IMAGES, IMAGES + np.float32(0.01), times=3), IMAGES + 0.03, atol=1e-6)


@pytest.mark.parametrize(
    ("attack", "line"),
    [
        (lambda: gradient_sign(MODEL, IMAGES, LABELS, -1), "epsilon is -1"),
        (lambda: projected_gradient(MODEL, IMAGES, LABELS, 0.1, norm="l1"), "norm 'l1'"),  # type: ignore[arg-type]
        (lambda: gradient_sign(MODEL, IMAGES, LABELS + 3, 0.1), "labels: 3 to"),
        (lambda: gradient_sign(MODEL, IMAGES, LABELS[:2], 0.1), "labels: .* of shape"),
        (lambda: minimal_distortion(MODEL, IMAGES[..., :2, :], LABELS), "images have shape"),
        (lambda: evolved(MODEL, key=jax.random.key(0), share=0.0), "share 0.0"),
        (lambda: grown(MODEL, IMAGES, LABELS + 9), "targets: "),
    ],
)
def test_what_does_not_fit_is_said(attack, line):
    with pytest.raises(FirsthandError, match=line):
        attack()


@pytest.mark.slow
def test_the_command_draws_the_triptych(tmp_path):
    pixels = np.rint(255 * IMAGES).astype(np.uint8)
    np.savez(tmp_path / "own.npz", images=pixels, labels=MODEL.predict(pixels), classes=CLASSES)
    asked = ["--model", MODEL.save(tmp_path / "m.safetensors"), "--data", tmp_path / "own.npz", "--shown", 2, "--json"]
    done = CliRunner().invoke(app, ["inspect", *map(str, asked), "--adversarial", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    about = json.loads(done.output)["adversarial"]
    assert (about["images"], about["fooled"]) == (2, 2)
    assert (tmp_path / "out" / "adversarial.png").exists()


# --- training on them, and fooling ------------------------------------------------------------------------------------


def test_an_epoch_has_the_images_and_their_changes_against_the_network_of_that_time():
    data = Dataset(np.rint(255 * IMAGES).astype(np.uint8), LABELS, CLASSES)
    source = Adversarial(data, NETWORK, 0.1)
    found = source.examples(3, MODEL.params, key=jax.random.key(0))
    assert len(found) == len(source.like) == 2 * len(data)
    np.testing.assert_array_equal(found.labels, np.tile(data.labels, 2))
    changed = gradient_sign(MODEL, data.images, data.labels, 0.1)
    np.testing.assert_array_equal(found.images[len(data) :], np.rint(255 * changed).astype(np.uint8))
    assert source.digest != Adversarial(data, NETWORK, 0.2).digest
    assert len(source.digest) == len(hashlib.sha256().hexdigest())
    recipe = Recipe(2, batch_size=4, learning_rate=0.1, monitor=("training_accuracy",))
    assert train(NETWORK, Splits(source, None, None), recipe, key=jax.random.key(0)).history["epoch"] == [1, 2]


def test_evolution_makes_the_network_surer_generation_by_generation():
    found = evolved(MODEL, key=jax.random.key(0), generations=75, children=20, sure=1 - 1e-9)
    assert found.images.shape == (3, 3, 4, 1)
    assert np.all(np.diff(found.confidence, axis=0) >= 0)
    own = MODEL.probabilities(found.images)[np.arange(3), np.arange(3)]
    np.testing.assert_allclose(own, found.confidence[-1], rtol=1e-4)
    assert np.all(found.generations == -1)


def test_images_grow_toward_their_class():
    targets = np.array([0, 1, 2])
    before = MODEL.probabilities(IMAGES[:3])[targets, targets]
    after = MODEL.probabilities(grown(MODEL, IMAGES[:3], targets, steps=30))[targets, targets]
    assert np.all(after > before)


def test_a_hardened_cost_is_the_mean_of_both_and_its_gradient_that_of_finite_differences(float64):
    goal = Hardened(epsilon=0.1, share=0.25)
    params = jax.tree.map(lambda p: jnp.asarray(p, jnp.float64), MODEL.params)
    x = jnp.asarray(IMAGES, jnp.float64)
    plain = Classification()
    slope = input_gradients(NETWORK, params, (x, LABELS), plain)
    changed = jnp.clip(x + 0.1 * jnp.sign(slope), 0, 1)
    each = [plain.costs(NETWORK, params, (given, jnp.asarray(LABELS)))[0] for given in (x, changed)]
    found, _ = goal.costs(NETWORK, params, (x, jnp.asarray(LABELS)))
    np.testing.assert_allclose(found, 0.25 * each[0] + 0.75 * each[1], rtol=1e-9)

    def total(bias):
        moved = ({**params[0], "bias": bias}, *params[1:])
        return jnp.sum(goal.costs(NETWORK, moved, (x, jnp.asarray(LABELS)))[0])

    bias, step = params[0]["bias"], 1e-6
    for unit, slope in enumerate(jax.grad(total)(bias)):
        two = [float(total(bias.at[unit].add(way * step))) for way in (1, -1)]
        assert float(slope) == pytest.approx((two[0] - two[1]) / (2 * step), rel=1e-4, abs=1e-7)


def test_a_hardened_training_runs_as_any_other():
    data = Dataset(np.rint(255 * IMAGES).astype(np.uint8), LABELS, CLASSES)
    recipe = Recipe(3, batch_size=4, learning_rate=0.1, objective=Hardened(), monitor=("training_cost",))
    history = train(NETWORK, Splits(data, None, None), recipe, key=jax.random.key(0)).history
    assert history["training_cost"][-1] < history["training_cost"][0]
    with pytest.raises(FirsthandError, match="share 2"):
        Hardened(share=2)
