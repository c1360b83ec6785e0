"""Calibration of a model's probabilities: of all images called with 90 %, are 90 % right?

Everything here is a function of probabilities (n, classes), rows that sum to 1, and of integer labels (n,).
"""

from dataclasses import dataclass

import numpy as np

from firsthand.errors import FirsthandError

__all__ = ["Reliability", "brier_score", "expected_calibration_error", "negative_log_likelihood", "reliability"]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Stated and true probabilities, bin by bin of confidence; the values of an empty bin are not a number.

    Args:
        confidence: mean probability of what was predicted, (bins,).
        accuracy: share of it that was right, (bins,).
        n: number of examples, (bins,).
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    n: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """The edges of the bins, (bins + 1,), from 0 to 1."""
        return np.linspace(0, 1, len(self.n) + 1)

    @property
    def expected_calibration_error(self) -> float:
        """The mean distance of accuracy from confidence: see the function of this name."""
        full = self.n > 0
        gaps = np.abs(self.accuracy[full] - self.confidence[full])
        return float(np.sum(self.n[full] * gaps) / np.sum(self.n))


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> Reliability:
    """Confidence and accuracy in bins of equal width, bin m of M holding the confidences in ((m-1)/M, m/M].

        acc(B_m) = 1/|B_m| sum_{i in B_m} 1(predicted_i = label_i)
        conf(B_m) = 1/|B_m| sum_{i in B_m} max_k p_ik

    Args:
        probabilities: (n, classes); the largest of a row, the first of equals, is what is predicted.
        labels: integers, (n,).
        bins: M, how many.
    Returns:
        A `Reliability`; plotted by `firsthand.inspect.plots.plot_reliability`.
    Raises:
        FirsthandError: arguments that are not probabilities and labels, or no bin.
    References:
        Guo, Pleiss, Sun and Weinberger 2017, 'On Calibration of Modern Neural Networks', section 2.

    Examples:
        >>> found = reliability(np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]]), np.array([0, 1, 0]), bins=4)
        >>> found.n.tolist(), found.accuracy[2:].tolist()
        ([0, 0, 1, 2], [1.0, 0.5])
    """
    p, labels = _checked(probabilities, labels)
    if bins < 1:
        raise FirsthandError(f"reliability: bins is {bins}, expected 1 or more")
    confidence = p.max(axis=1)
    right = p.argmax(axis=1) == labels
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence, side="left")
    n = np.bincount(place, minlength=bins)
    share = np.where(n > 0, 1 / np.maximum(n, 1), np.nan)
    return Reliability(
        np.bincount(place, weights=confidence, minlength=bins) * share,
        np.bincount(place, weights=right, minlength=bins) * share,
        n,
    )


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """ECE = sum_m |B_m|/n |acc(B_m) - conf(B_m)|, equation (3) of Guo et al. 2017; 0 is best, below 1.

    It depends on the number of bins, and says nothing about how often the model is right.

    Args, Raises, References:
        as in `reliability`.

    Examples:
        >>> expected_calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
        0.0
    """
    return reliability(probabilities, labels, bins).expected_calibration_error


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """NLL = -1/n sum_i ln p_{i, label_i}, in nats, as a mean; 0 is best, ln(classes) is knowing nothing.

    A probability of 0 counts as the smallest normal number of its type (about 1e-38 in single precision), because
    that is what rounding turned into 0; one such example does not make everything infinite.

    Args:
        probabilities: (n, classes).
        labels: integers, (n,).
    Raises:
        FirsthandError: arguments that are not probabilities and labels.
    References:
        Guo et al. 2017, equation (5), a sum there.

    Examples:
        >>> round(negative_log_likelihood(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0])), 4)
        0.3466
    """
    smallest = np.finfo(np.result_type(probabilities, np.float32)).tiny
    p, labels = _checked(probabilities, labels)
    # + 0.0 makes the -0.0 of a perfect model 0.0
    return float(-np.mean(np.log(np.maximum(p[np.arange(len(labels)), labels], smallest)))) + 0.0


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """1/n sum_i sum_k (p_ik - y_ik)^2, y being 1 at the label and 0 elsewhere; from 0, the best, to 2.

    Args:
        probabilities: (n, classes).
        labels: integers, (n,).
    Raises:
        FirsthandError: arguments that are not probabilities and labels.
    References:
        Brier 1950, 'Verification of forecasts expressed in terms of probability', equation (2).

    Examples:
        >>> brier_score(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0]))
        0.25
    """
    p, labels = _checked(probabilities, labels)
    truth = np.zeros_like(p)
    truth[np.arange(len(labels)), labels] = 1
    return float(np.mean(np.sum((p - truth) ** 2, axis=1)))


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays, in double precision, if they are what they should be."""
    p, labels = np.asarray(probabilities, np.float64), np.asarray(labels)
    if p.ndim != 2 or p.size == 0:
        raise FirsthandError(f"probabilities: shape {p.shape}, expected (n, classes), neither of them 0")
    if labels.shape != (len(p),) or labels.dtype.kind not in "iu":
        raise FirsthandError(f"labels: {labels.dtype} of shape {labels.shape}, expected integers ({len(p)},)")
    if labels.min() < 0 or labels.max() >= p.shape[1]:
        raise FirsthandError(f"labels: {labels.min()} to {labels.max()}, expected 0 to {p.shape[1] - 1}")
    if not np.all(p >= 0) or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise FirsthandError("probabilities: expected rows without negative numbers that sum to 1")
    return np.minimum(p, 1), labels  # rounding may leave a little more than 1
