"""Natural photographs: those that come with scikit-image, and patches of them."""

import importlib.util
import os
from pathlib import Path

import numpy as np

from .examples import DataError

__all__ = ["PHOTOGRAPHS", "patches_of", "photographs"]

PHOTOGRAPHS_FOLDER = "FIRSTHAND_PHOTOGRAPHS"  # an environment variable

# scenes and surfaces as a camera sees them; scikit-image's other images are drawings, sheets and microscopy
PHOTOGRAPHS = (
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png"),
    *("coins.png", "grass.png", "gravel.png", "motorcycle_left.png", "rocket.jpg"),
)


def photographs(folder: str | Path | None = None) -> list[np.ndarray]:
    """Return ten photographs as uint8 (height, width, 3), in the order of `PHOTOGRAPHS`; of grey ones all three agree.

    Args:
        folder: that has the files; by default the one that the environment variable FIRSTHAND_PHOTOGRAPHS names, or
            scikit-image's (`pip install scikit-image`; the package itself is not imported).
    Raises:
        DataError: they are not there; the message says what to install.
    References:
        scikit-image 0.26, skimage/data: photographs in the public domain, CC0 or under its own licence (BSD).
    """
    from PIL import Image

    place = Path(folder or os.environ.get(PHOTOGRAPHS_FOLDER) or _installed())
    found = []
    for name in PHOTOGRAPHS:
        try:
            found.append(np.asarray(Image.open(place / name).convert("RGB")))
        except OSError as error:
            raise DataError(f"{place / name}: no photograph found ({error}), one of scikit-image's expected") from None
    return found


def patches_of(images: list[np.ndarray], size: int, count: int, *, seed: int) -> np.ndarray:
    """Return square patches from places drawn at random, as many from each image as it has pixels to give.

    Args:
        images: (height, width, channels), each at least `size` high and wide.
        size: of the patches, in pixels.
        count: how many.
        seed: the same seed, the same patches.
    Returns:
        (count, size, size, channels), in the type of the images.
    """
    random = np.random.default_rng(seed)
    room = np.array([(image.shape[0] - size + 1) * (image.shape[1] - size + 1) for image in images], float)
    if min(min(image.shape[:2]) for image in images) < size:
        raise DataError(f"photographs: one is smaller than a patch of {size}x{size} pixels")
    found = []
    for number in random.choice(len(images), count, p=room / room.sum()):
        image = images[number]
        top, left = (random.integers(pixels - size + 1) for pixels in image.shape[:2])
        found.append(image[top : top + size, left : left + size])
    return np.stack(found)


def _installed() -> Path:
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"photographs: scikit-image is not here: `pip install scikit-image` brings them, or {PHOTOGRAPHS_FOLDER} "
            "names a folder that has them"
        )
    return Path(spec.submodule_search_locations[0]) / "data"
