"""Sheets that people write on, by kind: plain, ruled and squared paper, tables, boxes and combs, forms, sums, letters.

Every kind takes an empty canvas and a hand, prints its lines and writes its digits, words and signs.
"""

import numpy as np

from . import marks
from .hands import Canvas, Hand, Written

__all__ = ["SHEETS"]

SIGNS = "+-,.:/=x"


def _token(rng: np.random.Generator) -> str:
    """A number, amount, date or sum: # is a digit."""
    n = int(rng.integers(1, 8))
    kind = rng.random()
    if kind < 0.6:
        return "#" * n
    return str(
        rng.choice(["#,#", "##.##", "#/#/##", "##/##", "##:##", "-##", "#-#", "#+#=##", "##+#", "#x#", "###,##"])
    )


def _fill(canvas: Canvas, hand: Hand, rows: list[tuple[float, float, float]], words: float) -> None:
    """Rows (middle, left, right) with numbers, or with words where chance says so."""
    rng = canvas.rng
    for middle, left, right in rows:
        x = left + rng.uniform(0, 0.5) * (right - left) * (rng.random() < 0.6)
        text = rng.random() < words
        if text:
            while x < right:
                x = hand.word(canvas, x, middle) + hand.height * rng.uniform(0.4, 0.9)
                if rng.random() < 0.12:
                    x = hand.write(canvas, _token(rng), x, middle, right) + 0.6 * hand.height
        elif rng.random() < 0.85:
            hand.write(canvas, _token(rng), x, middle, right)


def _rows(canvas: Canvas, height: float, spacing: float, first: float) -> list[tuple[float, float, float]]:
    high, wide = canvas.shape
    margin = canvas.rng.uniform(0.02, 0.15) * wide
    return [(y, margin, wide - margin) for y in np.arange(first, high - 0.6 * height, spacing)]


def _plain(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    rows = _rows(canvas, hand.height, hand.height * rng.uniform(1.5, 3), hand.height * rng.uniform(0.8, 2))
    _fill(canvas, hand, rows, 0.2)
    if rng.random() < 0.2:
        drawn = marks.doodle(rng, hand.part, hand.height)
        canvas.put(drawn, rng.uniform(0, canvas.shape[1]), rng.uniform(0, canvas.shape[0]), -1)


def print_rules(canvas: Canvas, distance: float, upright: bool, **about: float) -> None:
    """Lines across the sheet at equal distances."""
    rng = canvas.rng
    high, wide = canvas.shape
    short = rng.random() < 0.25
    x0, x1 = (rng.uniform(0, 0.2), rng.uniform(0.7, 1.0)) if short else (-0.1, 1.1)
    bend = rng.normal(0, 0.004) * wide
    end = wide if upright else high
    for at in np.arange(rng.uniform(0, distance), end, distance):
        if upright:
            canvas.line(at, x0 * high, at, x1 * high, bend=bend, **about)
        else:
            canvas.line(x0 * wide, at, x1 * wide, at, bend=bend, **about)


def _printed(rng: np.random.Generator, height: float) -> dict[str, float]:
    """Width and strength of printed lines: from hair lines to bars as dark as the pen."""
    return {
        "width": float(np.clip(height * np.exp(rng.normal(np.log(0.035), 0.5)), 0.9, 0.12 * height + 1)),
        "strength": float(rng.uniform(0.15, 1.0)),
        "dash": float(rng.uniform(3, 12)) if rng.random() < 0.06 else 0.0,
    }


def _ruled(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    spacing = hand.height * rng.uniform(0.7, 2.6)
    about = _printed(rng, hand.height)
    print_rules(canvas, spacing, False, **about)
    if rng.random() < 0.3:
        x = rng.uniform(0.05, 0.25) * canvas.shape[1]
        canvas.line(x, 0, x, canvas.shape[0], about["width"], rng.uniform(0.3, 0.8))
    rows = _rows(canvas, hand.height, max(spacing, 1.35 * hand.height), rng.uniform(0.6, 1.6) * hand.height)
    _fill(canvas, hand, rows, 0.2)


def _squared(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    spacing = hand.height * rng.uniform(0.45, 1.4)
    about = _printed(rng, min(hand.height, spacing))
    about["strength"] *= rng.uniform(0.4, 1)
    print_rules(canvas, spacing, False, **about)
    print_rules(canvas, spacing, True, **about)
    rows = _rows(canvas, hand.height, rng.uniform(1.35, 2.2) * hand.height, rng.uniform(0.6, 1.6) * hand.height)
    _fill(canvas, hand, rows, 0.2)


def _table(canvas: Canvas, hand: Hand) -> None:
    """Cells with a digit or a number each; of Sudokus every third line is bold."""
    rng = canvas.rng
    high, wide = canvas.shape
    sudoku = rng.random() < 0.35
    tall = hand.height * (rng.uniform(1.15, 1.8) if sudoku else rng.uniform(1.2, 2.6))
    broad = tall * rng.uniform(0.9, 1.1) if sudoku else hand.height * rng.uniform(1.1, 5)
    rows = max(1, min(9 if sudoku else 14, int((high * rng.uniform(0.7, 1.1)) / tall)))
    columns = max(1, min(9 if sudoku else 10, int((wide * rng.uniform(0.7, 1.1)) / broad)))
    left, top = (wide - columns * broad) * rng.uniform(0, 1), (high - rows * tall) * rng.uniform(0, 1)
    about = _printed(rng, hand.height)
    bold = about["width"] * rng.uniform(1.5, 2.5)
    for i in range(rows + 1):
        thick = bold if sudoku and i % 3 == 0 else about["width"]
        canvas.line(left, top + i * tall, left + columns * broad, top + i * tall, thick, about["strength"])
    for j in range(columns + 1):
        thick = bold if sudoku and j % 3 == 0 else about["width"]
        canvas.line(left + j * broad, top, left + j * broad, top + rows * tall, thick, about["strength"])
    words = rng.random() < 0.3
    for i in range(rows):
        number, said = len(canvas.texts), ""
        for j in range(columns):
            if rng.random() < 0.12:
                continue
            middle = top + (i + 0.5) * tall + rng.normal(0, 0.1) * (tall - hand.height)
            if words and (j == 0 or i == 0):
                hand.word(canvas, left + j * broad + 3, middle, rng.uniform(0.4, 0.9) * hand.height, printed=True)
                continue
            count = 1 if broad < 2.2 * hand.height else int(rng.integers(1, max(2, int(broad / hand.height))))
            x = left + (j + 0.5) * broad - 0.4 * count * hand.height + rng.normal(0, 0.08) * broad
            for _ in range(count):
                value, ink = hand.digit()
                if x + ink.shape[1] > left + (j + 1.04) * broad:
                    break
                if canvas.put(ink, x, middle - ink.shape[0] / 2, len(canvas.truth) + 1):
                    canvas.truth.append(Written(value, number, x + ink.shape[1] / 2, middle, ink.shape[0]))
                    said += str(value)
                x += ink.shape[1] + 0.15 * hand.height
        if said:
            canvas.texts.append(said)


def _boxes(canvas: Canvas, hand: Hand) -> None:
    """Rows of boxes or combs, a digit in each, some of which touch the frame."""
    rng = canvas.rng
    high, wide = canvas.shape
    y = hand.height * rng.uniform(0.3, 1.5)
    while y + 1.8 * hand.height < high:
        tall, broad = hand.height * rng.uniform(1.05, 1.7), hand.height * rng.uniform(0.85, 1.6)
        n = max(1, min(int(rng.integers(1, 12)), int((wide - hand.height) / broad)))
        x = rng.uniform(0.02, 1) * max(2, wide - n * broad - 4)
        comb, apart = rng.random() < 0.3, (rng.random() < 0.25) * rng.uniform(0.1, 0.4) * hand.height
        about = _printed(rng, hand.height)
        tooth = tall * rng.uniform(0.15, 0.5) if comb else tall
        number, said = len(canvas.texts), ""
        for j in range(n + 1):
            left = x + j * (broad + apart)
            if left + broad > wide and j < n:
                break
            if j < n:
                canvas.line(left, y + tall, left + broad, y + tall, **about)
                if not comb:
                    canvas.line(left, y, left + broad, y, **about)
            canvas.line(left, y + tall - tooth, left, y + tall, **about)
            if apart and j < n:
                canvas.line(left + broad, y + tall - tooth, left + broad, y + tall, **about)
            if j < n and rng.random() < 0.85:
                value, ink = hand.digit()
                a = left + (broad - ink.shape[1]) / 2 + rng.normal(0, 0.1) * broad
                b = y + (tall - ink.shape[0]) / 2 + rng.normal(0, 0.08) * tall
                if canvas.put(ink, a, b, len(canvas.truth) + 1):
                    canvas.truth.append(
                        Written(value, number, a + ink.shape[1] / 2, b + ink.shape[0] / 2, ink.shape[0])
                    )
                    said += str(value)
        if said:
            canvas.texts.append(said)
        y += tall + hand.height * rng.uniform(0.4, 2)


def _form(canvas: Canvas, hand: Hand) -> None:
    """Printed words, and beside each a number on a line or in a frame."""
    rng = canvas.rng
    high, wide = canvas.shape
    for y in np.arange(hand.height, high - hand.height, hand.height * rng.uniform(1.7, 3)):
        x = rng.uniform(0.02, 0.2) * wide
        for _ in range(int(rng.integers(0, 3))):
            x = hand.word(canvas, x, y, hand.height * rng.uniform(0.35, 0.8), printed=True) + 0.4 * hand.height
            if x > wide:
                break
        if x > 0.8 * wide:
            continue
        about, end = _printed(rng, hand.height), min(wide, x + hand.height * rng.uniform(4, 10))
        base = y + hand.height * rng.uniform(0.4, 0.75)
        canvas.line(x, base, end, base, **about)
        if rng.random() < 0.35:
            top = y - hand.height * rng.uniform(0.6, 0.9)
            for a, b, c, d in ((x, top, end, top), (x, top, x, base), (end, top, end, base)):
                canvas.line(a, b, c, d, **about)
        hand.write(canvas, _token(rng), x + 0.4 * hand.height, y, end)


def _sum(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    for y in np.arange(hand.height, canvas.shape[0] - hand.height, hand.height * rng.uniform(1.6, 2.6)):
        text = "".join(
            part for i in range(int(rng.integers(1, 4))) for part in (*([str(rng.choice(list(SIGNS)))] if i else []),
                                                                      "#" * int(rng.integers(1, 4)))
        )  # fmt: skip
        hand.write(canvas, text, rng.uniform(0.02, 0.3) * canvas.shape[1], y)
    if rng.random() < 0.4:
        print_rules(canvas, hand.height * rng.uniform(0.8, 2), False, **_printed(rng, hand.height))


def _letters(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    if rng.random() < 0.5:
        print_rules(canvas, hand.height * rng.uniform(1, 2), False, **_printed(rng, hand.height))
    _fill(canvas, hand, _rows(canvas, hand.height, 1.7 * hand.height, hand.height), 1.0)


def _single(canvas: Canvas, hand: Hand) -> None:
    rng = canvas.rng
    high, wide = canvas.shape
    hand.write(canvas, "#" * int(rng.integers(1, 3)), rng.uniform(0.1, 0.4) * wide, rng.uniform(0.35, 0.65) * high)


SHEETS = {
    "plain": _plain,
    "ruled": _ruled,
    "squared": _squared,
    "table": _table,
    "boxes": _boxes,
    "form": _form,
    "sum": _sum,
    "letters": _letters,
    "single": _single,
}
