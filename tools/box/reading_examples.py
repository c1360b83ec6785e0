"""The truth about spans of pages: examples for the network that tells digits from what is none.

A page made by program knows whose ink every pixel is.  A span that holds nearly all of one digit and hardly anything
else is a digit; one that clearly is a part, or more than one, or no digit's ink, is none; the rest is left out.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.pages import Page  # noqa: E402
from firsthand.reading.normalise import hypotheses  # noqa: E402
from firsthand.reading.segment import Span, Strip  # noqa: E402
from firsthand.reading.sheet import Sheet, analyse  # noqa: E402

WHOLE, PURE = 0.85, 0.85  # shares from which on a span is a digit
PART, MIXED = 0.7, 0.75  # and below which it is none


class Examples(NamedTuple):
    """Hypotheses of a page, what they are, and which digits could have been read from them.

    Attributes:
        images: uint8 (n, 28, 28, 3).
        digit: int (n,): 1 a digit, 0 none, -1 neither.
        value: int (n,): of the digit, or -1.
        found: bool, for every digit of the page, whether a span holds it.
    """

    images: np.ndarray
    digit: np.ndarray
    value: np.ndarray
    found: np.ndarray


def kept(
    path: Path,
    names: tuple[str, ...],
    of_each: Callable[[str, int], tuple[np.ndarray, ...]],
    part: str,
    n: int,
    workers: int,
    together: int,
) -> list[np.ndarray]:
    """The arrays of n pages or lines one after the other, out of a file, or made by processes and kept there.

    Args:
        path: of the file, .npz.
        names: of the arrays.
        of_each: makes them, of a part of the data, from a number.
        part: "train" or "validation".
        n: how many.
        workers: processes.
        together: how many a process takes at a time.
    """
    if not path.exists():
        made = []
        with ProcessPoolExecutor(workers) as pool:
            for found in pool.map(of_each, [part] * n, range(n), chunksize=together):
                made.append(found)
                if len(made) % (10 * together) == 0:
                    print(f"{part}: {len(made)} of {n}", flush=True)
        arrays: Any = dict(zip(names, map(np.concatenate, zip(*made, strict=True)), strict=True))
        np.savez_compressed(path, **arrays)
    with np.load(path) as file:
        return [file[name] for name in names]


def examples(page: Page) -> Examples:
    """The spans of a page, with the truth about each."""
    sheet = analyse(page.image)
    amounts = np.bincount(np.maximum(page.owner, 0).ravel(), minlength=len(page.truth) + 1)
    images, digit, value = [], [], []
    found = np.zeros(len(page.truth), bool)
    for strip, spans in zip(sheet.strips, sheet.spans, strict=True):
        images.append(hypotheses(strip, spans))
        shares = _owners(sheet, strip, page.owner, len(page.truth))
        for span in spans:
            kind, who = _judged(span, shares, amounts / sheet.factor**2 * strip.scale**2)
            digit.append(kind)
            value.append(page.truth[who].value if kind == 1 else -1)
            if kind == 1:
                found[who] = True
    none = np.zeros((0, 28, 28, 3), np.uint8)
    return Examples(np.concatenate([none, *images]), np.array(digit, int), np.array(value, int), found)


def _owners(sheet: Sheet, strip: Strip, owner: np.ndarray, n: int) -> np.ndarray:
    """Pixels of each piece (rows) that are nobody's, digit 1's, ... digit n's, or of what is no digit (columns)."""
    y, x = np.nonzero(strip.piece & (strip.ink > 0.4).astype(np.int16) * -1)
    at_x, at_y = sheet.places(*strip.on_page(x, y))
    high, wide = owner.shape
    who = owner[np.clip(np.round(at_y), 0, high - 1).astype(int), np.clip(np.round(at_x), 0, wide - 1).astype(int)]
    who = np.where(who < 0, n + 1, who)
    table = np.zeros((len(strip.boxes), n + 2))
    np.add.at(table, (strip.piece[y, x] - 1, who), 1)
    return table


def _judged(span: Span, shares: np.ndarray, amounts: np.ndarray) -> tuple[int, int]:
    """The label of a span: whether it is a digit, and which."""
    ink = shares[span.first : span.last].sum(0)
    # soft edges are nobody's: they belong to whoever is there
    ink = ink[1:]
    if not ink.sum():
        return 0, -1
    who = int(np.argmax(ink))
    if who == len(ink) - 1:
        return 0, -1
    pure = ink[who] / ink.sum()
    everywhere = shares[:, who + 1].sum()
    whole = ink[who] / max(everywhere, 0.35 * amounts[who + 1], 1)
    if pure >= PURE and whole >= WHOLE:
        return 1, who
    return (0 if pure < MIXED or whole < PART else -1), who
