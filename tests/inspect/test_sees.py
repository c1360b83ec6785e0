"""Tests of what units see: projections against a deconvnet written out, images that units like, maps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.inspect import (
    deconvolved,
    layer_outputs,
    map_of,
    maximised,
    project_strongest,
    share_of_neighbours,
    total_variation,
)
from firsthand.models import Model

pytestmark = pytest.mark.usefixtures("compiled_quickly")

NETWORK = nn.Network(
    (
        nn.ConvPool(3, 3, weights_init=nn.he),
        nn.ConvPool(4, 2, pool=1, weights_init=nn.he),
        nn.FullyConnected(5, nn.relu, weights_init=nn.he),
        nn.Softmax(2, weights_init=nn.he),
    ),
    (8, 8, 1),
)
MODEL = Model(NETWORK, NETWORK.init(key=jax.random.key(0)), ("a", "b"))
IMAGES = np.random.default_rng(0).random((3, 8, 8, 1)).astype(np.float32)


def convolved(x, w, b):
    kh, kw, _, filters = w.shape
    z = np.zeros((x.shape[0] - kh + 1, x.shape[1] - kw + 1, filters))
    for i, j in np.ndindex(*z.shape[:2]):
        z[i, j] = np.tensordot(x[i : i + kh, j : j + kw], w, 3) + b
    return z


def transposed(signal, w, shape):
    x = np.zeros(shape)
    for i, j in np.ndindex(*signal.shape[:2]):
        x[i : i + w.shape[0], j : j + w.shape[1]] += w @ signal[i, j]
    return x


def by_hand(image, channel):
    """The paper's steps one by one, for the second layer of NETWORK."""
    first, second = (({name: np.asarray(a, float) for name, a in p.items()}) for p in MODEL.params[:2])
    z1 = convolved(image, first["weights"], first["bias"])
    switches = {}
    a1 = np.zeros((z1.shape[0] // 2, z1.shape[1] // 2, z1.shape[2]))
    for i, j, f in np.ndindex(*a1.shape):
        window = z1[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, f]
        di, dj = np.unravel_index(window.argmax(), window.shape)
        switches[i, j, f] = (2 * i + di, 2 * j + dj, f)
        a1[i, j, f] = max(window.max(), 0)
    a2 = np.maximum(convolved(a1, second["weights"], second["bias"]), 0)
    signal = np.zeros_like(a2)
    place = np.unravel_index(a2[..., channel].argmax(), a2.shape[:2])
    signal[(*place, channel)] = a2[(*place, channel)]
    s1 = np.maximum(transposed(signal, second["weights"], a1.shape), 0)
    unpooled = np.zeros_like(z1)
    for at, switch in switches.items():
        unpooled[switch] += s1[at]
    return transposed(unpooled, first["weights"], image.shape)


def test_a_projection_is_the_paper_step_by_step():
    channels = np.array([0, 1, 3])
    found = deconvolved(MODEL, IMAGES, 2, channels)
    for image, channel, projection in zip(IMAGES, channels, found, strict=True):
        np.testing.assert_allclose(projection, by_hand(image, channel), atol=1e-5)


def test_layers_apart_project_like_those_in_one():
    apart = nn.Network(
        (
            nn.Convolution(3, 3, activation=nn.linear),
            nn.MaxPool(2),
            nn.Activation(nn.relu),
            nn.Convolution(4, 2),
            *NETWORK.layers[2:],
        ),
        (8, 8, 1),
    )
    first, *rest = MODEL.params
    model = Model(apart, (first, {}, {}, *rest), ("a", "b"))
    channels = np.array([3, 2, 0])
    np.testing.assert_allclose(
        deconvolved(model, IMAGES, 4, channels), deconvolved(MODEL, IMAGES, 2, channels), atol=1e-5
    )


def test_the_strongest_places_are_projected_within_their_fields():
    data = Dataset(np.rint(255 * IMAGES).astype(np.uint8), np.zeros(3, int), ("a", "b"))
    found = project_strongest(MODEL, data, 1, 2)
    assert found.patches.shape == found.found.patches.shape == (3, 2, 4, 4, 1)
    whole = deconvolved(MODEL, data.images[found.found.images[1, :1]], 1, np.array([1]))[0]
    field = found.found.fields[1][0]
    np.testing.assert_allclose(found.patches[1, 0], whole[field.top : field.bottom, field.left : field.right])
    assert np.abs(whole).sum() == pytest.approx(np.abs(found.patches[1, 0]).sum())


def test_units_of_any_layer_are_projected():
    found = deconvolved(MODEL, IMAGES, 3, np.array([0, 1, 4]))
    (a,) = layer_outputs(MODEL, IMAGES, [3]).values()
    assert found.shape == IMAGES.shape
    assert np.all((np.abs(found).sum((1, 2, 3)) > 0) == (a[np.arange(3), [0, 1, 4]] > 0))


def test_total_variation_is_the_sum_of_the_lengths_of_slopes():
    step = np.zeros((1, 5, 6, 1), np.float32)
    step[:, :, 3:] = 1
    assert float(total_variation(jnp.asarray(step))[0]) == pytest.approx(4, rel=1e-2)
    assert float(total_variation(jnp.zeros((1, 5, 6, 1)))[0]) == 0


def test_an_image_that_a_unit_likes_excites_it_and_the_penalty_makes_it_smooth():
    plain, smooth = (maximised(MODEL, key=jax.random.key(0), smoothness=s, steps=40) for s in (0.0, 1.0))
    assert plain.shape == (2, 8, 8, 1)
    start = MODEL.weighted_inputs(np.zeros((2, 8, 8, 1), np.float32))
    assert np.all(np.diag(MODEL.weighted_inputs(plain)) > np.diag(start))
    assert total_variation(jnp.asarray(smooth)).sum() < total_variation(jnp.asarray(plain)).sum()
    assert maximised(MODEL, 1, np.array([2]), key=jax.random.key(0), steps=2).shape == (1, 8, 8, 1)


def test_maps_keep_what_is_apart_apart():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 10)
    vectors = 20 * np.eye(3)[labels] @ rng.normal(size=(3, 4)) + 0.1 * rng.normal(size=(30, 4))
    for method in ("pca", "tsne"):
        points = map_of(vectors, method)
        assert points.shape == (30, 2)
        assert share_of_neighbours(points, labels) == 1
    assert share_of_neighbours(rng.normal(size=(30, 2)), labels) < 0.7


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (lambda: deconvolved(MODEL, IMAGES, 2, np.array([0, 1, 4])), "channels: 0 to 4"),
        (lambda: deconvolved(MODEL, IMAGES, 2, np.array([0])), r"expected integers \(3,\)"),
        (lambda: maximised(MODEL, units=np.array([2]), key=jax.random.key(0)), "units .2., expected"),
        (lambda: map_of(np.zeros((9, 3)), "umap"), "method is 'umap'"),  # type: ignore[arg-type]
        (lambda: map_of(np.zeros((3, 3))), "3 vectors found"),
    ],
)
def test_what_does_not_fit_is_said(asked, line):
    with pytest.raises(FirsthandError, match=line):
        asked()


def test_a_layer_within_another_is_refused():
    network = nn.Network((nn.Residual((nn.Convolution(1, 3, padding=1),)), nn.Softmax(2)), (4, 4, 1))
    model = Model(network, network.init(key=jax.random.key(0)), ("a", "b"))
    with pytest.raises(FirsthandError, match="within another"):
        deconvolved(model, np.zeros((1, 4, 4, 1), np.uint8), "1 Residual / 1 Convolution", np.array([0]))
