"""Looking inside: against finite differences, and hand-made networks where the answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    Neighbours,
    gradient_lengths,
    gradient_saliency,
    input_gradient,
    last_hidden,
    layer_outputs,
    mean_gradient,
    occlusion,
    part_named,
    parts,
    unit_use,
    update_lengths,
    weight_histograms,
)
from firsthand.learning import Classification, Recipe, train
from firsthand.models import Ensemble, Model

pytestmark = pytest.mark.usefixtures("compiled_quickly")

RANDOM = np.random.default_rng(0)
DATA = Dataset(RANDOM.integers(0, 256, (23, 6, 6, 1), np.uint8), RANDOM.integers(0, 3, 23), tuple("abc"))
BLOCKS = nn.Network(
    (
        nn.Convolution(4, 3, padding=1, activation=nn.tanh),
        nn.BatchNorm(),
        nn.Residual((nn.Convolution(4, 3, padding=1, activation=nn.sigmoid), nn.LayerNorm())),
        nn.Concatenate(((nn.MaxPool(2),), (nn.AveragePool(2), nn.Convolution(2, 1, activation=nn.tanh)))),
        nn.SqueezeExcite(2),
        nn.Flatten(),
        nn.FullyConnected(5, nn.sigmoid),
        nn.Softmax(3),
    ),
    (6, 6, 1),
)


def model_of(network, seed=0, params=None, classes=None):
    params = network.init(key=jax.random.key(seed)) if params is None else params
    return Model(network, params, classes or tuple("abcdefghij"[: network.num_classes]))


def dense(*layers, inputs=(2, 2, 1)):
    return nn.Network(layers, inputs)


@pytest.mark.tiny
def test_parts_have_names_and_are_found_by_them():
    names = [part.name for part in parts(BLOCKS)]
    assert names == [
        "1 Convolution",
        "2 BatchNorm",
        "3 Residual / 1 Convolution",
        "3 Residual / 2 LayerNorm",
        "3 Residual",
        "4 Concatenate / 1.1 MaxPool",
        "4 Concatenate / 2.1 AveragePool",
        "4 Concatenate / 2.2 Convolution",
        "4 Concatenate",
        "5 SqueezeExcite",
        "6 Flatten",
        "7 FullyConnected",
        "8 Softmax",
    ]
    assert part_named(BLOCKS, 3).name == part_named(BLOCKS, -6).name == "3 Residual"
    assert part_named(BLOCKS, "4 Concatenate / 2.2 Convolution").layer == nn.Convolution(2, 1, activation=nn.tanh)
    for wrong in (0, 9, -9, "Convolution"):
        with pytest.raises(FirsthandError, match=r"expected one of 1 Convolution, .*8 Softmax"):
            part_named(BLOCKS, wrong)


def test_outputs_of_layers_fit_together():
    model = model_of(BLOCKS)
    found = layer_outputs(model, DATA.images)
    assert list(found) == [part.name for part in parts(BLOCKS)]
    np.testing.assert_allclose(found["8 Softmax"], model.outputs(DATA.images), rtol=1e-5)
    # a residual block adds what is inside to what comes in, and branches stand side by side
    np.testing.assert_allclose(
        found["3 Residual"], found["2 BatchNorm"] + found["3 Residual / 2 LayerNorm"], rtol=1e-5, atol=1e-6
    )
    branches = [found["4 Concatenate / 1.1 MaxPool"], found["4 Concatenate / 2.2 Convolution"]]
    np.testing.assert_array_equal(found["4 Concatenate"], np.concatenate(branches, axis=-1))
    chosen = layer_outputs(model, DATA.images, [-2, 1])
    assert list(chosen) == ["7 FullyConnected", "1 Convolution"]
    np.testing.assert_allclose(chosen["1 Convolution"], found["1 Convolution"], rtol=1e-5, atol=1e-6)


def test_no_images_have_no_outputs_and_wrong_ones_are_refused():
    model = model_of(dense(nn.FullyConnected(3, nn.relu), nn.Softmax(2)))
    assert [a.shape for a in layer_outputs(model, np.zeros((0, 2, 2, 1))).values()] == [(0, 3), (0, 2)]
    with pytest.raises(FirsthandError, match=r"expected \(2, 2, 1\)"):
        layer_outputs(model, np.zeros((4, 3, 3, 1)))


def test_mean_gradient_agrees_with_finite_differences(float64):
    params = jax.jit(lambda key: BLOCKS.init(jnp.float64, key=key))(jax.random.key(1))
    gradient = mean_gradient(BLOCKS, params, DATA)

    @jax.jit
    def cost(params):
        z = BLOCKS.weighted_input(params, DATA.images)
        return jnp.mean(nn.log_likelihood(z, jnp.asarray(DATA.labels)))

    # along a direction that moves every parameter, the statistics left alone
    rng = np.random.default_rng(1)
    moved = jax.tree_util.tree_map_with_path(
        lambda path, p: rng.normal(size=p.shape) * (path[-1].key not in ("mean", "variance")), params
    )
    slope = sum(np.sum(g * d) for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(moved), strict=True))
    there, back = (float(cost(jax.tree.map(lambda p, d, h=h: p + h * d, params, moved))) for h in (1e-6, -1e-6))
    assert slope == pytest.approx((there - back) / 2e-6, rel=1e-6)


def test_gradient_lengths_are_those_of_each_layer():
    network = dense(nn.FullyConnected(4), nn.FullyConnected(3), inputs=(6, 6, 1))
    params = network.init(key=jax.random.key(2))
    gradient = mean_gradient(network, params, DATA, cost=nn.cross_entropy)
    found = gradient_lengths(network, params, DATA, cost=nn.cross_entropy)
    assert [layer.name for layer in found] == ["1 FullyConnected", "2 FullyConnected"]
    for layer, g in zip(found, gradient, strict=True):
        assert layer.bias == pytest.approx(np.linalg.norm(g["bias"]))
        assert layer.weights == pytest.approx(np.linalg.norm(g["weights"]))
    # (BP1) and (BP3) by hand for the output layer: the mean of a - y
    y = np.eye(3)[DATA.labels]
    assert found[1].bias == pytest.approx(np.linalg.norm(np.mean(model_of(network, 2).outputs(DATA.images) - y, 0)))


def test_gradient_lengths_of_layers_inside_of_layers():
    params = BLOCKS.init(key=jax.random.key(1))
    found = {layer.name: layer for layer in gradient_lengths(BLOCKS, params, DATA)}
    assert list(found) == [
        "1 Convolution",
        "2 BatchNorm",
        "3 Residual / 1 Convolution",
        "3 Residual / 2 LayerNorm",
        "4 Concatenate / 2.2 Convolution",
        "5 SqueezeExcite",
        "7 FullyConnected",
        "8 Softmax",
    ]
    assert all(layer.weights > 0 and layer.bias > 0 for layer in found.values())
    with pytest.raises(FirsthandError, match=r"images have shape \(6, 6, 1\), expected \(2, 2, 1\)"):
        gradient_lengths(dense(nn.Softmax(3)), (), DATA)


def test_updates_are_measured_layer_by_layer():
    network = dense(nn.FullyConnected(2), nn.BatchNorm(), nn.Softmax(2))
    before = network.init(key=jax.random.key(0))
    first = {name: a + 3 * (name == "bias") for name, a in before[0].items()}  # 3 in each of two biases
    second = before[1] | {"mean": before[1]["mean"] + 100}  # a statistic is not learned
    found = update_lengths(network, before, (first, second, before[2]))
    assert [layer.update for layer in found] == pytest.approx([np.sqrt(18), 0, 0])
    assert found[0].size == pytest.approx(np.linalg.norm(before[0]["weights"]))
    assert found[0].relative == pytest.approx(found[0].update / found[0].size)
    assert found[1].size == pytest.approx(np.sqrt(2))  # two scales of 1


@pytest.mark.parametrize("members", [None, 2])
def test_gradients_can_be_followed_while_a_training_runs(members):
    network = nn.Network((nn.FullyConnected(8), nn.FullyConnected(10)))
    data = Splits(mnist().train[:200], None, None)
    seen = {0: [], 1: []}

    recipe = Recipe(epochs=2, learning_rate=0.5, objective=Classification(nn.cross_entropy), monitor=())

    def follow(at):
        params = at.params()
        lengths = gradient_lengths(network, params, data.train[:50], cost=nn.cross_entropy)
        seen[at.member].append((at.record, params, lengths))

    training = train(network, data, recipe, key=jax.random.key(0), progress=follow, members=members)
    models = (training.model,) if members is None else training.model.members
    for member, model in enumerate(models):
        assert any(record is None for record, _, _ in seen[member])  # within an epoch as well
        # what was handed out is not taken over by later steps
        jax.tree.map(np.testing.assert_array_equal, seen[member][-1][1], model.params)
        first, last = seen[member][0][1], seen[member][-1][1]
        assert update_lengths(network, first, last)[0].update > 0
        assert all(lengths[0].bias > 0 for _, _, lengths in seen[member])


def test_dead_and_saturated_units_are_found():
    # one ReLU that is dead by construction, one that is never idle, one that is for black images only
    network = dense(nn.FullyConnected(3, nn.relu), nn.FullyConnected(3, nn.sigmoid), nn.Softmax(2))
    params = list(network.init(key=jax.random.key(0)))
    params[0] = {"weights": jnp.ones((4, 3)) / 4, "bias": jnp.array([-9.0, 1.0, 0.0])}
    # z = 0 (steepest), z = 100 a_2 with a_2 >= 1 (saturated), z = 4.3 < ln(0.987/0.013) = 4.33 (just not)
    params[1] = {"weights": jnp.zeros((3, 3)).at[1, 1].set(100.0), "bias": jnp.array([0.0, 0.0, 4.3])}
    images = np.zeros((4, 2, 2, 1), np.uint8)
    images[1:] = 200
    data = Dataset(images, np.zeros(4, int), ("a", "b"))
    first, second = unit_use(model_of(network, params=tuple(params)), data)
    assert (first.name, first.activation, first.n) == ("1 FullyConnected", "relu", 4)
    np.testing.assert_array_equal(first.share, [1, 0, 0.25])
    np.testing.assert_array_equal(first.always, [True, False, False])
    np.testing.assert_array_equal(second.share, [0, 1, 0])
    assert str(first) == "1 FullyConnected (relu): 0 in 41.7% of cases; 1 of 3 units for every image"
    (wider,) = unit_use(model_of(network, params=tuple(params)), data, threshold=0.06)[1:]
    np.testing.assert_array_equal(wider.share, [0, 1, 1])
    with pytest.raises(FirsthandError, match="threshold is 1"):
        unit_use(model_of(network), data, threshold=1)


def test_a_dead_filter_is_idle_everywhere():
    network = nn.Network((nn.ConvPool(2, 3), nn.Activation(nn.tanh), nn.Softmax(3)), (6, 6, 1))
    params = list(network.init(key=jax.random.key(0)))
    params[0] = {"weights": jnp.ones((3, 3, 1, 2)), "bias": jnp.array([-100.0, 0.5])}
    relus, tanhs = unit_use(model_of(network, params=tuple(params)), DATA)
    assert relus.share.shape == (2, 2, 2)
    np.testing.assert_array_equal(relus.always, [True, False])
    assert (tanhs.name, tanhs.activation) == ("2 Activation", "tanh")
    np.testing.assert_array_equal(tanhs.share[..., 0], 0)  # tanh'(0) = 1
    np.testing.assert_array_equal(tanhs.share[..., 1], 1)  # sums of nine bright pixels


def test_weights_are_counted():
    network = dense(nn.FullyConnected(2), nn.Residual((nn.FullyConnected(2),)), nn.Softmax(2))
    params = list(network.init(key=jax.random.key(0)))
    params[0] = params[0] | {"weights": jnp.array([[-1.0, 1.0], [0.005, 0.0], [0.5, 0.5], [0.5, 0.5]])}
    found = weight_histograms(model_of(network, params=tuple(params)), bins=4)
    assert [layer.name for layer in found] == ["1 FullyConnected", "2 Residual / 1 FullyConnected", "3 Softmax"]
    assert found[0].counts.tolist() == [1, 0, 2, 5]
    assert found[0].edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert found[0].near_zero == 0.25
    assert found[0].mean == pytest.approx(2.005 / 8)
    zero = tuple(jax.tree.map(jnp.zeros_like, layer) for layer in params)
    assert weight_histograms(model_of(network, params=zero))[0].near_zero == 1
    with pytest.raises(FirsthandError, match="bins is 0"):
        weight_histograms(model_of(network), bins=0)


def test_saliency_of_a_linear_network_is_its_weights():
    network = nn.Network((nn.FullyConnected(3, nn.linear),), (3, 3, 2))
    model = model_of(network, 3)
    images = RANDOM.integers(0, 256, (4, 3, 3, 2), np.uint8)
    classes = np.array([0, 1, 2, 1])
    w = np.asarray(model.params[0]["weights"]).reshape(3, 3, 2, 3)
    expected = np.moveaxis(w, -1, 0)[classes]
    np.testing.assert_allclose(input_gradient(model, images, classes), expected, rtol=1e-6)
    np.testing.assert_allclose(gradient_saliency(model, images, classes), np.abs(expected).max(-1), rtol=1e-6)
    # what is covered takes with it what it brought: sum of w x / 255 in the window
    fall = occlusion(model, images, classes, size=3, of="z")
    brought = np.pad((expected * images / 255).sum(-1), ((0, 0), (1, 1), (1, 1)))
    window = sum(brought[:, r : r + 3, c : c + 3] for r in range(3) for c in range(3))
    np.testing.assert_allclose(fall, window, atol=1e-5)
    # an ensemble of it and its opposite sees nothing
    opposite = model_of(network, params=tuple(jax.tree.map(jnp.negative, p) for p in model.params))
    both = Ensemble((model, opposite))
    np.testing.assert_allclose(gradient_saliency(both, images, classes), 0, atol=1e-7)
    assert occlusion(both, images).shape == (4, 3, 3)


def test_saliency_agrees_with_finite_differences():
    # smooth: at a maximum or a ReLU a step of this size may change which of two it is
    smooth = (nn.Convolution(2, 3, activation=nn.tanh), nn.AveragePool(2), nn.FullyConnected(4), nn.Softmax(3))
    model = model_of(nn.Network(smooth, (6, 6, 1)), 5)
    x = RANDOM.random((2, 6, 6, 1), np.float32)
    slope, k = input_gradient(model, x), model.predict(x)
    for at in ((0, 0), (2, 3), (5, 4)):
        h = np.zeros_like(x)
        h[:, at[0], at[1]] = 1e-2
        z = [np.take_along_axis(model.weighted_inputs(moved), k[:, None], 1)[:, 0] for moved in (x + h, x - h)]
        np.testing.assert_allclose(slope[:, at[0], at[1], 0], (z[0] - z[1]) / 2e-2, rtol=0.02, atol=1e-3)


def test_occlusion_of_probability_and_its_mistakes():
    model = model_of(BLOCKS, 5)
    image = DATA.images[:1]
    k = model.predict(image)[0]
    covered = image.copy()
    covered[:, 0:2, 3:6] = 7  # a window of 3 about (0, 4), as far as it is inside
    expected = model.probabilities(image)[0, k] - model.probabilities(covered)[0, k]
    assert occlusion(model, image, size=3, background=7)[0, 0, 4] == pytest.approx(expected, abs=1e-6)
    assert occlusion(model, image[:0]).shape == gradient_saliency(model, image[:0]).shape == (0, 6, 6)
    with pytest.raises(FirsthandError, match="size is 4, expected an odd"):
        occlusion(model, image, size=4)
    with pytest.raises(FirsthandError, match="of is 'a'"):
        occlusion(model, image, of="a")  # type: ignore[arg-type]
    with pytest.raises(FirsthandError, match="classes: 3 to 3, expected 0 to 2"):
        occlusion(model, image, np.array([3]))
    with pytest.raises(FirsthandError, match="expected integers \\(1,\\)"):
        gradient_saliency(model, image, np.array([0.5]))
    vectors = model_of(nn.Network((nn.Softmax(2),), (4,)))
    with pytest.raises(FirsthandError, match="not images"):
        gradient_saliency(vectors, np.zeros((1, 4)))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 23), st.integers(0, 22))
def test_neighbours_are_the_nearest(count, number):
    model = model_of(BLOCKS)
    hidden = layer_outputs(model, DATA.images)["7 FullyConnected"]
    distance = np.linalg.norm(hidden - hidden[number], axis=1)
    found = NEIGHBOURS.nearest(DATA.images[number : number + 1], count)
    np.testing.assert_allclose(found.distance[0], np.sort(distance)[:count], atol=1e-5)
    assert found.index[0, 0] == number
    assert len(set(found.index[0])) == count


NEIGHBOURS = Neighbours(model_of(BLOCKS), DATA)


def test_what_the_output_layer_sees():
    alone = model_of(nn.Network((nn.Softmax(3),), (6, 6, 1)))
    np.testing.assert_allclose(last_hidden(alone, DATA.images), DATA.images.reshape(23, -1) / 255, rtol=1e-6)
    pooled = model_of(nn.Network((nn.ConvPool(2, 3), nn.Softmax(3)), (6, 6, 1)))
    assert last_hidden(pooled, DATA.images).shape == (23, 8)
    assert last_hidden(Ensemble((alone, pooled)), DATA.images).shape == (23, 44)
    with pytest.raises(FirsthandError, match="count is 24, expected 1 to 23"):
        NEIGHBOURS.nearest(DATA.images[:1], 24)
