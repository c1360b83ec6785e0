"""Which side of a picture is up: digits are read in all four directions, and those that make the most sense count."""

import numpy as np

from .box import boxed_gate, boxed_model
from .lines import Component
from .normalise import SIZE, as_mnist

__all__ = ["find_quarter"]

FEWEST = 5  # components of about one size: fewer do not say which way is up
MOST = 64  # are looked at
LEAST = 0.02  # p(digit) p(value | digit) of what is none counts as this
MARGIN, EACH = 4.0, 0.35  # by which the sum of the logarithms must be greater, and so much more for each component
SENSE = -0.4  # the mean logarithm of what is turned is at least this: letters make little sense in any direction


def find_quarter(strength: np.ndarray, labels: np.ndarray, components: list[Component]) -> int:
    """How often a picture must be turned by 90 degrees anticlockwise so that its digits stand upright: 0 to 3.

    Args:
        strength: float32 (height, width), 0 paper to 1 pen.
        labels, components: what hangs together.
    """
    sizes = np.array([max(c.height, c.width) for c in components], float)
    order = np.argsort(sizes)
    weights = np.cumsum(np.array([c.area for c in components], float)[order])
    if len(components) < FEWEST:
        return 0
    typical = sizes[order[int(np.searchsorted(weights, weights[-1] / 2))]]
    chosen = [c for c, size in zip(components, sizes, strict=True) if 0.5 * typical < size < 1.6 * typical]
    # the shorter side of what shows a direction is not much shorter: bars and ones lie and stand
    chosen = [c for c in chosen if 2.5 * min(c.height, c.width) > max(c.height, c.width)]
    if len(chosen) < FEWEST:
        return 0
    chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(MOST, len(chosen))).astype(int)]
    upright = np.stack([_seen(strength, labels, c) for c in chosen])
    turned = np.concatenate([np.rot90(upright, quarter, (1, 2)) for quarter in range(4)])
    images = np.zeros((len(turned), SIZE, SIZE, 3), np.uint8)
    images[..., 0] = images[..., 1] = turned
    filled = np.concatenate([images, np.zeros((4 * MOST - len(images), SIZE, SIZE, 3), np.uint8)])
    digit = boxed_gate().probabilities(filled)[: len(images), 1]
    value = boxed_model().probabilities(filled[..., :1])[: len(images)].max(1)
    scores = np.log(np.maximum(digit * value, LEAST)).reshape(4, -1).sum(1)
    best = int(np.argmax(scores))
    clear = scores[best] - scores[0] > MARGIN + EACH * len(chosen) and scores[best] > SENSE * len(chosen)
    return best if clear else 0


def _seen(strength: np.ndarray, labels: np.ndarray, c: Component) -> np.ndarray:
    window = (slice(c.top, c.bottom), slice(c.left, c.right))
    return as_mnist(np.where(labels[window] == c.label, strength[window], 0).astype(np.float32))
