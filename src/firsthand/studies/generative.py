"""Shared pieces of the studies of networks that run backwards: sources, machines trained once, pictures in results."""

import base64
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand.data import Dataset, ImageSplits, Splits, mnist
from firsthand.experiments.experiment import Run
from firsthand.experiments.result import Source
from firsthand.inspect.sheets import GAP, GROUND, as_bytes, sheet_of
from firsthand.learning import Greedy, Progress, train_greedily
from firsthand.models import Generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BACKWARD",
    "FASTER",
    "FEWER",
    "NARROW",
    "below",
    "data_of",
    "nearest",
    "packed",
    "show_images",
    "spread",
    "unpacked",
]

_SECTION = "chapter 6, 'Other approaches to deep neural nets'"
BACKWARD = Source("Nielsen", f"{_SECTION}, 'Deep belief nets, generative models, and Boltzmann machines'")
FASTER = Source(
    "Nielsen", f"{_SECTION}; Hinton, Osindero and Teh 2006, 'A Fast Learning Algorithm for Deep Belief Nets'"
)
NARROW = Source(
    "Nielsen",
    f"{_SECTION}; Hinton and Salakhutdinov 2006, 'Reducing the Dimensionality of Data with Neural Networks'",
)
FEWER = Source(
    "LeCun, Bengio and Hinton", "'Supervised learning' and 'Backpropagation': pre-training where labels are few"
)


def data_of(run: Run) -> Splits[Dataset, Dataset]:
    """MNIST, of which a shortened run takes the first 2,000 training images."""
    data = mnist()
    return Splits(data.train[:2_000], data.validation, data.test) if run.quick else data


def below(run: Run, greedy: Greedy, data: ImageSplits, *, name: str) -> Generator:
    """Train machines, or take those that another study has trained with the same settings and seed.

    Args:
        run: gives the randomness.
        greedy: what to train; a shortened run takes one epoch of each.
        data: what the first sees.
        name: of the folder that studies with the same machines share.
    """
    if run.quick:
        greedy = Greedy(greedy.machines, tuple(recipe.changed(epochs=1) for recipe in greedy.recipes))

    def say(at: Progress) -> None:
        if at.record is not None:
            run.say(f"machine {at.member + 1} epoch {at.epoch}/{at.epochs} {at.record['batch_cost']:.2f}")

    place = run.place.parent.parent / "machines" / name / str(run.seed)
    place.mkdir(parents=True, exist_ok=True)
    model, _ = train_greedily(greedy, data, key=run.key, progress=say, place=place)
    return model


def nearest(images: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of other images to each, by the Euclidean distance of pixels.

    Args:
        images: (n, pixels), floats.
        among: (m, pixels).
    Returns:
        Its index, (n,), and the distance, (n,).
    """
    squares = np.sum(among**2, axis=1)
    index = np.concatenate([np.argmin(squares - 2 * part @ among.T, axis=1) for part in np.array_split(images, 10)])
    return index, np.linalg.norm(images - among[index], axis=1)


def spread(images: np.ndarray) -> float:
    """The mean Euclidean distance of two of the images, (n, pixels)."""
    squares = np.sum(images.astype(np.float64) ** 2, axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * images @ images.T, 0))
    return float(distances.sum() / max(1, len(images) * (len(images) - 1)))


def packed(images: np.ndarray) -> list[str]:
    """Return images, floats 0 to 1 or bytes, as a short text in a list, for a result: the inverse of `unpacked`."""
    return [base64.b64encode(zlib.compress(as_bytes(images).tobytes(), 9)).decode()]


def unpacked(text: Sequence[str], size: Sequence[int] = (28, 28)) -> np.ndarray:
    """Return the images that `packed` has packed: uint8 (n, *size)."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text[0])), np.uint8).reshape(-1, *size)


def show_images(
    rows: Sequence[np.ndarray], *, names: Sequence[str] = (), diverging: bool = False, size: float = 0.45
) -> "Figure":
    """Return a figure with rows of images.

    Args:
        rows: of (columns, height, width) each; all zeros is an empty place.
        names: of the rows, on the left.
        diverging: values on both sides of 128 in two colours, as of weights.
        size: of an image, in inches.
    """
    from matplotlib.figure import Figure

    columns = max(map(len, rows))
    height = rows[0].shape[1]
    sheet = sheet_of(rows, 128 if diverging else GROUND)
    figure = Figure(figsize=(size * columns + (1.6 if names else 0.1), size * len(rows) + 0.1), layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet, cmap="RdBu_r" if diverging else "gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=(), yticks=[height / 2 + i * (height + GAP) for i in range(len(names))], yticklabels=names)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return figure
