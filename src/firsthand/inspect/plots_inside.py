"""Pictures of the inside of a network.  Each function returns a Matplotlib figure and shows or writes nothing."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from firsthand.data import Dataset
from firsthand.figures import Figure

from .filters import Strongest
from .gradients import LayerGradient
from .names import shown_names
from .neighbours import Nearest
from .units import UnitUse, WeightHistogram

__all__ = [
    "plot_feature_maps",
    "plot_gradients",
    "plot_kernels",
    "plot_learning_speed",
    "plot_neighbours",
    "plot_saliency",
    "plot_strongest",
    "plot_units",
    "plot_weights",
]

_SEQUENCE = colormaps["viridis"]  # a sequence in grey as well
_SIGNED = "PuOr"  # orange below 0, purple above, distinguishable for colour-blind readers


def plot_gradients(found: Sequence[LayerGradient]) -> Figure:
    """The length of dC/db and of dC/dw of every layer, as bars on a logarithmic scale; the first layer is on top."""
    figure = Figure(figsize=(7, 0.55 * len(found) + 1.4), layout="constrained")
    axes, places = figure.subplots(), np.arange(len(found))
    for name, shift, colour in (("bias", -0.2, "#0072B2"), ("weights", 0.2, "#E69F00")):
        lengths = np.array([getattr(layer, name) for layer in found])
        shown = lengths > 0
        symbol = {"bias": "‖∂C/∂b‖", "weights": "‖∂C/∂w‖"}[name]
        axes.barh(places[shown] + shift, lengths[shown], 0.36, color=colour, label=symbol)
    for place, layer in enumerate(found):
        for shift, length in ((-0.2, layer.bias), (0.2, layer.weights)):
            axes.annotate(
                f"{length:.2g}", (max(length, 1e-30), place + shift), (3, 0), textcoords="offset points", va="center"
            ).set_fontsize(8)
    axes.set(yticks=places, yticklabels=[layer.name for layer in found], xscale="log", xlabel="length of the gradient")
    lengths = [length for layer in found for length in (layer.bias, layer.weights) if length > 0]
    if lengths:
        # a bar on a logarithmic scale begins nowhere: a third of the shortest, and room for the numbers
        axes.set_xlim(min(lengths) / 3, max(lengths) * 3)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def plot_learning_speed(epochs: Sequence[float], lengths: Mapping[str, Sequence[float]]) -> Figure:
    """||dC/db|| of every layer over the epochs of a training, on a logarithmic scale, as in chapter 5.

    Args:
        epochs: at which it was measured.
        lengths: by the name of the layer, one length for each epoch; first layer first.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for number, (name, values) in enumerate(lengths.items()):
        colour = _SEQUENCE(0.05 + 0.8 * number / max(1, len(lengths) - 1))
        style = ("-", "--", "-.", ":")[number % 4]
        axes.plot(epochs, np.where(np.asarray(values) > 0, values, np.nan), style, color=colour, label=name)
    axes.set(xlabel="epoch", ylabel="speed of learning ‖∂C/∂b‖", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def plot_units(found: Sequence[UnitUse]) -> Figure:
    """Draw how often the units of each layer are idle (a ReLU at 0, a saturated sigmoid or tanh), each in its place.

    The units of a layer stand in the order of their share; what touches the top at the right is idle for all images.
    """
    columns = min(3, max(1, len(found)))
    rows = max(1, math.ceil(len(found) / columns))
    figure = Figure(figsize=(3.4 * columns, 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat:
        axes.axis("off")
    for axes, layer in zip(grid.flat, found, strict=False):
        axes.axis("on")
        share = np.sort(np.ravel(layer.share))
        axes.fill_between(np.arange(len(share) + 1), np.append(share, share[-1]), step="post", color="#56B4E9")
        what = "at 0" if layer.activation == "relu" else "saturated"
        always = int(layer.always.sum())
        units = f"{len(layer.always)} {'units' if layer.share.ndim == 1 else 'channels'}"
        axes.set_title(
            f"{layer.name}, {layer.activation}\n{what}: {layer.mean:.1%}; always: {always} of {units}",
            fontsize=9,
        )
        axes.set(xlim=(0, len(share)), ylim=(0, 1.02), xlabel="units, sorted")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(alpha=0.3)
    grid[0, 0].set_ylabel("share of the images")
    grid[0, 0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def plot_weights(found: Sequence[WeightHistogram]) -> Figure:
    """Draw the histogram of the weights of every layer."""
    columns = min(3, max(1, len(found)))
    rows = max(1, math.ceil(len(found) / columns))
    figure = Figure(figsize=(3.4 * columns, 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, layer in zip(grid.flat, found, strict=False):
        axes.axis("on")
        axes.stairs(layer.counts, layer.edges, fill=True, color="#0072B2")
        axes.set_title(f"{layer.name}\n{layer.counts.sum():,} weights, standard deviation {layer.std:.2g}", fontsize=9)
        axes.set(xlabel="weight", ylabel="how many")
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def plot_kernels(kernels: np.ndarray, at_most: int = 100) -> Figure:
    """Kernels as images, as in the book: (filters, height, width, channels), one row for each channel if several.

    A positive weight is purple, a negative one orange, 0 white; the strength of the colour is that of the weight, on
    the same scale for all.
    """
    filters, _, _, channels = kernels.shape
    shown = kernels[: max(1, at_most // channels)]
    per_row = min(10, filters) if channels == 1 else channels
    pictures = [each[:, :, c] for each in shown for c in range(channels)]
    reach = float(np.max(np.abs(kernels))) or 1.0
    figure = Figure(
        figsize=(0.85 * per_row + 1.4, 0.85 * math.ceil(len(pictures) / per_row) + 0.9), layout="constrained"
    )
    grid = _images(figure, pictures, per_row, cmap=_SIGNED, vmin=-reach, vmax=reach)
    title = f"{filters} kernels" if channels == 1 else f"{filters} kernels: a row each, a column for each channel"
    left = "" if len(shown) == filters else f", the first {len(shown)}"
    figure.suptitle(title + left, fontsize=10)
    figure.colorbar(grid[0, 0].images[0], ax=grid, label="weight", shrink=0.9)
    return figure


def plot_feature_maps(image: np.ndarray, maps: np.ndarray, name: str = "") -> Figure:
    """An image, (height, width, channels), and what each filter of a layer makes of it, (channels, height, width)."""
    per_row = min(10, len(maps) + 1)
    figure = Figure(
        figsize=(0.95 * per_row + 1.2, 0.95 * math.ceil((len(maps) + 1) / per_row) + 0.6), layout="constrained"
    )
    low, high = float(maps.min()), float(maps.max())
    grid = _images(figure, [image, *maps], per_row, cmap="viridis", vmin=low, vmax=high if high > low else low + 1)
    grid[0, 0].clear()
    grid[0, 0].axis("off")
    grid[0, 0].imshow(_picture(image), cmap="gray_r")
    figure.suptitle(f"the image and its {len(maps)} feature maps{' in ' * bool(name)}{name}", fontsize=10)
    if len(maps):
        figure.colorbar(grid.flat[1].images[0], ax=grid, label="activation", shrink=0.9)
    return figure


def plot_strongest(found: Strongest, at_most: int = 40) -> Figure:
    """The patches that each filter of a layer answers to most, a row for each, the strongest first."""
    shown = min(at_most, len(found.patches))
    count = found.patches.shape[1]
    halves = 2 if shown > 10 else 1  # many filters stand in two blocks side by side
    rows = math.ceil(shown / halves)
    figure = Figure(figsize=(halves * (0.52 * count + 0.9), 0.52 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, halves * (count + 1), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for number in range(shown):
        block, row = divmod(number, rows)
        line = grid[row, block * (count + 1) : (block + 1) * (count + 1)]
        line[0].text(0.5, 0.5, str(number + 1), ha="center", va="center", fontsize=10, transform=line[0].transAxes)
        for axes, patch in zip(line[1:], found.patches[number], strict=True):
            axes.imshow(_picture(patch), cmap="gray_r", vmin=0, vmax=255)
            axes.add_patch(_frame(axes))
    figure.suptitle(f"{found.name}: what each of {len(found.patches)} filters answers to most", fontsize=10)
    return figure


def plot_saliency(images: np.ndarray, found: Mapping[str, np.ndarray], titles: Sequence[str] = ()) -> Figure:
    """Images in a row, and under each what was found about its pixels, (n, height, width), by the name of the method.

    A map that has negative values is coloured about 0, each on its own scale.
    """
    n = len(images)
    figure = Figure(figsize=(1.25 * n + 1.2, 1.3 * (1 + len(found)) + 0.4), layout="constrained")
    grid = figure.subplots(1 + len(found), n, squeeze=False)
    for column in range(n):
        grid[0, column].imshow(_picture(images[column]), cmap="gray_r")
        if len(titles):
            grid[0, column].set_title(titles[column], fontsize=9)
        for axes, values in zip(grid[1:, column], found.values(), strict=True):
            reach = float(np.max(np.abs(values[column]))) or 1.0
            signed = float(values.min()) < 0
            axes.imshow(values[column], cmap=_SIGNED if signed else "viridis", vmin=-reach if signed else 0, vmax=reach)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
    for axes, name in zip(grid[:, 0], ("image", *found), strict=True):
        axes.set_ylabel(name, fontsize=9)
    return figure


def plot_neighbours(images: np.ndarray, found: Nearest, data: Dataset) -> Figure:
    """Images at the left, and beside each its nearest in a data set, with their labels and distances."""
    n, count = found.index.shape
    names = shown_names(data.classes)
    figure = Figure(figsize=(0.95 * (count + 1) + 0.3, 1.15 * n + 0.4), layout="constrained")
    grid = figure.subplots(n, count + 1, squeeze=False)
    for row in range(n):
        grid[row, 0].imshow(_picture(images[row]), cmap="gray_r")
        grid[row, 0].set_title("the image", fontsize=8)
        for axes, index, distance in zip(grid[row, 1:], found.index[row], found.distance[row], strict=True):
            axes.imshow(_picture(data.images[index]), cmap="gray_r")
            axes.set_title(f"{names[data.labels[index]]} · {distance:.2f}", fontsize=8)
    for axes in grid.flat:
        axes.axis("off")
    figure.suptitle("nearest in the last hidden layer: label · distance", fontsize=9)
    return figure


def _images(figure: Figure, pictures: Sequence[np.ndarray], per_row: int, **how) -> np.ndarray:
    grid = figure.subplots(math.ceil(len(pictures) / per_row), per_row, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, picture in zip(grid.flat, pictures, strict=False):
        axes.imshow(_picture(picture), **how)
        axes.add_patch(_frame(axes))
    return grid


def _frame(axes: Axes):
    from matplotlib.patches import Rectangle

    # around the picture: what is white at its edge would have none
    return Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor="0.6", linewidth=0.6)


def _picture(image: np.ndarray) -> np.ndarray:
    """An image as Matplotlib takes it: three channels as red, green and blue, any other number as their mean."""
    if image.ndim == 2 or image.shape[-1] == 3:
        return image
    return image[..., 0] if image.shape[-1] == 1 else image.mean(axis=-1)
