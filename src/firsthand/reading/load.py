"""Whatever a picture comes as, made grey: uint8 (height, width)."""

from io import BytesIO
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from PIL import Image

from firsthand.data.examples import DataError
from firsthand.data.pictures import MAX_PIXELS, decode_grey, read_grey, to_grey

__all__ = ["Picture", "load_grey"]

Picture: TypeAlias = str | Path | bytes | IO[bytes] | Image.Image | np.ndarray


def load_grey(image: Picture) -> np.ndarray:
    """Read a picture in grey, by the rules of `firsthand.data.pictures`.

    Args:
        image: a path; the bytes of a file, or an open one; a picture of Pillow; or an array of uint8: (height, width),
            or with 1, 3 (red, green, blue) or 4 (and opacity) values for every pixel.
    Returns:
        uint8 (height, width).
    Raises:
        DataError: no such file, no picture, a damaged or too large one, an array of another type or shape.
    """
    if isinstance(image, str | Path):
        return read_grey(image)
    if isinstance(image, np.ndarray):
        return _of_array(image)
    if isinstance(image, Image.Image):
        try:
            return np.asarray(to_grey(image))
        except Image.DecompressionBombError:
            raise DataError(f"image: {image.width} x {image.height} found, at most {MAX_PIXELS:,} pixels") from None
    if not isinstance(image, bytes) and not hasattr(image, "read"):
        raise DataError(
            f"image: {type(image).__name__} found, a path, bytes, an open file, a picture or an array expected"
        )
    if not isinstance(image, bytes):
        image = image.read()
    return decode_grey(BytesIO(image), "image")


def _of_array(image: np.ndarray) -> np.ndarray:
    shape = image.shape
    if image.dtype != np.uint8:
        raise DataError(f"image: an array of {image.dtype} found, uint8 (0 to 255) expected")
    if image.ndim not in (2, 3) or (image.ndim == 3 and shape[2] not in (1, 3, 4)) or 0 in shape:
        raise DataError(
            f"image: an array of shape {shape} found, (height, width) or (height, width, 1, 3 or 4) expected"
        )
    if shape[0] * shape[1] > MAX_PIXELS:
        raise DataError(f"image: {shape[1]} x {shape[0]} found, at most {MAX_PIXELS:,} pixels expected")
    if image.ndim == 3 and shape[2] == 1:
        image = image[..., 0]
    return np.asarray(to_grey(Image.fromarray(np.ascontiguousarray(image))))
