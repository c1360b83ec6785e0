"""A digit looked at more than once: as it is, and turned, slanted and scaled a little to both sides."""

from math import cos, pi, sin

import numpy as np
from PIL import Image

from .normalise import SIZE

__all__ = ["looks"]

# chosen on validation digits and pages of them: see docs/reading.md
TURN, SLANT = 8 * pi / 180, 0.12  # radians; pixels per pixel of height above the middle
SMALLER, LARGER = 0.93, 1.08

# where what is seen at (x, y) from the middle was before: ((xx, xy), (yx, yy))
_LOOKS = [
    *(((cos(angle), -sin(angle)), (sin(angle), cos(angle))) for angle in (TURN, -TURN)),
    *(((1.0, slant), (0.0, 1.0)) for slant in (SLANT, -SLANT)),
    *(((1 / scale, 0.0), (0.0, 1 / scale)) for scale in (SMALLER, LARGER)),
]


def looks(images: np.ndarray) -> np.ndarray:
    """Seven looks at every image: itself, then turned, slanted and scaled about its middle; bilinear, background 0.

    Args:
        images: uint8 (n, 28, 28).
    Returns:
        uint8 (n, 7, 28, 28).
    """
    result = np.repeat(images[:, None], 1 + len(_LOOKS), axis=1)
    for image, others in zip(images, result[:, 1:], strict=True):
        picture = Image.fromarray(image)
        for other, ((xx, xy), (yx, yy)) in zip(others, _LOOKS, strict=True):
            x, y = (SIZE / 2 * (1 - a - b) for a, b in ((xx, xy), (yx, yy)))  # the middle stays where it is
            matrix = (xx, xy, x, yx, yy, y)
            other[:] = picture.transform((SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return result
