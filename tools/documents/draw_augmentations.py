"""Draw what each augmentation does to digits: docs/figures/augmentations.png.

    python tools/documents/draw_augmentations.py [FILE]

One row for each augmentation: a digit of the training images, and the same digit changed eight times.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from firsthand.data import (
    Affine,
    Augmentation,
    Compose,
    Distort,
    Elastic,
    Erase,
    HorizontalFlip,
    Noise,
    RandomCrop,
    Rotate,
    Scale,
    Shear,
    Shift,
    Translate,
    mnist,
)

DEFAULT = Path(__file__).parents[2] / "docs" / "figures" / "augmentations.png"
SAMPLES = 8
ROWS: tuple[Augmentation, ...] = (
    Shift(1),
    RandomCrop(4),
    Translate(1.5),
    Rotate(15),
    Scale(0.15),
    Shear(0.2),
    Affine(degrees=15, translate=1, scale=0.15, shear=0.1),
    Elastic(sigma=4, alpha=34),
    Elastic(sigma=6, alpha=36),
    Distort((Affine(degrees=10, scale=0.15), Elastic(sigma=5, alpha=37))),
    Distort((Affine(degrees=15, translate=1, scale=0.15, shear=0.1), Elastic(sigma=4, alpha=34))),
    Erase(0.5),
    Erase(0.5, largest=0.15, fill=0),
    Noise(0.15),
    HorizontalFlip(0.5),
    Compose((Rotate(10), Shift(1), Erase(0.8, largest=0.15, fill=0))),
)


def samples(augmentation: Augmentation, image: np.ndarray, key: jax.Array) -> np.ndarray:
    """The image and SAMPLES changed ones: (SAMPLES + 1, height, width)."""
    batch = jnp.tile(jnp.asarray(image, jnp.float32) / 255, (SAMPLES, 1, 1, 1))
    changed = np.asarray(augmentation(batch, key=key))
    return np.concatenate([image[None] / 255, changed])[..., 0]


def draw(path: Path) -> None:
    """Write the figure."""
    # not pyplot: no window system, no global state
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    train = mnist().train
    # an image of each class in turn, the same ones at every call
    images = [train.images[np.flatnonzero(train.labels == row % 10)[row]] for row in range(len(ROWS))]
    figure = Figure(figsize=(7, 0.98 * len(ROWS)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(ROWS), 1)
    for row, (augmentation, image, axis) in enumerate(zip(ROWS, images, axes, strict=True)):
        found = samples(augmentation, image, jax.random.key(row))
        framed = np.pad(found, ((0, 0), (1, 1), (1, 1)), constant_values=0.25)
        strip = np.concatenate([framed[0], np.zeros((30, 6)), *framed[1:]], axis=1)
        axis.imshow(strip, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(repr(augmentation), loc="left", fontsize=6.5, family="monospace", pad=2)
        axis.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, pil_kwargs={"optimize": True})
    print(f"written: {path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
