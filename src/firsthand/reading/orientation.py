"""The orientation of a picture: every component says how it is turned, and its digits must make sense that way."""

import numpy as np

from .box import boxed_gate, boxed_model, boxed_upright
from .lines import Component
from .normalise import SIZE, as_mnist

__all__ = ["find_quarter"]

FEWEST = 4  # components of about one size: fewer do not say which way is up
MOST = 64  # are looked at
LEAST = 0.04  # no component is believed more surely than this: it may be anything
MARGIN = 4.0  # by which the sum of the logarithms must be greater than as it came: most pictures come upright,
EACH = 0.5  # and this much more for each component: what is neither digit nor letter says anything
SENSE, FEW = -0.9, 3.5  # the least mean logarithm with which turned digits make sense, and more where they are few
# Digits that lie still look like some.  What makes no sense at all as it came are digits that touch, two or three in
# one component, and some such make one digit where they lie: they must all but surely.
NONSENSE, SURE = -1.7, -0.15


def find_quarter(strength: np.ndarray, labels: np.ndarray, components: list[Component]) -> int:
    """The number of turns, by 90 degrees anticlockwise, that set the writing of a picture upright: 0 to 3.

    Args:
        strength: float32 (height, width), 0 paper to 1 pen.
        labels, components: what hangs together.
    """
    chosen = _of_one_size(components)
    if len(chosen) < FEWEST:
        return 0
    chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(MOST, len(chosen))).astype(int)]
    images = np.zeros((MOST, SIZE, SIZE, 1), np.uint8)
    for image, c in zip(images, chosen, strict=False):
        window = (slice(c.top, c.bottom), slice(c.left, c.right))
        image[..., 0] = as_mnist(np.where(labels[window] == c.label, strength[window], 0).astype(np.float32))
    turned = boxed_upright().probabilities(images)[: len(chosen)]  # anticlockwise from upright, by quarters
    scores = np.log(np.maximum(turned, LEAST)).sum(0)
    quarter = int(np.argmax(scores))
    if scores[quarter] - scores[0] <= MARGIN + EACH * len(chosen):
        return 0
    # an h is a 4 upside down: the digits must make more sense that way, too
    sense, as_it_came = (_sense(each, len(chosen)) for each in (np.rot90(images, -quarter, (1, 2)), images))
    least = max(as_it_came, SENSE + FEW / len(chosen), SURE if as_it_came < NONSENSE else -np.inf)
    return -quarter % 4 if sense > least else 0


def _sense(images: np.ndarray, n: int) -> float:
    """The mean logarithm of p(digit) p(value | digit) of the first n images."""
    seen = np.zeros((len(images), SIZE, SIZE, 3), np.uint8)
    seen[..., 0] = seen[..., 1] = images[..., 0]
    digit = boxed_gate().probabilities(seen)[:n, 1]
    value = boxed_model().probabilities(np.ascontiguousarray(images))[:n].max(1)
    return float(np.log(np.maximum(digit * value, LEAST)).mean())


def _of_one_size(components: list[Component]) -> list[Component]:
    """The components of about the size of most ink, without bars and ones: they lie and stand."""
    if not components:
        return []
    sizes = np.array([max(c.height, c.width) for c in components], float)
    order = np.argsort(sizes)
    weights = np.cumsum(np.array([c.area for c in components], float)[order])
    typical = sizes[order[int(np.searchsorted(weights, weights[-1] / 2))]]
    return [
        c
        for c, size in zip(components, sizes, strict=True)
        if 0.5 * typical < size < 1.6 * typical and 2.5 * min(c.height, c.width) > size
    ]
