"""Objectives, sources and quantities: right values, one line for what does not fit, and own ones beside ours."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.data import Arrays, Sequences, Splits, Vectors, mnist, text_splits
from firsthand.errors import FirsthandError
from firsthand.learning import (
    Classification,
    Made,
    NextSymbol,
    Objective,
    Quantity,
    Recipe,
    Reconstruction,
    evaluate,
    input_gradients,
    train,
)

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(3)
TEXT = text_splits("the cat sat on the mat. " * 12, 8, (0.6, 0.2, 0.2))
SYMBOLS = len(TEXT.train.symbols)
LANGUAGE = nn.Network((nn.Embedding(SYMBOLS, 6), nn.Softmax(SYMBOLS)), (8,))
POINTS = Vectors(np.eye(4, dtype=np.float32), np.array([0, 1, 2, 1]), ("a", "b", "c"))


def by_hand(z, targets):
    p = np.exp(z - z.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return -np.log(np.take_along_axis(p, targets[..., None], -1)[..., 0])


def test_next_symbol_is_judged_in_bits_and_perplexity():
    params = LANGUAGE.init(key=KEY)
    found = evaluate(LANGUAGE, params, tuple(map(jnp.asarray, TEXT.test.arrays)), NextSymbol())
    z = np.asarray(LANGUAGE.weighted_input(params, TEXT.test.inputs), np.float64)
    nats = by_hand(z, TEXT.test.targets).mean()
    assert found["cost"] == pytest.approx(nats, rel=1e-5)
    assert found["bits"] == pytest.approx(nats / np.log(2), rel=1e-5)
    assert found["perplexity"] == pytest.approx(np.exp(nats), rel=1e-5)
    assert found["right"] == pytest.approx(np.mean(z.argmax(-1) == TEXT.test.targets))


def test_the_best_epoch_has_the_fewest_bits():
    """A rate so large that the last epoch is worse than the one before: lower is better, and it is kept."""
    recipe = Recipe(6, 4, 8.0, objective=NextSymbol())
    model, history = train(LANGUAGE, TEXT, recipe, key=KEY)
    bits = history["validation_bits"]
    assert history.best_epoch == 1 + int(np.argmin(bits))
    assert model.provenance["scores"]["validation"]["bits"] == pytest.approx(min(bits), rel=1e-6)
    assert recipe.monitored == ("validation_bits",)


@pytest.mark.parametrize("cross_entropy", [False, True])
def test_reconstruction_is_the_squared_error(cross_entropy):
    network = nn.Network((nn.FullyConnected(2), nn.FullyConnected(4)), (4,))
    params = network.init(key=KEY)
    objective = Reconstruction(cross_entropy=cross_entropy)
    found = evaluate(network, params, (jnp.asarray(POINTS.values),), objective)
    a, x = np.asarray(network.apply(params, POINTS.values), np.float64), POINTS.values
    assert found["error"] == pytest.approx(((x - a) ** 2).sum(1).mean(), rel=1e-5)
    entropy = -(x * np.log(a) + (1 - x) * np.log(1 - a)).sum(1).mean()
    assert found["cost"] == pytest.approx(entropy if cross_entropy else found["error"] / 2, rel=1e-5)
    model = train(
        network,
        Splits(Arrays((POINTS.values,)), None, None),
        Recipe(1, 2, 0.1, objective=objective, monitor=()),
        key=KEY,
    ).model
    assert model.reconstruct(POINTS.values).shape == (4, 4)
    assert model.encode(POINTS.values).shape == (4, 2)


def test_penalties_are_added_to_a_reconstruction(float64):
    network = nn.Network(
        (nn.FullyConnected(6), nn.Sparsity(0.2, 3.0), nn.FullyConnected(4), nn.GaussianCode(), nn.FullyConnected(4)),
        (4,),
    )
    params = network.init(jnp.float64, key=KEY)
    objective = Reconstruction(cross_entropy=True)
    x = jnp.asarray(POINTS.values, jnp.float64)
    costs, _ = objective.costs(network, params, (x,), key=KEY)
    trace = network.trace(params, x)
    on, both = (np.asarray(trace[(number,)].entered) for number in (1, 3))
    mean, log_variance = both[:, :2], both[:, 2:]
    keys = jax.random.split(KEY, 5)
    noise = np.asarray(jax.random.normal(keys[3], mean.shape, jnp.float64))
    drawn = mean + np.exp(log_variance / 2) * noise
    a = 1 / (1 + np.exp(-(drawn @ np.asarray(params[4]["weights"]) + np.asarray(params[4]["bias"]))))
    entropy = -(x * np.log(a) + (1 - x) * np.log(1 - a)).sum(1)
    # the divergence of two normal distributions, by the integral over a fine grid
    grid = np.linspace(-12, 12, 20_001)
    density = np.exp(-((grid - mean[..., None]) ** 2) / (2 * np.exp(log_variance[..., None])))
    density /= np.sqrt(2 * np.pi * np.exp(log_variance[..., None]))
    standard = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    divergence = np.sum(density * (np.log(density + 1e-300) - np.log(standard)), axis=-1) * (grid[1] - grid[0])
    seldom = on.mean(axis=0)
    penalty = 3.0 * np.sum(0.2 * np.log(0.2 / seldom) + 0.8 * np.log(0.8 / (1 - seldom)))
    np.testing.assert_allclose(costs, entropy + divergence.sum(1) + penalty, rtol=1e-6)
    total = jax.jit(lambda params: jnp.sum(objective.costs(network, params, (x,), key=KEY)[0]))
    check_grads(total, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)
    # in use, what is drawn is the mean, and nothing is added
    found = objective.measure(network, params, (x,))
    plain = nn.Network((*network.layers[:3:2], nn.Activation(lambda v: v[:, :2]), network.layers[4]), (4,))
    np.testing.assert_allclose(
        network.weighted_input(params, x), plain.weighted_input((params[0], params[2], {}, params[4]), x), rtol=1e-12
    )
    assert set(found) == {"error", "cost"}


def test_answers_of_an_auxiliary_classifier_are_no_penalties():
    network = nn.Network((nn.Auxiliary((nn.Softmax(3),)), nn.FullyConnected(4)), (4,))
    with pytest.raises(FirsthandError, match=r"its costs have shape \(\d+, 3\)"):
        Reconstruction().costs(network, network.init(key=KEY), (jnp.asarray(POINTS.values),), key=KEY)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: nn.Sparsity(0.0), "active is 0.0, expected a share between 0 and 1"),
        (lambda: nn.Sparsity(0.1, -1.0), "strength is -1.0, expected 0 or more"),
        (lambda: nn.GaussianCode().output_shape((3,)), r"\(2 units,\): means and log variances"),
    ],
)
def test_codes_that_cannot_be_are_refused(make, line):
    with pytest.raises(FirsthandError, match=line):
        make()


def test_top_k_accuracy_counts_the_k_largest():
    network = nn.Network((nn.Softmax(3, weights_init=nn.large),), (4,))
    params = network.init(key=KEY)
    z = np.asarray(network.weighted_input(params, POINTS.values))
    place = [int(np.sum(row > row[label])) for row, label in zip(z, POINTS.labels, strict=True)]
    found = evaluate(network, params, tuple(map(jnp.asarray, POINTS.arrays)), Classification(top=(1, 2, 3)))
    for k in (1, 2, 3):
        assert found[f"top_{k}_accuracy"] == pytest.approx(np.mean([at < k for at in place]))
    assert found["accuracy"] == found["top_1_accuracy"]
    assert (
        "validation_top_2_accuracy"
        in Recipe(1, 1, 1.0, objective=Classification(top=(2,)), monitor=("validation_top_2_accuracy",)).monitored
    )


@dataclass(frozen=True)
class Distance(Objective):
    """An objective of a stranger: the output is to be the second array."""

    shape_of_costs: str = "(batch,)"

    @property
    def quantities(self):
        return (Quantity("distance", "distance", "距离", better="lower"),)

    def costs(self, network, params, batch, *, key=None):
        x, wanted = batch
        z, updated = network.forward(params, x, key=key)
        squares = (z - wanted) ** 2
        return (jnp.sum(squares, -1) if self.shape_of_costs == "(batch,)" else squares), updated

    def measure(self, network, params, batch):
        x, wanted = batch
        return {"distance": jnp.sqrt(jnp.sum((network.apply(params, x) - wanted) ** 2, -1))}

    def model(self, network, params, examples, provenance):
        return network, params, provenance


def test_an_objective_of_ones_own_trains_and_resumes(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    pairs = Arrays((x, (x @ np.array([[1.0, 2.0], [0.0, 1.0], [-1.0, 0.5]], np.float32))))
    data = Splits(pairs[:30], pairs[30:], None)
    network = nn.Network((nn.FullyConnected(2, nn.linear),), (3,))
    recipe = Recipe(6, 5, 0.1, objective=Distance())
    (_, params, about), history = train(network, data, recipe, key=KEY)
    assert history["validation_distance"][-1] < 0.05 < history["validation_distance"][0]
    assert about["recipe"]["objective"] == {"objective": "Distance", "shape_of_costs": "(batch,)"}
    file = tmp_path / "checkpoint"
    train(network, data, Recipe(2, 5, 0.1, objective=Distance()), key=KEY, checkpoint=file)
    (_, again, _), _ = train(network, data, recipe, key=KEY, checkpoint=file, resume=True)
    assert np.array_equal(again[0]["weights"], params[0]["weights"])


def test_costs_that_are_not_one_for_each_example_are_refused():
    pairs = Splits(Arrays((np.zeros((6, 2), np.float32), np.zeros((6, 2), np.float32))), None, None)
    network = nn.Network((nn.FullyConnected(2, nn.linear),), (2,))
    recipe = Recipe(1, 2, 0.1, objective=Distance("(batch, outputs)"), monitor=())
    with pytest.raises(
        FirsthandError, match=r"costs have shape \(2, 2\) for a mini-batch of 2 examples, expected \(2,\)"
    ):
        train(network, pairs, recipe, key=KEY)


FLAT = nn.Network((nn.FullyConnected(5), nn.Flatten(), nn.Softmax(SYMBOLS)), (8, 3))
LONG = nn.Network((nn.Embedding(9, 6), nn.Softmax(SYMBOLS)), (7,))
FOUR = Splits(POINTS, None, None)
MISFITS = {
    "classified": (LANGUAGE, TEXT, Classification(), "Sequences found, classification needs examples with labels"),
    "images": (LANGUAGE, mnist(), NextSymbol(), "Dataset found, a language model needs sequences"),
    "shape": (FLAT, TEXT, NextSymbol(), r"each has shape \(8,\), the network expects \(8, 3\)"),
    "length": (LONG, TEXT, NextSymbol(), r"each has shape \(8,\), the network expects \(7,\)"),
    "outputs": (nn.Network((nn.FullyConnected(3),), (4,)), FOUR, Reconstruction(), "it has 3 outputs, expected 4"),
    "relu": (nn.Network((nn.FullyConnected(4, nn.relu),), (4,)), FOUR, Reconstruction(True), "are relu, expected sig"),
}


@pytest.mark.parametrize(("network", "data", "objective", "message"), MISFITS.values(), ids=list(MISFITS))
def test_what_does_not_fit_is_one_line_before_the_first_step(network, data, objective, message):
    with pytest.raises(FirsthandError, match=message) as error:
        train(network, data, Recipe(1, 2, 0.1, objective=objective, monitor=()), key=KEY)
    assert "\n" not in str(error.value)


def test_integers_that_are_no_pixels_are_not_taken_for_some():
    network = nn.Network((nn.FullyConnected(5), nn.Softmax(3)), (8,))
    with pytest.raises(FirsthandError, match=r"int32 of shape \(2, 8\) found.*takes floats, or pixels as uint8"):
        network.apply(network.init(key=KEY), np.zeros((2, 8), np.int32))
    with pytest.raises(FirsthandError, match="takes integers"):
        LANGUAGE.apply(LANGUAGE.init(key=KEY), np.zeros((2, 8), np.float32))


def test_a_source_gives_other_examples_in_every_epoch(tmp_path):
    def points(key):
        x = jax.random.normal(key, (20, 2))
        return Vectors(np.asarray(x), np.asarray(x[:, 0] > x[:, 1]).astype(np.int32), ("no", "yes"))

    seen = []

    def make(key):
        seen.append(points(key))
        return seen[-1]

    network = nn.Network((nn.Softmax(2),), (2,))
    data, recipe = Splits(Made(make), points(KEY), None), Recipe(4, 5, 0.5)
    whole = train(network, data, recipe, key=KEY)
    assert len({examples.digest for examples in seen}) == 5  # those that say what kind it is, and four epochs'
    file = tmp_path / "checkpoint"
    train(network, data, Recipe(2, 5, 0.5), key=KEY, checkpoint=file)
    resumed = train(network, data, recipe, key=KEY, checkpoint=file, resume=True)
    assert np.array_equal(resumed.model.params[0]["weights"], whole.model.params[0]["weights"])


def test_gradients_of_inputs_are_those_of_finite_differences():
    network = nn.Network((nn.FullyConnected(5, nn.tanh), nn.Softmax(3)), (4,))
    params = network.init(key=KEY)
    x = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    labels = np.array([0, 2, 1])
    found = input_gradients(network, params, (x, labels), Classification())

    def cost(x):
        return by_hand(np.asarray(network.weighted_input(params, jnp.asarray(x)), np.float64), labels)

    for i in range(4):
        step = np.zeros(4, np.float32)
        step[i] = 1e-2
        slope = (cost(x + step) - cost(x - step)) / 2e-2
        np.testing.assert_allclose(found[:, i], slope, rtol=2e-2, atol=2e-4)
    with pytest.raises(FirsthandError, match="takes symbols, expected numbers"):
        input_gradients(LANGUAGE, LANGUAGE.init(key=KEY), TEXT.test, NextSymbol())


@pytest.mark.tiny
def test_quantities_know_which_way_is_better():
    accuracy, bits = Classification().quantities[0], NextSymbol().quantities[0]
    assert accuracy.improves(0.9, 0.8)
    assert not accuracy.improves(0.8, 0.8)
    assert bits.improves(2.1, 2.2)
    assert bits.improves(2.1, None)
    assert (accuracy.show(0.9796), bits.show(2.1234)) == ("97.96 %", "2.123 bit")
    assert isinstance(TEXT.train, Sequences)
