"""Draw the picture of the README: docs/figures/front.png.

python tools/documents/draw_front.py [FILE]

Left, the page that comes with firsthand, as it is read; in the middle, the pixels that the bundled network's answer
hangs on; right, the accuracies that the texts publish and those measured here, from results/experiments.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from firsthand.data import mnist
from firsthand.experiments.result import Result
from firsthand.figures import Figure
from firsthand.inspect import occlusion
from firsthand.reading import boxed_model, example_page, read
from firsthand.reading.load import load_grey

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "docs" / "figures" / "front.png"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"
# each has one published test accuracy of a mean over trainings here
COMPARED = {
    "cross-entropy-100": "100 hidden, cross-entropy",
    "l2-1000": "1,000 images, L2",
    "l2-100-hidden-60": "100 hidden, L2",
    "depth-2": "2 hidden layers",
    "shallow": "shallow, softmax",
    "conv-1": "one ConvPool layer",
    "conv-2": "two ConvPool layers",
    "conv-2-relu": "rectified linear units",
    "expanded": "expanded images",
    "dropout": "dropout",
}


def main(path: Path = DEFAULT) -> None:
    """Write the picture."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.05, 1.5, 1.9))
    _page(left)
    _looks(middle)
    _results(right)
    figure.savefig(path, dpi=110, pil_kwargs={"optimize": True})
    print(f"{path}: {path.stat().st_size / 2**10:.0f} KiB")


def _page(axes: Any) -> None:
    grey, page = load_grey(example_page()), read(example_page())
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255)
    for digit in page.digits:
        left, top, right, bottom = digit.box
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=BLUE, linewidth=0.9))
        axes.text(left, top - 2, digit.value, color=BLUE, fontsize=9, fontweight="bold", va="bottom")
    axes.set_title("read: firsthand read photo.jpg", fontsize=10, loc="left")
    axes.axis("off")


def _looks(axes: Any) -> None:
    model, images = boxed_model(), mnist().validation.images[:6]
    fall = occlusion(model, images, of="z")
    shown = np.full((2 * 30, 3 * 30, 3), 1.0)
    for place, (image, part) in enumerate(zip(images, fall, strict=True)):
        ink = image[..., 0] / 255
        heat = np.clip(part / part.max(), 0, 1)
        colour = np.stack([1 - 0.85 * ink, 1 - 0.85 * ink, 1 - 0.85 * ink], axis=-1)
        warm = np.array([0.835, 0.369, 0.0])
        row, column = divmod(place, 3)
        tile = colour * (1 - 0.7 * heat[..., None]) + 0.7 * heat[..., None] * warm
        shown[30 * row : 30 * row + 28, 30 * column : 30 * column + 28] = tile
    axes.imshow(shown)
    axes.set_title("look inside: what the answer hangs on", fontsize=10, loc="left")
    axes.axis("off")


def _results(axes: Any) -> None:
    for row, (name, label) in enumerate(reversed(COMPARED.items())):
        result = Result.load(ROOT / "results" / "experiments" / f"{name}.json")
        published = result.published[0]
        values = result.values(published.quantity)
        axes.plot(100 * published.value, row, "|", color=ORANGE, markersize=13, markeredgewidth=2.2)
        axes.plot(100 * np.array(values), [row] * len(values), ".", color=GREY, markersize=5)
        axes.plot(100 * np.mean(values), row, "o", color=BLUE, markersize=6)
        axes.text(-0.02, row, label, ha="right", va="center", fontsize=8, transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_xscale("function", functions=(lambda x: -np.log(100.05 - x), lambda y: 100.05 - np.exp(-y)))
    axes.set_xlim(86, 99.8)
    axes.set_xticks([87, 95, 97, 98, 99, 99.5])
    axes.tick_params(labelsize=8)
    axes.set_xlabel("test accuracy, %", fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    axes.set_title("compare: published |, measured here ●", fontsize=10, loc="left")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
