"""The small files that the figures of experiments are written to."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.files import write_atomically

from .experiment import Experiment
from .result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_figures", "write_figure"]


def draw_figures(experiment: Experiment, result: Result, needed: Mapping[str, Result], folder: Path) -> list[Path]:
    """Draw an experiment's figures from its Result into FOLDER/ID-NAME.svg or .png, in place of those that are there.

    Args:
        experiment: declares the figures.
        result: what is drawn.
        needed: Results of the experiments that this one needs, by id.
        folder: where; made if it is not there.
    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_figure(drawing.draw(result, needed), folder / f"{result.id}-{drawing.name}")
        for drawing in experiment.drawings
    ]


def write_figure(figure: "Figure", stem: Path) -> Path:
    """Write a figure to STEM.svg, or to STEM.png if that is less than half as large, and remove the other.

    The same figure gives the same bytes.  Text in SVG stays text: no fonts are embedded.
    """
    contents = {".svg": _svg(figure, stem.name), ".png": _png(figure)}
    # lines stay sharp in SVG, which is worth a few kilobytes; images and thousands of points are not
    better, other = (".png", ".svg") if 2 * len(contents[".png"]) < len(contents[".svg"]) else (".svg", ".png")
    path = write_atomically(stem.with_name(stem.name + better), contents[better])
    stem.with_name(stem.name + other).unlink(missing_ok=True)
    return path


def _svg(figure: "Figure", name: str) -> bytes:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    looks: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "font.family": ["DejaVu Sans", "sans-serif"]}
    with rc_context(looks):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    # what only programs that edit it would need
    found = re.sub(rb"<metadata>.*?</metadata>|<!--.*?-->|(?<=>)\s+(?=<)", b"", buffer.getvalue(), flags=re.DOTALL)
    # a hundredth of a point is enough for every position; text is left as it is
    return re.sub(
        rb'(?<= )(d|x|y|x1|x2|y1|y2|transform)="[^"]*"',
        lambda found: re.sub(rb"(\d+\.\d{2})\d+", rb"\1", found[0]) if b"scale" not in found[0] else found[0],
        re.sub(rb"\s+", b" ", found),
    )


def _png(figure: "Figure") -> bytes:
    from PIL import Image

    buffer, smaller = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    buffer.seek(0)
    Image.open(buffer).convert("RGB").quantize(64).save(smaller, "PNG", optimize=True)
    return smaller.getvalue()
