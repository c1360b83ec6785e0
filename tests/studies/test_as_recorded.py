"""The author's own runs: the first epochs repeated here and now, and when two curves have parted."""

import contextlib
import io
import random

import numpy as np
import pytest

from firsthand.book import mnist_loader, network2, python2
from firsthand.experiments.experiment import Measured, Run
from firsthand.studies import as_recorded
from firsthand.studies.as_recorded import PARTS, epochs_alike, recorded


@pytest.mark.tiny
def test_all_curves_are_there():
    assert recorded().keys() == {part.name for part in PARTS}
    for part in PARTS:
        assert recorded()[part.name].keys() == set(part.kinds)
        assert {len(curve) for curve in recorded()[part.name].values()} == {part.epochs}
    # the numbers that chapter 3 names
    assert max(recorded()["overfitting"]["evaluation_accuracy"]) == 8227
    assert max(recorded()["regularized_full"]["evaluation_accuracy"]) == 9649


@pytest.mark.tiny
def test_curves_part_where_a_count_or_a_cost_does():
    theirs = {"training_cost": [3.0, 2.0, 1.0], "evaluation_accuracy": [7, 8, 9]}
    for ours, alike in (
        ({"training_cost": [3.0, 2.0 + 1e-9, 1.0]}, 3),
        ({"training_cost": [3.0, 2.0 + 1e-5, 1.0]}, 1),
        ({"training_cost": [3.0, 2.0, 1.0], "evaluation_accuracy": [7, 8, 8]}, 2),
        ({"evaluation_accuracy": [6, 8, 9]}, 0),
        ({"evaluation_accuracy": [7]}, 1),
    ):
        assert epochs_alike(ours, theirs) == alike


def test_his_seed_repeats_his_first_epochs():
    """overfitting.py, 1,000 images, three of 400 epochs: counts as recorded, and costs to rounding."""
    random.seed(as_recorded.SEED)
    np.random.seed(as_recorded.SEED)  # noqa: NPY002
    training, _, test = mnist_loader.load_data_wrapper()
    net = network2.Network([784, 30, 10], cost=network2.CrossEntropyCost())
    net.large_weight_initializer()
    with contextlib.redirect_stdout(io.StringIO()):
        lists = net.SGD(training[:1000], 3, 10, 0.5, 0.0, test, True, True, True, True, shuffle=python2.shuffle)
    theirs = recorded()["overfitting"]
    for kind, curve in zip(as_recorded.KINDS, lists, strict=True):
        if kind.endswith("accuracy"):
            assert curve == theirs[kind][:3]
        else:
            np.testing.assert_allclose(curve, theirs[kind][:3], rtol=1e-12)


def test_a_shortened_run_keeps_what_it_has_made(tmp_path, monkeypatch):
    programs = tuple(program for program in as_recorded.PROGRAMS if program[0].name in ("overfitting", "eta_0.025"))
    monkeypatch.setattr(as_recorded, "PROGRAMS", programs)
    monkeypatch.setattr(as_recorded, "GROWTH", ("overfitting_full",))
    said = []
    measured = as_recorded._measure(Run(0, True, tmp_path, say=said.append))
    assert said == ["overfitting", "eta_0.025", "overfitting_full growth"]
    # 1,000 images are all that this one has, so that its first epochs are the author's
    assert measured.numbers["overfitting_epochs_alike"] == 2
    assert measured.numbers["overfitting_training_cost_apart"] < 1e-12
    assert measured.numbers["eta_0.025_epochs_alike"] == 0
    again = as_recorded._measure(Run(0, True, tmp_path, say=said.append))
    assert again == measured
    assert len(said) == 3


@pytest.mark.tiny
def test_the_claims_can_fail():
    numbers = {}
    for part in PARTS:
        numbers[f"{part.name}_epochs_alike"] = float(part.epochs)
        for kind in part.kinds:
            if kind.endswith("cost"):
                numbers[f"{part.name}_{kind}_apart"] = 1e-14
            else:
                numbers |= {f"{part.name}_{kind}_same_counts": part.epochs, f"{part.name}_{kind}_images_apart": 0}
    numbers |= {"overfitting_full_epochs_alike": 2.0, "eta_2.5_epochs_alike": 0.0, "eta_0.025_growth": 10.0}
    numbers |= {"regularized_full_training_cost_apart": 2e-5, "regularized_full_training_accuracy_same_counts": 29}
    numbers |= {"regularized_full_training_accuracy_images_apart": 1}
    grown = {"overfitting_full": 3, "eta_2.5": 1, "regularized_full": 5, "eta_0.025": 31}
    numbers |= {f"{name}_epochs_to_grow": float(epoch) for name, epoch in grown.items()}
    for claim, wrong in (
        (as_recorded._repeated, {"overfitting_training_accuracy_same_counts": 399}),
        (as_recorded._repeated, {"eta_0.25_training_cost_apart": 1e-9}),
        (as_recorded._drifted, {"regularized_full_evaluation_accuracy_same_counts": 29}),
        (as_recorded._drifted, {"regularized_full_training_accuracy_images_apart": 2}),
        (as_recorded._drifted, {"regularized_full_training_cost_apart": 1e-3}),
        (as_recorded._parted, {"overfitting_full_epochs_alike": 30.0}),
        (as_recorded._parted, {"regularized_full_epochs_to_grow": 2.0}),
        (as_recorded._parted, {"eta_0.025_growth": 1e12}),
    ):
        assert claim([Measured(numbers)]).holds
        assert not claim([Measured(numbers | wrong)]).holds
