"""The networks of chapter 6's survey: their arithmetic, and their studies shortened."""

import numpy as np
import pytest

from firsthand import nn
from firsthand.experiments.experiment import Measured, Run
from firsthand.studies import googlenet, ksh, unsupervised
from firsthand.zoo import INCEPTION_SMALL, KSH_SMALL, image_net

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.mark.tiny
def test_ksh_is_the_network_of_the_paper():
    network = image_net.ksh()
    assert network.parameter_count == 60_965_224
    assert tuple(googlenet.described(network)) == ksh.KSH_SHAPES
    convolutions = [layer for layer in network.layers if isinstance(layer, nn.Convolution)]
    assert [layer.groups for layer in convolutions] == [1, 2, 1, 2, 2]


@pytest.mark.tiny
def test_googlenet_is_the_network_of_the_paper(tmp_path):
    (experiment,) = (each for each in googlenet.EXPERIMENTS if each.id == "googlenet-shapes")
    found = experiment.measure(Run(0, False, tmp_path))
    assert found.numbers["parameters"] == 6_998_552  # with biases, as Caffe's description of it has them
    assert found.numbers["parameters_with_auxiliary_classifiers"] == 13_378_280
    assert found.numbers["layers_with_parameters"] == 22
    assert experiment.claims[0].check([found]).holds
    wrong = Measured({}, {"shapes": [[1, 1, 1], *found.arrays["shapes"][1:]]})
    assert not experiment.claims[0].check([wrong]).holds


@pytest.mark.tiny
def test_the_small_ones_are_small():
    networks = [nn.Network(recipe.layers) for recipe in (KSH_SMALL, INCEPTION_SMALL)]
    assert [network.parameter_count < 500_000 for network in networks] == [True, True]
    assert networks[0].shapes[1] == (24, 24, 1)


@pytest.mark.tiny
def test_edges_are_localised_and_oriented_and_noise_is_not():
    y, x = np.mgrid[:14, :14] - 6.5
    angles = np.linspace(0, np.pi, 5)[:, None, None]
    along = np.cos(angles) * x + np.sin(angles) * y
    gabors = np.exp(-(x**2 + y**2) / 8) * np.cos(1.2 * along)
    spot = np.exp(-(x**2 + y**2) / 8)[None]
    noise = np.random.default_rng(0).normal(size=(20, 14, 14))
    assert unsupervised.elongation(gabors).min() > 0.6
    assert unsupervised.elongation(spot).max() < 0.05
    assert unsupervised.spread(gabors).max() < 3 < unsupervised.spread(noise).min()
    localised, oriented = unsupervised._beyond_chance(np.concatenate([gabors, noise]), np.random.default_rng(1))
    assert localised[:5].all()
    assert oriented[:5].all()
    assert (localised & oriented)[5:].mean() < 0.1


@pytest.mark.tiny
def test_a_unit_that_tells_a_digit_is_found_by_validation_images():
    labels = np.arange(1000) % 10
    random = np.random.default_rng(0).normal(size=(1000, 6))
    random[:, 4] -= 3.0 * (labels == 7)  # a unit may say it by falling silent
    assert unsupervised._tells(random, random, labels, labels, 7) > 0.9
    assert unsupervised._tells(random, random, labels, labels, 3) < 0.7


@pytest.mark.tiny
def test_epochs_to_a_quarter_wrong():
    assert ksh._epochs_to_target([0.75]) == pytest.approx(1.0)
    assert ksh._epochs_to_target([0.5, 1.0]) == pytest.approx(1.5)
    assert ksh._epochs_to_target([0.2, 0.3]) == 3.0


@pytest.mark.tiny
def test_an_ingredient_counts_when_it_is_beyond_the_spread():
    def runs(*pairs):
        return [Measured({"whole_test_accuracy": a, "no_dropout_test_accuracy": b}) for a, b in pairs]

    assert ksh._loses("no_dropout", runs((0.92, 0.91), (0.921, 0.912), (0.919, 0.91))).holds
    assert not ksh._loses("no_dropout", runs((0.92, 0.93), (0.92, 0.91), (0.92, 0.921))).holds
