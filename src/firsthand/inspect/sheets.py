"""Many small images as one picture."""

from collections.abc import Sequence

import numpy as np

__all__ = ["as_bytes", "sheet_of"]

GAP = 2  # pixels between two images
GROUND = 60  # grey that is neither ink nor paper


def sheet_of(rows: Sequence[np.ndarray], ground: int = GROUND) -> np.ndarray:
    """Return rows of images as one image, bytes (height, width).

    Args:
        rows: of (columns, height, width) each; bytes, or floats 0 to 1.  Rows may be of several lengths.
        ground: the grey level between and beside them.

    Examples:
        >>> sheet_of([np.zeros((3, 28, 28)), np.ones((2, 28, 28))]).shape
        (58, 88)
    """
    height, width = rows[0].shape[1:]
    columns = max(map(len, rows))
    shape = len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP
    sheet = np.full(shape, ground, np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(as_bytes(row)):
            sheet[i * (height + GAP) :, j * (width + GAP) :][:height, :width] = image
    return sheet


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Return images as bytes; floats are 0 to 1."""
    return images if images.dtype == np.uint8 else np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)
