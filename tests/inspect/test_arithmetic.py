"""The arithmetic of a unit, written out, gives what the network computes."""

import jax
import numpy as np
import pytest

from firsthand import FirsthandError, Model, Network, nn
from firsthand.inspect import before_pooling, layer_outputs, unit_arithmetic

FUNCTIONS = {
    "relu": lambda z: max(z, 0.0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "": lambda z: z,
}


def model_of(*layers, shape=(10, 9, 1)):
    network = Network(layers, shape)
    return Model(network, network.init(key=jax.random.key(3)), tuple("abc"))


@pytest.fixture(scope="module")
def model():
    return model_of(
        nn.ConvPool(4, 3, padding=1, activation=nn.sigmoid, bias_init=nn.large),
        nn.Convolution(3, 2, stride=2, bias_init=nn.large),
        nn.MaxPool(2, 1),
        nn.FullyConnected(5, nn.tanh, bias_init=nn.large),
        nn.Dropout(0.5),
        nn.Softmax(3),
    )


@pytest.fixture(scope="module")
def unlike():
    """Rows and columns have their own strides and padding, channels their own groups."""
    return model_of(
        nn.Convolution(4, (3, 2), stride=(2, 1), padding=(0, 1), bias_init=nn.large),
        nn.Convolution(6, 2, groups=2, activation=nn.tanh, bias_init=nn.large),
        nn.MaxPool((2, 3), stride=(1, 2), padding=1),
        nn.LocallyConnected(2, (2, 1), stride=(1, 2), padding=(1, 0), bias_init=nn.large),
        nn.Softmax(3),
    )


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(5).integers(0, 256, (10, 9, 1)).astype(np.uint8)


@pytest.mark.parametrize("layer", [1, 2, 3, 4, 5])
def test_every_unit_is_the_activation_of_its_sum(model, image, layer):
    outputs = list(layer_outputs(model, image[None]).values())[layer - 1][0]
    for unit in list(np.ndindex(outputs.shape))[::7]:
        found = unit_arithmetic(model, image, layer, unit)
        assert found.output == outputs[unit]
        if found.weights.size:
            z = float(np.sum(found.inputs.astype(np.float64) * found.weights)) + found.bias
            assert found.z == pytest.approx(z, abs=1e-5)
            assert FUNCTIONS[found.activation](z) == pytest.approx(found.output, abs=1e-5)
        if found.kept is not None:
            assert found.window[found.kept] == found.window.max()
            assert found.z == pytest.approx(float(found.window.max()), abs=1e-5)


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
def test_rows_columns_and_groups_of_their_own(unlike, image, layer):
    test_every_unit_is_the_activation_of_its_sum(unlike, image, layer)
    if layer == 3:
        outputs = layer_outputs(unlike, image[None], [3])["3 MaxPool"][0]
        for channel in range(6):
            values, kept = before_pooling(unlike, image, 3, channel)
            assert set(values[kept].tolist()) == set(outputs[..., channel].ravel().tolist())


def test_softmax_shows_its_weighted_inputs(model, image):
    z = model.weighted_inputs(image[None])[0]
    found = [unit_arithmetic(model, image, -1, (unit,)) for unit in range(3)]
    np.testing.assert_allclose([each.z for each in found], z, atol=1e-5)
    assert {each.activation for each in found} == {"softmax"}
    assert sum(each.output for each in found) == pytest.approx(1)


@pytest.mark.parametrize("layer", [1, 3])
def test_pooling_keeps_one_of_each_window(model, image, layer):
    outputs = list(layer_outputs(model, image[None]).values())[layer - 1][0]
    for channel in range(outputs.shape[-1]):
        values, kept = before_pooling(model, image, layer, channel)
        function = FUNCTIONS["sigmoid" if layer == 1 else ""]
        found = sorted({round(float(function(v)), 5) for v in values[kept]})
        assert found == pytest.approx(sorted(np.unique(np.round(outputs[..., channel], 5)).tolist()), abs=2e-5)
    values, kept = before_pooling(model, image, 1, 0)
    assert values.shape == (10, 9)
    assert kept[:10, :8].reshape(5, 2, 4, 2).sum((1, 3)).tolist() == np.ones((5, 4), int).tolist()
    assert not kept[:, 8].any()  # does not fill a window


@pytest.mark.parametrize(
    ("layer", "unit", "message"),
    [
        (1, (5, 0, 0), "unit: found (5, 0, 0), expected a place in '1 ConvPool', (5, 4, 4)"),
        (4, (0, 0), "unit: found (0, 0), expected a place in '4 FullyConnected', (5,)"),
        (4, (-1,), "unit: found (-1,)"),
        (9, (0,), "layer: found 9, expected one of 1 ConvPool"),
    ],
)
def test_a_unit_that_is_not_there_is_refused(model, image, layer, unit, message):
    with pytest.raises(FirsthandError) as refused:
        unit_arithmetic(model, image, layer, unit)
    assert message in str(refused.value)


def test_what_does_not_pool_and_what_is_inside_of_another_is_refused(model, image):
    with pytest.raises(FirsthandError, match="'2 Convolution': it does not pool"):
        before_pooling(model, image, 2, 0)
    with pytest.raises(FirsthandError, match="channel: found 4, expected 0 to 3"):
        before_pooling(model, image, 1, 4)
    nested = model_of(nn.Residual((nn.Convolution(1, 3, padding=1),)), nn.Softmax(3))
    with pytest.raises(FirsthandError, match="inside of another"):
        unit_arithmetic(nested, image, "1 Residual / 1 Convolution", (0, 0, 0))
    assert unit_arithmetic(nested, image, 1, (0, 0, 0)).weights.size == 0
