"""Studies of what fools networks, what they see, and transfer: from the measurement to the figure, on few images."""

import json

import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.figures import draw_figures
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.learning import Recipe
from firsthand.models import Model
from firsthand.studies import adversarial, adversarial_training, adversarial_why, common, deconvnet, fooling, transfer

pytestmark = pytest.mark.usefixtures("compiled_quickly")

MODULES = (adversarial, adversarial_training, adversarial_why, common, deconvnet, fooling, transfer)
EXPERIMENTS = {
    each.id: each
    for module in (adversarial, adversarial_why, adversarial_training, fooling, deconvnet, transfer)
    for each in module.EXPERIMENTS
}
SMALL = (nn.ConvPool(3, pool=4), nn.FullyConnected(8, nn.relu, weights_init=nn.he), nn.Softmax(10))


@pytest.fixture
def few(monkeypatch):
    """MNIST is short, and so are the lists of networks."""
    tiny = Splits(mnist().train[:300], mnist().validation[:100], mnist().test[:1000])
    for module in MODULES:
        for name in ("mnist", "fashion_mnist"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda: tiny)
    kinds = {"log-likelihood": ("cost", ""), "relu": ("activation", ""), "changed images": ("else", "adversarial")}
    linear, slow = (nn.Softmax(10),), adversarial_why.SLOWER
    some = {name: adversarial_why.Variant(kind, linear, slow, data) for name, (kind, data) in kinds.items()}
    monkeypatch.setattr(adversarial_why, "VARIANTS", some)
    monkeypatch.setattr(adversarial, "NETWORKS", {"fc10": ((nn.Softmax(10),), 10), "conv_pool": (SMALL, 10)})
    monkeypatch.setattr(adversarial, "PAIRS", {"fc a": ((nn.Softmax(10),), "a"), "fc b": ((nn.Softmax(10),), "b")})
    monkeypatch.setattr(adversarial, "CONV_RECIPE", Recipe(1, batch_size=10, learning_rate=0.1))
    for module in (fooling, deconvnet):
        monkeypatch.setattr(module, "CONV", SMALL)
    monkeypatch.setattr(fooling, "LAYERS", (*SMALL[:-1], nn.Softmax(11)))
    monkeypatch.setattr(deconvnet, "LAYERS", (1,))
    monkeypatch.setattr(deconvnet, "MAPPED", {"pixels": 0, "hidden": 2})


@pytest.mark.slow
@pytest.mark.parametrize("id", EXPERIMENTS)
def test_a_short_run_is_measured_concluded_and_drawn(few, id, tmp_path):
    if id == "deconvnet":
        pytest.importorskip("sklearn")
    experiment = EXPERIMENTS[id]
    measured = experiment.measure(Run(0, True, tmp_path, {}))
    check_measured(measured)
    record = json.loads(json.dumps(record_of(0, 1.0, measured, "a machine")))
    result = conclude(experiment, [record], {}, quick=True)
    drawn = draw_figures(experiment, result, {}, tmp_path)
    assert [path.stem for path in drawn] == [f"{id}-{drawing.name}" for drawing in experiment.drawings]
    if id not in ("deconvnet", "transfer-digits", "transfer-fashion"):
        # their claims compare layers and numbers of images that a short run does not have
        assert all(claim.finding([measured], {}).measured.zh for claim in experiment.claims)


def test_noise_goes_so_many_times_as_far_to_fool_half():
    half = adversarial_why._half_way
    assert half([0.0, 0.0, 0.25, 0.75, 1.0, 1.0]) == pytest.approx(np.sqrt(4 * 8))
    assert half([0.0, 0.5, 1.0, 1.0, 1.0, 1.0]) == 2
    assert half([0.9] * 6) == 1
    assert half([0.0] * 6) == 32


def test_the_slope_of_a_linear_network_foretells_the_distance_exactly():
    network = nn.Network((nn.Softmax(3, weights_init=nn.he),), (4, 4, 1))
    rng = np.random.default_rng(0)
    params = ({"weights": rng.normal(size=(16, 3)).astype(np.float32), "bias": np.zeros(3, np.float32)},)
    model, images = Model(network, params, ("a", "b", "c")), rng.integers(0, 256, (5, 4, 4, 1)).astype(np.uint8)
    labels, others = np.zeros(5, np.int32), np.ones(5, np.int32)
    distance, margins = adversarial_why._slopes(model, images, labels, others)
    z = model.weighted_inputs(images)
    np.testing.assert_allclose(margins, z[:, 0] - z[:, 1], rtol=1e-5)
    w = params[0]["weights"]
    np.testing.assert_allclose(distance, margins / np.linalg.norm(w[:, 0] - w[:, 1]), rtol=1e-5)


def test_few_images_of_each_class_are_drawn_and_trained_in_as_many_steps():
    few = transfer._few(mnist().train[:2000], 5, np.random.default_rng(0))
    assert few.class_counts().tolist() == [5] * 10
    for examples in (5, 25, 500, 2500):
        recipe = transfer._recipe(examples)
        steps = recipe.epochs * -(-examples // min(transfer.BATCH, examples))
        assert transfer.STEPS / 2 < steps <= transfer.STEPS


def test_the_adversarial_claims_tell_when_they_fail():
    names = [f"{n}_{k}" for n in adversarial.NETWORKS for k in ("fooled", "distortion", "fooled_by_noise")]
    found = Measured(dict.fromkeys(names, 0.01) | {f"{n}_fooled": 1.0 for n in adversarial.NETWORKS})
    claims = EXPERIMENTS["adversarial-minimal"].claims
    assert [claim.finding([found], {}).holds for claim in claims] == [True, True, True]
    missed = found._replace(numbers={**found.numbers, "fc10_fooled": 0.99, "conv_pool_distortion": 0.2})
    assert [claim.finding([missed], {}).holds for claim in claims] == [False, False, True]
