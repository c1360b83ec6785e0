"""From pictures to digits: `firsthand.read`."""

from collections.abc import Iterable, Iterator
from itertools import islice

from firsthand.errors import FirsthandError
from firsthand.models import Classifier
from firsthand.processes import refuse_fork

from .box import boxed_model
from .cells import in_cells
from .compose import compose
from .decide import decide
from .judge import judge, look_again
from .load import Picture, load_grey
from .normalise import SIZE
from .page import Page
from .sheet import Sheet, analyse

__all__ = ["read", "read_many", "read_sheets"]

TOGETHER = 64  # pictures whose spans go through the networks together


def read(image: Picture, model: Classifier | None = None, *, signs: bool = False) -> Page:
    """Read the digits that are written on a picture.

    Args:
        image: a path, the bytes of a file, an open file, a picture of Pillow, or an array of uint8.
        model: names the digits, on images of (28, 28, 1); the bundled one by default.
        signs: whether the texts of the lines have the signs among their digits, too: 7,8 and not 78.
    Returns:
        The lines that were read, from top to bottom, and what was seen and not read.  A picture without writing is a
        page without lines, with the reason.
    Raises:
        DataError: no picture, a damaged or too large one.
        FirsthandError: the model expects images of another shape.

    Examples:
        >>> import numpy as np
        >>> import firsthand
        >>> sevens = np.hstack([np.pad(firsthand.mnist().test.images[0, ..., 0], 6)] * 3)
        >>> page = firsthand.read(255 - sevens)
        >>> page.text
        '777'
        >>> page.lines[0].probability > 0.9
        True
    """
    (page,) = read_sheets([analyse(load_grey(image))], model)
    return page.with_signs() if signs else page


def read_many(images: Iterable[Picture], model: Classifier | None = None) -> Iterator[Page | FirsthandError]:
    """Read many pictures; one that cannot be read is an error in its place, and does not stop the others.

    Args:
        images: as for `read`.
        model: as for `read`.
    Raises:
        FirsthandError: in a process that was forked after JAX started.
    """
    refuse_fork()  # it is no fault of one picture
    rest = iter(images)
    while some := list(islice(rest, TOGETHER)):
        sheets: list[Sheet | FirsthandError] = []
        for image in some:
            try:
                sheets.append(analyse(load_grey(image)))
            except FirsthandError as error:
                sheets.append(error)
        pages = iter(read_sheets([sheet for sheet in sheets if isinstance(sheet, Sheet)], model))
        for sheet in sheets:
            yield next(pages) if isinstance(sheet, Sheet) else sheet


def read_sheets(sheets: list[Sheet], model: Classifier | None = None) -> list[Page]:
    """Read sheets: their spans through the networks together, then each sheet for itself."""
    model = boxed_model() if model is None else model
    if model.input_shape != (SIZE, SIZE, 1):
        raise FirsthandError(f"model: it reads inputs of shape {model.input_shape}, expected ({SIZE}, {SIZE}, 1)")
    lines = [(strip, found) for sheet in sheets for strip, found in zip(sheet.strips, sheet.spans, strict=True)]
    judged = iter(judge(lines, model))
    decided = [decide([next(judged) for _ in sheet.strips], sheet.plain) for sheet in sheets]
    look_again([row for rows in decided for row in rows], model)
    pairs = zip(sheets, decided, strict=True)
    return [compose(sheet, in_cells(sheet, rows), model.classes) for sheet, rows in pairs]
