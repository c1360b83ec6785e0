"""A mistake in a layer of one's own is one line, where the network is made."""

from dataclasses import dataclass

import pytest

from examples.own_layer import Gain
from firsthand import nn
from firsthand.errors import FirsthandError

pytestmark = pytest.mark.tiny


@dataclass(frozen=True)
class Halved(Gain):
    """Its output is shorter than it says."""

    def apply(self, params, x, *, key=None, train=False):
        return x[:, ::2]


@dataclass(frozen=True)
class Unasked(Gain):
    """It takes no key."""

    def apply(self, params, x):  # pyright: ignore[reportIncompatibleMethodOverride]
        return x


@dataclass(frozen=True)
class Misspelt(Gain):
    """It asks for a parameter that it has not made."""

    def apply(self, params, x, *, key=None, train=False):
        return params["gian"] * x


@dataclass(frozen=True)
class Empty(nn.Layer):
    """It has no formula."""


def network(layer):
    return nn.Network((nn.FullyConnected(6), layer, nn.Softmax(3)), (4,))


def test_a_layer_that_does_what_it_says_is_accepted():
    assert network(Gain()).output_shape == (3,)


@pytest.mark.parametrize("outer", [nn.Residual((Gain(), Halved())), nn.Concatenate(((), (Gain(), Halved())))])
def test_one_inside_of_another_is_looked_at(outer):
    place = r"Residual 2|Concatenate 2\.2"
    with pytest.raises(FirsthandError, match=rf"layer 2 of 3, ({place}), Halved: an output of shape \(3,\)"):
        network(outer)


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (Halved(), r"layer 2 of 3, Halved: an output of shape \(3,\) found, \(6,\) expected: output_shape says so"),
        (Unasked(), r"layer 2 of 3, Unasked: TypeError: .*unexpected keyword argument.*; expected init, and apply\("),
        (Misspelt(), r"layer 2 of 3, Misspelt: KeyError: 'gian'; expected init, and apply\("),
        (Empty(), r"layer 2 of 3, Empty: no formula found, expected apply\(self, params, x, "),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Layer) else "",
)
def test_one_that_does_not_is_named(layer, line):
    with pytest.raises(FirsthandError, match=line):
        network(layer)
