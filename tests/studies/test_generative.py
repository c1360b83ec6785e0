"""Studies of networks that run backwards: what they measure, against what is known."""

import numpy as np
import pytest

from firsthand.data import mnist
from firsthand.experiments.experiment import Measured
from firsthand.studies.autoencoders import pca_error
from firsthand.studies.deep_belief import LABELS, _balanced, _labels_helped
from firsthand.studies.dreams import _diverse, _drawn_as_told, _no_copies
from firsthand.studies.generative import nearest, packed, show_images, spread, unpacked


def test_images_are_kept_as_they_are():
    images = mnist().test.images[:5, ..., 0]
    np.testing.assert_array_equal(unpacked(packed(images)), images)
    np.testing.assert_array_equal(unpacked(packed(images / 255)), images)
    assert len(packed(images)[0]) < images.size / 3
    figure = show_images([images, images[:3]], names=("one", "other"))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "other"]


def test_the_nearest_image_is_found():
    images = mnist().train.images[:60].reshape(60, -1).astype(np.float32) / 255
    index, distance = nearest(images[20:40] + np.float32(0.01), images)
    assert index.tolist() == list(range(20, 40))
    np.testing.assert_allclose(distance, 0.01 * 28, rtol=1e-3)
    rows = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert spread(rows) == pytest.approx(10 / 3)


def test_principal_components_give_back_what_lies_in_them():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    points = rng.standard_normal((500, 6)) * [3, 2, 1, 0, 0, 0] @ basis.T + 5
    assert pca_error(points, points, 3) == pytest.approx(0, abs=1e-9)
    assert pca_error(points, points, 2) == pytest.approx(np.var(points @ basis[:, 2]), rel=0.05)


def test_few_labels_are_as_many_of_each_class():
    data = mnist().train
    few = _balanced(data, 100, 3)
    assert few.class_counts().tolist() == [10] * 10
    assert few.digest == _balanced(data, 100, 3).digest != _balanced(data, 100, 4).digest


def test_labels_helped_only_where_the_gain_is_beyond_chance():
    def runs(gains):
        return [
            Measured({f"{name}_{n}": 0.8 + (gain if name == "pretrained" else 0) for n in LABELS for name in NAMES})
            for gain in gains
        ]

    NAMES = ("fresh", "pretrained")
    assert _labels_helped(runs([0.05, 0.06, 0.05])).holds
    assert not _labels_helped(runs([0.05, -0.06, 0.02])).holds
    assert not _labels_helped(runs([0.05])).holds  # one run has no spread
    assert "80.00% ± 0.00% without" in _labels_helped(runs([0.05, 0.06])).measured.en


def test_drawings_are_judged():
    good = {
        "read_as_named": 0.93,
        "read_as_named_before": 0.4,
        "read_as_named_at_strength_1": 0.6,
        "label_accuracy": 0.97,
        "distance_to_nearest": 6.0,
        "least_distance_to_nearest": 3.0,
        "test_distance_to_nearest": 6.0,
        "least_test_distance_to_nearest": 2.0,
        "spread_of_samples": 8.0,
        "spread_of_digits": 9.0,
    }
    assert all(judge([Measured(good)]).holds for judge in (_drawn_as_told, _no_copies, _diverse))
    assert not _drawn_as_told([Measured(good | {"read_as_named": 0.89})]).holds
    assert not _no_copies([Measured(good | {"least_distance_to_nearest": 0.0})]).holds
    assert not _diverse([Measured(good | {"spread_of_samples": 1.0})]).holds
