"""The review's figure 1 and its classifiers, and Grokking's figure, in small."""

import numpy as np
import pytest

from firsthand.experiments.experiment import Run
from firsthand.studies import grokking_more, review, shallow_learners

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize("id", ["review-figure-1", "grokking-kernels"])
def test_what_needs_no_training_holds(id, tmp_path):
    experiments = {each.id: each for each in (*review.EXPERIMENTS, *grokking_more.EXPERIMENTS)}
    measured = experiments[id].measure(Run(0, True, tmp_path))
    for claim in experiments[id].claims:
        assert claim.finding([measured], {}).holds


def test_the_backward_pass_by_hand():
    weights = [np.array([[2.0]]), np.array([[3.0]])]
    zs, ys = review.forward(weights, np.array([1.0]), "ReLU")
    assert [float(y[0]) for y in ys] == [1.0, 2.0, 6.0]
    by_z, slopes = review.backward(weights, zs, ys, np.array([5.0]), "ReLU")
    assert [float(d[0]) for d in by_z] == [3.0, 1.0]
    assert [float(slope[0, 0]) for slope in slopes] == [3.0, 2.0]


def test_a_gaussian_machine_knows_its_examples_and_nothing_far_from_them():
    rng = np.random.default_rng(0)
    x, labels = rng.random((20, 30)), np.arange(20) % 10
    machine = shallow_learners.gaussian_machine(x, labels)
    np.testing.assert_array_equal(machine(x), labels)
    far = machine(x + 100)  # where all features are 0
    assert len(set(far.tolist())) == 1


def test_the_dense_network_is_the_same_from_the_same_seed():
    rng = np.random.default_rng(0)
    images, labels = rng.random((130, 784)), rng.integers(0, 10, 130)
    first, again = (grokking_more.dense_network(1, 2, images, labels) for _ in range(2))
    other = grokking_more.dense_network(2, 2, images, labels)
    assert [w.shape for w in first] == [(784, 100), (100, 10)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
