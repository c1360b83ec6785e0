"""The networks of chapter 6's survey: their arithmetic, and their studies shortened."""

import jax
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.learning import History
from firsthand.models import Model
from firsthand.models.numbers import outputs_of_numbers
from firsthand.studies import googlenet, ksh, unsupervised, whole_numbers
from firsthand.zoo import INCEPTION_SMALL, KSH_SMALL, image_net

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.mark.tiny
def test_ksh_is_the_network_of_the_paper():
    network = image_net.ksh()
    assert network.parameter_count == 60_965_224
    assert tuple(googlenet.described(network)) == ksh.KSH_SHAPES
    convolutions = [layer for layer in network.layers if isinstance(layer, nn.Convolution)]
    assert [layer.groups for layer in convolutions] == [1, 2, 1, 2, 2]


def test_googlenet_is_the_network_of_the_paper(tmp_path):
    (experiment,) = (each for each in googlenet.EXPERIMENTS if each.id == "googlenet-shapes")
    found = experiment.measure(Run(0, False, tmp_path))
    assert found.numbers["parameters"] == 6_998_552  # with biases, as Caffe's description of it has them
    assert found.numbers["parameters_with_auxiliary_classifiers"] == 13_378_280
    assert found.numbers["layers_with_parameters"] == 22
    assert experiment.claims[0].finding([found], {}).holds
    wrong = Measured({}, {"shapes": [[1, 1, 1], *found.arrays["shapes"][1:]]})
    assert not experiment.claims[0].finding([wrong], {}).holds


@pytest.mark.tiny
def test_the_small_ones_are_small():
    networks = [nn.Network(recipe.layers) for recipe in (KSH_SMALL, INCEPTION_SMALL)]
    assert [network.parameter_count < 500_000 for network in networks] == [True, True]
    assert networks[0].shapes[1] == (24, 24, 1)


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
    localised, oriented = unsupervised.beyond_chance(np.concatenate([gabors, noise]), np.random.default_rng(1))
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
        return [Measured({"dropout_test_accuracy": a, "recipe_test_accuracy": b}) for a, b in pairs]

    assert ksh._gains("dropout", "recipe", runs((0.92, 0.91), (0.921, 0.912), (0.919, 0.91))).holds
    assert not ksh._gains("dropout", "recipe", runs((0.92, 0.93), (0.92, 0.91), (0.92, 0.921))).holds


class Untrained:
    """A stand-in for what `trained` returns, without the training."""

    def __init__(self, layers, data):
        network = nn.Network(layers, data.train.example_shape)
        scores = {"accuracies": {"training": 0.5, "validation": 0.5, "test": 0.5}}
        params = jax.device_get(network.init(key=jax.random.key(0)))
        self.model, self.history = Model(network, params, data.train.classes, scores), History()
        self.history.records.append({"validation_accuracy": 0.5, "training_accuracy": 0.8})


@pytest.fixture
def untrained(monkeypatch):
    """Small data in place of the clothes, and no training: what is done with it is what is tested."""
    digits = mnist()
    data = Splits(digits.train[:50], digits.validation[:20], digits.test[:20])
    asked = []

    def trained(run, layers, recipe, *, data, name="training", **more):
        asked.append((name, recipe))
        return Untrained((nn.Crop(24), nn.Softmax(10)), data)

    for module in (ksh, googlenet):
        monkeypatch.setattr(module, "fashion_mnist", lambda: data)
        monkeypatch.setattr(module, "trained", trained)
    return asked


def test_what_the_small_networks_are_asked(untrained, tmp_path):
    run = Run(0, True, tmp_path)
    found = ksh._train_small(run).numbers
    assert 0 <= found["ten_crop_test_accuracy"] <= found["ten_crop_top_5_accuracy"] <= 1
    assert 0 <= googlenet._train_small(run).numbers["mirrored_test_accuracy"] <= 1
    assert [recipe for _, recipe in untrained] == [KSH_SMALL.recipe, INCEPTION_SMALL.recipe]


def test_every_ingredient_is_tried_once(untrained, tmp_path):
    found = ksh._ablate(Run(0, True, tmp_path))
    sooner = {f"{f}-{r:g}" for f in ("relu", "tanh") for r in ksh.RATES}
    assert {name for name, _ in untrained} == {*ksh.TRIALS, *sooner}
    assert found.numbers["relu_epochs"] == pytest.approx((0.75 - 0.1) / 0.7)
    for experiment in (*ksh.EXPERIMENTS, *googlenet.EXPERIMENTS):
        if experiment.id == "ksh-ablation":
            assert all(claim.finding([found, found], {}).measured.zh for claim in experiment.claims)
    networks = [nn.Network(layers) for layers, _ in ksh.TRIALS.values()]
    assert len({str(network) for network in networks}) == 4  # the mirror is the recipe's
    assert ksh.TRIALS["no_mirror"][1].augment is None


def test_numbers_are_read_by_all_depths_and_by_the_page_reader(monkeypatch, tmp_path):
    small = nn.Network((nn.MaxPool(9), nn.FullyConnected(outputs_of_numbers(5), nn.linear)), (54, 54, 1))
    monkeypatch.setattr(whole_numbers, "network_of", lambda depth: small)
    monkeypatch.setattr(whole_numbers, "read_many", lambda pictures: [None for _ in pictures])
    found = whole_numbers._measure(Run(0, True, tmp_path))
    assert found.numbers["whole_by_page_reader"] == 0
    assert found.numbers["whole_3"] == found.numbers["whole_8"]
    (experiment,) = whole_numbers.EXPERIMENTS
    assert all(claim.finding([found], {}).measured.en for claim in experiment.claims)


@pytest.mark.tiny
def test_networks_of_numbers_have_their_depth():
    for depth in whole_numbers.DEPTHS:
        layers = whole_numbers.network_of(depth).layers
        assert sum(isinstance(layer, nn.ConvPool | nn.Convolution | nn.FullyConnected) for layer in layers) == depth + 1
