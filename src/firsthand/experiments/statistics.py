"""Statistics of verdicts: whether measured accuracies carry the sentence that a published one was reached.

A published accuracy p is one number: of one network, or of the best of three, on N test images.  Ours are the
accuracies of n networks from n seeds, with mean m and standard deviation s.  Both have two kinds of noise:

    the test images    binomial, p (1 - p) / N; the same for a mean over seeds, because all seeds see the same images
    the seeds          s^2 for the one published network, s^2 / n for our mean

The variance of the difference d = m - p is their sum (the interval of two independent proportions: R. G. Newcombe,
"Interval estimation for the difference between independent proportions", Statistics in Medicine 17, 1998, method 1,
with the seeds' variance added to the images'),

    V = p (1 - p) / N + m (1 - m) / N + s^2 (1 + 1/n),

and d +- t sqrt(V) is its interval of 95 %, t being Student's with the degrees of freedom of B. L. Welch, "The
generalization of 'Student's' problem", Biometrika 34, 1947, and F. E. Satterthwaite, Biometrics Bulletin 2, 1946: only
s is estimated, from n - 1 degrees.  That both were judged on the same test images would make it narrower if the
published predictions were known; they are not.

The best of k runs is a protocol: it is followed with groups of k of our runs, the mean over all groups standing for
m, and n / k for n.
"""

import math
import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from scipy.special import stdtrit

__all__ = [
    "Interval",
    "Verdict",
    "best_of",
    "difference_of_accuracies",
    "difference_of_values",
    "interval_of_share",
    "judge",
    "margin",
]

Verdict = Literal["reached", "higher", "lower", "missed", "cannot tell"]
LEVEL = 0.95


class Interval(NamedTuple):
    """A difference, ours less the published one, and its interval of 95 %.

    `spread_known` is False of a single run, whose interval holds the noise of the images alone and so is too narrow.
    """

    difference: float
    low: float
    high: float
    spread_known: bool = True


def best_of(values: Sequence[float], chosen_by: Sequence[float], k: int) -> float:
    """The mean, over all groups of k runs, of the value of that run of the group for which `chosen_by` is highest.

    Args:
        values: a number of every run.
        chosen_by: what the best one is chosen by, such as the validation accuracies; of equal ones the first is best.
        k: at most as many as there are runs; of 1 it is the plain mean.

    Examples:
        >>> best_of([0.98, 0.97, 0.99], [0.5, 0.7, 0.6], 3)
        0.97
        >>> round(best_of([0.98, 0.97, 0.99], [0.5, 0.7, 0.6], 2), 4)  # 0.97, 0.99 and 0.97
        0.9767
    """
    groups = combinations(range(len(values)), k)
    return statistics.fmean(values[max(group, key=lambda run: chosen_by[run])] for group in groups)


def difference_of_accuracies(
    published: float,
    values: Sequence[float],
    *,
    images: int = 10_000,
    k: int = 1,
    chosen_by: Sequence[float] | None = None,
) -> Interval:
    """The interval of m - p; see the equations above.

    Args:
        published: p, of one network on this many images, or of the best of k.
        values: the accuracies of our runs.
        images: N, how many each was judged on.
        k: the published one is the best of this many runs.
        chosen_by: for k > 1, what the best was chosen by in our runs.
    Returns:
        The Interval; with `spread_known` False where there are fewer than two runs, or fewer than k.

    Examples:
        >>> interval = difference_of_accuracies(0.9906, [0.9897, 0.9909, 0.9903])
        >>> [round(100 * value, 2) for value in interval[:3]]
        [-0.03, -0.34, 0.28]
    """
    n = len(values)
    follows = 1 < k <= n and chosen_by is not None
    mean = best_of(values, chosen_by, k) if follows and chosen_by is not None else statistics.fmean(values)
    of_images = (published * (1 - published) + mean * (1 - mean)) / images
    if n < 2 or n < k:
        return _interval(mean - published, of_images, math.inf, spread_known=False)
    of_seeds = statistics.variance(values) * (1 + (k if follows else 1) / n)
    total = of_images + of_seeds
    degrees = (n - 1) * (total / of_seeds) ** 2 if of_seeds else math.inf
    return _interval(mean - published, total, degrees)


def difference_of_values(published: float, values: Sequence[float]) -> Interval:
    """The interval of m - p where p is a number of one run, such as a length, and the runs differ: V = s^2 (1 + 1/n).

    It is Student's prediction interval for one more run.
    """
    n = len(values)
    total = statistics.variance(values) * (1 + 1 / n)
    return _interval(statistics.fmean(values) - published, total, n - 1)


def interval_of_share(count: int, n: int) -> tuple[float, float]:
    """The interval of 95 % of a share of which n trials show `count`, by E. B. Wilson's score:

        (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n),    p = count / n

    It holds for few trials and for shares near 0, where p +- 2 standard errors would be 0 to 0.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
        Statistical Association 22, 1927.

    Examples:
        >>> [round(100 * edge, 1) for edge in interval_of_share(0, 50)]
        [0.0, 7.1]
    """
    z = float(stdtrit(1e9, (1 + LEVEL) / 2))
    p = count / n
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, (middle - half) / (1 + z**2 / n)), min(1.0, (middle + half) / (1 + z**2 / n))


def margin(published: float) -> float:
    """The shortfall that counts as missing a published accuracy: half as many errors again, at least two points."""
    return min((1 - published) / 2, 0.02)


def judge(interval: Interval, margin: float) -> Verdict:
    """The verdict that an interval supports.

    higher       all of it lies above zero
    reached      zero lies in it, and `margin` below does not
    cannot tell  zero lies in it, and `margin` below as well; or the spread over seeds is not known
    lower        all of it lies below zero, but above `margin` below
    missed       all of it lies below zero, and not above `margin` below; or all of it lies below `margin` below, where
                 the spread over seeds is not known: bad news of one run is told

    Examples:
        >>> judge(Interval(0.001, -0.001, 0.003), 0.002)
        'reached'
        >>> judge(Interval(-0.001, -0.003, 0.001), 0.002)
        'cannot tell'
    """
    if not interval.spread_known:
        return "missed" if interval.high < -margin else "cannot tell"
    if interval.low > 0:
        return "higher"
    if interval.high < 0:
        return "lower" if interval.low > -margin else "missed"
    return "reached" if interval.low >= -margin else "cannot tell"


def _interval(difference: float, variance: float, degrees: float, spread_known: bool = True) -> Interval:
    # of infinitely many degrees Student's distribution is the normal one, and 1e9 are as good
    half = float(stdtrit(min(degrees, 1e9), (1 + LEVEL) / 2)) * math.sqrt(variance)
    return Interval(difference, difference - half, difference + half, spread_known)
