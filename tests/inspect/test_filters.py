"""Views of filters: receptive fields by perturbation, patches at known places, and the pictures of it all."""

import json
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from firsthand import nn
from firsthand.cli import app
from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    Field,
    LayerGradient,
    Neighbours,
    UnitUse,
    feature_maps,
    gradient_lengths,
    gradient_saliency,
    kernel_images,
    kernel_layers,
    layer_outputs,
    part_named,
    plots_inside,
    receptive_field,
    strongest,
    unit_use,
    weight_histograms,
)
from firsthand.models import Ensemble, Model

pytestmark = pytest.mark.usefixtures("compiled_quickly")

ROW = nn.Network(
    (
        nn.ConvPool(2, (3, 2), pool=(2, 1), padding=1, activation=nn.linear),
        nn.BatchNorm(),
        nn.Residual((nn.Convolution(2, 3, padding=1, activation=nn.linear), nn.Activation(nn.linear))),
        nn.AveragePool(3, stride=2),
        nn.Softmax(2),
    ),
    (12, 9, 1),
)
SIDE_BY_SIDE = nn.Network(
    (
        nn.Concatenate(
            (
                (nn.Convolution(1, 3, padding=1, activation=nn.linear),),
                (nn.Convolution(1, 5, padding=2, activation=nn.linear),),
            )
        ),
        nn.Softmax(2),
    ),
    (7, 7, 1),
)

UNLIKE = nn.Network(  # rows and columns have their own stride and padding, and the last column is seen by nobody
    (
        nn.Convolution(2, (3, 2), stride=(2, 1), padding=(2, 0), activation=nn.linear),
        nn.LayerNorm(),
        nn.LocalResponseNormalization(3, alpha=1.0),
        nn.LocallyConnected(2, (1, 2), padding=(0, 1), activation=nn.linear),
        nn.MaxPool((2, 3), stride=(1, 2), padding=(1, 0)),
        nn.AveragePool(2, stride=1, padding=1),
        nn.Softmax(2),
    ),
    (9, 10, 2),
)


def changed_by(outputs, shape):
    """The pixels that change a unit: its outputs for a black image, and for one with each pixel very bright or dark."""
    moved = np.any(np.abs(outputs[1:] - outputs[0]) > 1e-3, axis=-1).reshape(2, *shape).any(axis=0)
    rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
    return Field(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


@pytest.mark.parametrize("network", [ROW, SIDE_BY_SIDE, UNLIKE])
def test_receptive_fields_are_what_perturbations_reach(network):
    model = Model(network, network.init(key=jax.random.key(0)), ("a", "b"))
    height, width, channels = network.input_shape
    pixels = np.eye(height * width, dtype=np.float32).reshape(-1, height, width, 1)
    # not the same in all channels: a normalization would see no change
    pixels = pixels * np.arange(1, channels + 1, dtype=np.float32) / channels
    found = layer_outputs(model, np.concatenate([0 * pixels[:1], pixels, -pixels]))
    looked_at = 0
    for name, a in found.items():
        if a.ndim != 4:
            continue
        _, rows, columns, _ = a.shape
        for row, column in {(0, 0), (rows // 2, columns // 2), (rows - 1, columns - 1)}:
            field = receptive_field(network, name, row, column)
            inside = Field(max(0, field.top), min(height, field.bottom), max(0, field.left), min(width, field.right))
            assert changed_by(a[:, row, column], (height, width)) == inside, (name, row, column)
            looked_at += 1
    assert looked_at > 8


@pytest.mark.tiny
def test_receptive_fields_of_the_book():
    network = nn.Network((nn.ConvPool(20), nn.ConvPool(40), nn.FullyConnected(100), nn.Softmax(10)))
    assert receptive_field(network, 1) == (0, 6, 0, 6)  # 5x5 kernels at 2x2 places
    assert receptive_field(network, 2) == (0, 16, 0, 16)
    assert receptive_field(network, 2, 3, 1) == (12, 28, 4, 20)
    assert receptive_field(network, 3) == receptive_field(network, -1) == (0, 28, 0, 28)
    padded = nn.Network((nn.Convolution(1, 3, padding=1), nn.SqueezeExcite(1), nn.Convolution(1, 3), nn.Softmax(2)))
    assert receptive_field(padded, 1) == (-1, 2, -1, 2)
    assert receptive_field(padded, 3) == (-1, 29, -1, 29)  # what is squeezed saw everything, padding included
    assert receptive_field(padded, 4) == (0, 28, 0, 28)
    with pytest.raises(FirsthandError, match=r"unit \(12, 0\) of 12x12 in '1 ConvPool'"):
        receptive_field(network, 1, 12, 0)
    with pytest.raises(FirsthandError, match="expected images"):
        receptive_field(nn.Network((nn.Softmax(2),), (4,)), 1)


@dataclass(frozen=True)
class Unit(nn.Layer):
    """A normalization of somebody's own: every position with length 1 over its channels.  It answers nothing."""

    epsilon: float = 1e-3

    def apply(self, params, x, *, key=None, train=False):
        return x / jnp.sqrt(self.epsilon + jnp.sum(x * x, -1, keepdims=True))


@dataclass(frozen=True)
class AnsweringUnit(Unit):
    def seen(self, field, input_shape):
        return field


def test_a_layer_of_ones_own_that_answers_is_seen_through_and_one_that_does_not_is_unknown():
    def network(norm):
        return nn.Network((nn.Convolution(2, 3, activation=nn.linear), norm, nn.MaxPool(2), nn.Softmax(2)), (8, 8, 1))

    field = receptive_field(network(AnsweringUnit()), 3, 1, 0)
    assert (field, field.known) == ((2, 6, 0, 4), True)
    unknown = receptive_field(network(Unit()), 3, 1, 0)
    assert (unknown, unknown.known) == ((0, 8, 0, 8), False)
    assert repr(unknown) == "UnknownField(top=0, bottom=8, left=0, right=8)"
    assert receptive_field(network(Unit()), 1).known  # what stands before it is known
    assert not receptive_field(nn.Network((nn.Residual((Unit(),)), nn.Softmax(2)), (8, 8, 1)), 1).known
    both = nn.Concatenate(((nn.MaxPool(3, 1, 1),), (Unit(),)))
    assert not receptive_field(nn.Network((both, nn.Softmax(2)), (8, 8, 1)), 1).known
    # it is right to see through the one that answers
    model = network(AnsweringUnit())
    model = Model(model, model.init(key=jax.random.key(0)), ("a", "b"))
    pixels = np.eye(64, dtype=np.float32).reshape(-1, 8, 8, 1)
    found = layer_outputs(model, np.concatenate([0 * pixels[:1], pixels, -pixels]), [3])["3 MaxPool"]
    assert changed_by(found[:, 1, 0], (8, 8)) == field
    data = Dataset(np.zeros((3, 8, 8, 1), np.uint8), np.zeros(3, int), ("a", "b"))
    blind = Model(network(Unit()), model.params, ("a", "b"))
    assert strongest(blind, data, 3, count=1).patches.shape == (2, 1, 8, 8, 1)


CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


def crosses():
    """A network whose first filter looks for crosses, and images of which some have one."""
    network = nn.Network((nn.ConvPool(2, 3), nn.Softmax(2)), (8, 8, 1))
    params = list(network.init(key=jax.random.key(0)))
    kernels = np.stack([CROSS - 0.5, -np.ones((3, 3))], axis=-1)[:, :, None]
    params[0] = {"weights": jnp.asarray(kernels, jnp.float32), "bias": jnp.zeros(2)}
    images = np.random.default_rng(0).integers(0, 60, (12, 8, 8, 1), dtype=np.uint8)
    images[5, 2:5, 3:6, 0] = 255 * CROSS
    images[9, 4:7, 1:4, 0] = 200 * CROSS
    data = Dataset(images, np.zeros(12, int), ("a", "b"))
    return Model(network, tuple(params), data.classes), data


def test_a_filter_that_looks_for_crosses_finds_them():
    model, data = crosses()
    found = strongest(model, data, count=3)
    assert found.name == "1 ConvPool"
    assert found.images[0, :2].tolist() == [5, 9]
    assert found.values[0, 0] == pytest.approx(2.5)  # five pixels of 1, times 1/2; four of 0, times -1/2
    # the pooling window begins at an even place: the cross at (2, 3) is in the field of the unit at (2, 2)
    assert found.fields[0][0] == (2, 6, 2, 6)
    np.testing.assert_array_equal(found.patches[0, 0], data.images[5, 2:6, 2:6])
    assert found.fields[0][1] == (4, 8, 0, 4)
    assert found.patches.shape == (2, 3, 4, 4, 1)
    assert np.all(np.diff(found.values, axis=1) <= 0)
    assert strongest(model, data, count=50).images.shape == (2, 12)
    with pytest.raises(FirsthandError, match="count is 0"):
        strongest(model, data, count=0)


def test_patches_beyond_the_edge_are_filled_up_and_units_see_images():
    network = nn.Network((nn.Convolution(1, 3, padding=1), nn.FullyConnected(4), nn.Softmax(2)), (8, 8, 1))
    params = list(network.init(key=jax.random.key(0)))
    params[0] = {"weights": jnp.zeros((3, 3, 1, 1)).at[2, 2].set(1.0), "bias": jnp.zeros(1)}
    image = np.zeros((1, 8, 8, 1), np.uint8)
    image[0, 0, 0] = 255  # seen by the unit at (-1, -1), which is not there, so that all answer alike
    image[0, 0, 7] = 9
    model, data = Model(network, tuple(params), ("a", "b")), Dataset(image, np.zeros(1, int), ("a", "b"))
    edge = strongest(model, data, count=1)
    assert edge.fields[0][0] == (-1, 2, -1, 2)
    assert edge.patches[0, 0, :, :, 0].tolist() == [[0, 0, 0], [0, 255, 0], [0, 0, 0]]
    np.testing.assert_array_equal(strongest(model, data, 2, count=1).patches[3, 0], image[0])


def test_kernels_and_feature_maps():
    model, data = crosses()
    np.testing.assert_allclose(kernel_images(model)[0, :, :, 0], CROSS - 0.5)
    maps = feature_maps(model, data.images[5])
    assert maps.shape == (2, 3, 3)
    assert np.unravel_index(maps[0].argmax(), (3, 3)) == (1, 1)
    assert kernel_layers(model.network) == ("1 ConvPool",)
    with pytest.raises(FirsthandError, match="'2 Softmax': it has no kernels; layers that have: 1 ConvPool"):
        kernel_images(model, 2)
    with pytest.raises(FirsthandError, match=r"its output has shape \(2,\), expected feature maps"):
        feature_maps(model, data.images[0], 2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("conv", "pool")), st.integers(1, 3), st.integers(1, 2)), max_size=4),
    st.data(),
)
def test_fields_of_neighbours_are_one_step_apart(sizes, choice):
    layers = [nn.Convolution(1, k, stride=d) if kind == "conv" else nn.MaxPool(k, stride=d) for kind, k, d in sizes]
    network = nn.Network((*layers, nn.Dropout(0.5), nn.Softmax(2)), (64, 64, 1))
    height, width, _ = network.shapes[-2]
    name = f"{len(layers) + 1} Dropout"
    row, column = choice.draw(st.integers(0, height - 2)), choice.draw(st.integers(0, width - 2))
    here, there = receptive_field(network, name, row, column), receptive_field(network, name, row + 1, column + 1)
    step = int(np.prod([d for _, _, d in sizes]))
    assert np.subtract(there, here).tolist() == [step] * 4
    assert 0 <= here.top < here.bottom <= 64
    assert part_named(network, name).layer == nn.Dropout(0.5)


def drawn(figure):
    figure.canvas.draw()
    return figure


def test_every_picture_can_be_drawn():
    model, data = crosses()
    gradients = drawn(plots_inside.plot_gradients([*gradient_lengths(model.network, model.params, data)]))
    assert [label.get_text() for label in gradients.axes[0].get_yticklabels()] == ["1 ConvPool", "2 Softmax"]
    drawn(plots_inside.plot_gradients([LayerGradient("a", 0, 0)]))
    speed = drawn(plots_inside.plot_learning_speed([1, 2], {"1 a": [0.1, 0.2], "2 b": [1, 0]}))
    assert speed.axes[0].get_yscale() == "log"
    assert len(drawn(plots_inside.plot_units(unit_use(model, data))).axes) == 1
    always = UnitUse("1 a", "sigmoid", np.ones(3), 5)
    assert "always: 3 of 3 units" in drawn(plots_inside.plot_units([always] * 4)).axes[0].get_title()
    assert len(drawn(plots_inside.plot_weights(weight_histograms(model))).axes) == 2
    assert "2 kernels" in drawn(plots_inside.plot_kernels(kernel_images(model)))._suptitle.get_text()  # type: ignore
    many = drawn(plots_inside.plot_kernels(np.zeros((30, 3, 3, 8)), at_most=100))
    assert len([axes for axes in many.axes if axes.images]) == 12 * 8  # whole rows
    drawn(plots_inside.plot_feature_maps(data.images[0], feature_maps(model, data.images[0]), "1 ConvPool"))
    drawn(plots_inside.plot_strongest(strongest(model, data)))
    drawn(plots_inside.plot_saliency(data.images[:2], {"a": -np.ones((2, 8, 8)), "b": np.zeros((2, 8, 8))}, ["x", "y"]))
    drawn(plots_inside.plot_neighbours(data.images[:2], Neighbours(model, data).nearest(data.images[:2], 3), data))


@pytest.mark.parametrize("channels", [2, 3])
def test_pictures_in_colour_can_be_drawn(channels):
    layers = (nn.Convolution(4, (3, 2), stride=(1, 2), padding=(1, 0)), nn.MaxPool(3, 1, padding=1), nn.Softmax(2))
    network = nn.Network(layers, (6, 8, channels))
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 8, channels), dtype=np.uint8)
    model, data = (
        Model(network, network.init(key=jax.random.key(0)), ("a", "b")),
        Dataset(images, np.zeros(5, int), ("a", "b")),
    )
    assert kernel_images(model).shape == (4, 3, 2, channels)
    drawn(plots_inside.plot_kernels(kernel_images(model)))
    for layer, patch in ((1, (3, 2)), (2, (5, 6)), (3, (6, 8))):
        found = strongest(model, data, layer, count=2)
        assert found.patches.shape == (found.values.shape[0], 2, *patch, channels)
        first, field = int(found.images[0, 0]), found.fields[0][0]
        seen = found.patches[0, 0][-min(field.top, 0) :, -min(field.left, 0) :][: 6 - field.top, : 8 - field.left]
        top, left = max(field.top, 0), max(field.left, 0)
        np.testing.assert_array_equal(seen, images[first, top : top + len(seen), left : left + seen.shape[1]])
        drawn(plots_inside.plot_strongest(found))
    drawn(plots_inside.plot_feature_maps(images[0], feature_maps(model, images[0])))
    drawn(plots_inside.plot_saliency(images, {"slope": gradient_saliency(model, images)}))
    drawn(plots_inside.plot_neighbours(images[:2], Neighbours(model, data).nearest(images[:2], 2), data))


def inspect(*arguments):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def test_the_command_writes_pictures_and_numbers(tmp_path):
    model, data = crosses()
    np.savez(tmp_path / "crosses.npz", images=data.images, labels=data.labels)
    path = Ensemble((model, model)).save(tmp_path / "model.safetensors")
    done = inspect(
        "--model",
        path,
        "--data",
        tmp_path / "crosses.npz",
        "--out",
        tmp_path / "out",
        "--shown",
        2,
        "--json",
    )
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.output)
    pictures = {"gradients", "weights", "units", "kernels_1", "feature_maps_1", "strongest_1", "saliency", "neighbours"}
    pictures.add("projected_1")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"inspect.json", *(f"{p}.png" for p in pictures)}
    assert numbers["images"] == 12
    assert numbers["units"] == [str(unit_use(model, data)[0])]
    assert [row["layer"] for row in numbers["gradients"]] == ["1 ConvPool", "2 Softmax"]
    for wrong, said in ((("--member", 3), "--member: found 3"), (("--images", 0), "--images: found 0")):
        refused = inspect("--model", path, "--data", tmp_path / "crosses.npz", "--out", tmp_path / "no", *wrong)
        assert isinstance(refused.exception, FirsthandError)
        assert said in str(refused.exception)
    assert not (tmp_path / "no").exists()
