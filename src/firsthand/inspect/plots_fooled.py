"""Pictures of what fools a network and of what it sees.  Each function returns a Matplotlib figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from firsthand.figures import Figure

from .deconvnet import Projected

__all__ = ["plot_fooled", "plot_projected"]

LEVELS = 15  # of a colour scale: pictures of few colours stay small files


def plot_fooled(images: np.ndarray, changed: np.ndarray, names: Sequence[str], called: Sequence[str]) -> Figure:
    """The triptych of chapter 6 for each of several images, from above: the image, the difference, the fooled one.

    Args:
        images, changed: (n, height, width) or (n, height, width, channels), floats between 0 and 1.
        names: what the images are.
        called: what the network says of the changed ones.
    """
    images, changed = (np.asarray(each, float).reshape(*np.shape(each)[:3], -1) for each in (images, changed))
    n, difference = len(images), (changed - images).mean(axis=-1)
    figure = Figure(figsize=(1.05 * n + 0.5, 3.5), layout="constrained")
    grid = figure.subplots(3, n, squeeze=False)
    reach = float(np.abs(difference).max()) or 1.0
    for column in range(n):
        _shown(grid[0, column], images[column])
        grid[1, column].imshow(difference[column], cmap=_steps("PuOr"), vmin=-reach, vmax=reach)
        _shown(grid[2, column], changed[column])
        grid[0, column].set_title(names[column], fontsize=9)
        grid[2, column].set_xlabel(called[column], fontsize=9)
    for axes in grid.flat:
        axes.set(xticks=(), yticks=())
    rows = ("image", "difference\n(orange less,\npurple more ink)", "fooled")
    for axes, name, size in zip(grid[:, 0], rows, (9, 7, 9), strict=True):
        axes.set_ylabel(name, fontsize=size)
    return figure


def plot_projected(projected: Projected, at_most: int = 8) -> Figure:
    """The patches that excite each filter most, and below what of each does so; the most excited filters first."""
    found = projected.found
    top = np.argsort(-found.values[:, 0], kind="stable")[:at_most]
    figure = Figure(figsize=(1.25 * len(top) + 0.5, 2.9), layout="constrained")
    grid = figure.subplots(2, len(top), squeeze=False)
    for column, number in enumerate(top):
        signal = projected.patches[number].mean(axis=-1)
        reach = float(np.abs(signal).max()) or 1.0
        _shown(grid[0, column], tiled(found.patches[number] / 255.0, 0.25))
        grid[1, column].imshow(tiled(signal[..., None], 0)[..., 0], cmap=_steps("PuOr"), vmin=-reach, vmax=reach)
        grid[0, column].set_title(f"filter {number + 1}", fontsize=8)
    for axes in grid.flat:
        axes.set(xticks=(), yticks=())
    for axes, name in zip(grid[:, 0], ("patches", "projected"), strict=True):
        axes.set_ylabel(name, fontsize=9)
    figure.suptitle(f"{found.name}: what excites {len(top)} of {len(found.patches)} filters most", fontsize=10)
    return figure


def tiled(pictures: np.ndarray, between: float) -> np.ndarray:
    """Pictures (n, height, width, channels) as one, in rows of about sqrt(n), with lines of `between`."""
    n, height, width, channels = pictures.shape
    across = int(np.ceil(np.sqrt(n)))
    down = -(-n // across)
    whole = np.full((down * (height + 1) - 1, across * (width + 1) - 1, channels), between, float)
    for i, picture in enumerate(pictures):
        top, left = (height + 1) * (i // across), (width + 1) * (i % across)
        whole[top : top + height, left : left + width] = picture
    return whole


def _shown(axes: Axes, image: np.ndarray) -> None:
    if image.shape[-1] == 3:
        axes.imshow(np.clip(image, 0, 1))
    else:
        axes.imshow(image.mean(axis=-1), cmap=_steps("gray_r"), vmin=0, vmax=1)


def _steps(name: str):
    return colormaps[name].resampled(LEVELS)
