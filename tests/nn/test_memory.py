"""Layers with a memory beside them: against the written-out reference, finite differences, and in pieces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.errors import FirsthandError
from firsthand.nn.layers.memory import LEAST, MEMORY_START, NO_LOG
from firsthand.nn.windows import Field
from firsthand.reference import memory as reference

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(3)
SEQUENCE = (5, 3)
MACHINES = [
    nn.NeuralTuringMachine(6, 7, 4),
    nn.NeuralTuringMachine(6, 7, 4, controller="lstm"),
    nn.NeuralTuringMachine(6, 5, 3, reads=2, writes=3, shift=2),
]


def random_params(layer, dtype=jnp.float64):
    """Parameters of which none is zero, so that every head goes its own way."""
    params = layer.init(SEQUENCE, dtype, key=KEY)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(8), len(leaves))
    noise = [jax.random.normal(key, leaf.shape, dtype) for key, leaf in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(tree, [leaf + 0.5 * each for leaf, each in zip(leaves, noise, strict=True)])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.log1p(np.exp(z))


def by_hand(layer, params, x):
    """The layer's outputs for one sequence (time, features), with the reference's addressing, and its heads."""
    params = {name: np.asarray(value) for name, value in params.items()}
    width, size = layer.width, layer.width + 2 * layer.shift + 4
    h = c = np.zeros(layer.units)
    read = np.zeros((layer.reads, width))
    weightings = [np.eye(layer.slots)[0]] * layer.heads
    memory, outputs, seen = np.full((layer.slots, width), MEMORY_START), [], []
    for x_t in x:
        z = np.concatenate([x_t, read.ravel()]) @ params["weights"] + params["bias"]
        if layer.controller == "feedforward":
            h = np.tanh(z)
        else:
            i, f, g, o = np.split(z + h @ params["recurrent_weights"], 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        said = h @ params["head_weights"] + params["head_bias"]
        where, what = said[: layer.heads * size].reshape(-1, size), said[layer.heads * size :]
        after = []
        for numbers, before in zip(where, weightings, strict=True):
            k, (beta, g), s, gamma = np.split(numbers, (width, width + 2, size - 1))
            settings = np.tanh(k), softplus(beta), sigmoid(g), reference.softmax(s), 1 + softplus(gamma[0])
            after.append(reference.addressed(memory, before, *settings, least=LEAST, no_log=NO_LOG))
        weightings, what = after, what.reshape(layer.writes, 2, width)
        writing = zip(weightings[layer.reads :], sigmoid(what[:, 0]), np.tanh(what[:, 1]), strict=True)
        memory = reference.written(memory, list(writing))
        read = np.stack([reference.read(memory, w) for w in weightings[: layer.reads]])
        outputs.append(np.concatenate([h, read.ravel()]))
        seen.append(np.stack(weightings))
    return np.stack(outputs), np.stack(seen), memory


@pytest.mark.parametrize("layer", MACHINES, ids=str)
def test_machines_are_those_of_the_reference(layer, float64):
    params, x = random_params(layer), jax.random.normal(KEY, (2, *SEQUENCE), jnp.float64)
    outputs, heads = layer.apply(params, x), layer.watch(params, x)
    for row in range(2):
        expected, weightings, memory = by_hand(layer, params, np.asarray(x[row]))
        np.testing.assert_allclose(outputs[row], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(heads.weightings[row], weightings, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(heads.memory[row, -1].T, memory, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(heads.read[row].reshape(5, -1), expected[:, layer.units :], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layer", MACHINES, ids=str)
def test_gradients_agree_with_finite_differences(layer, float64):
    params, x = random_params(layer), jax.random.normal(jax.random.key(1), (2, *SEQUENCE), jnp.float64)

    def cost(p, x):
        return jnp.sum(jnp.sin(layer.apply(p, x)))

    check_grads(jax.jit(cost), (params, x), order=1, modes=("rev",), eps=1e-6, rtol=1e-5)


@pytest.mark.parametrize("layer", MACHINES, ids=str)
def test_a_sequence_in_pieces_is_the_whole(layer):
    params, x = layer.init(SEQUENCE, key=KEY), jax.random.normal(KEY, (2, *SEQUENCE))
    whole, last = layer.run(params, x, layer.start(2))
    first, state = layer.run(params, x[:, :2], layer.start(2))
    second, end = layer.run(params, x[:, 2:], state)
    np.testing.assert_allclose(jnp.concatenate([first, second], 1), whole, rtol=1e-5, atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), end, last)
    assert nn.Network((layer, nn.FullyConnected(2)), SEQUENCE).reads_on


@pytest.mark.parametrize("layer", MACHINES, ids=str)
def test_descriptions_shapes_and_weightings(layer):
    assert nn.from_json(nn.to_json(layer)) == layer
    params, x = layer.init(SEQUENCE, key=KEY), jnp.ones((2, *SEQUENCE))
    assert layer.apply(params, x).shape == (2, *layer.output_shape(SEQUENCE))
    np.testing.assert_allclose(layer.watch(params, x).weightings.sum(-1), 1, rtol=1e-5)
    assert layer.seen(Field(2, 3, 0, 1), SEQUENCE) == Field(0, 3, 0, 1)
    with pytest.raises(nn.ShapeError, match=r"shape \(28, 28, 1\), expected a sequence"):
        layer.output_shape((28, 28, 1))


def test_the_sharpening_stays_finite_where_nothing_is():
    """Weightings that are exactly 0 at all slots but one, as at the first step, and steep settings."""
    layer = nn.NeuralTuringMachine(4, 64, 3)
    params = layer.init(SEQUENCE, key=KEY)
    params["head_bias"] = params["head_bias"] + jnp.where(jnp.arange(len(params["head_bias"])) % 9 == 8, 200.0, -200.0)
    gradient = jax.grad(lambda p: jnp.sum(layer.apply(p, jnp.ones((1, *SEQUENCE)))))(params)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))


@pytest.mark.tiny
def test_an_unknown_controller_is_refused():
    with pytest.raises(FirsthandError, match="controller is 'gru', expected one of feedforward, lstm"):
        nn.NeuralTuringMachine(4, controller="gru")
    with pytest.raises(ValueError, match="slots is 0, expected 1 or more"):
        nn.NeuralTuringMachine(4, 0)
