"""The findings on a picture: lines of digits, how sure each is, and what was seen and not read."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from firsthand.notebooks import html_table

from .svg import page_as_svg

__all__ = ["Box", "Digit", "Line", "Page", "Reject", "Sign"]


class Box(NamedTuple):
    """A rectangle in pixels of the picture as it is seen: left and top belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Digit:
    """A digit that was read.

    Args:
        value: its name, '0' to '9' with the bundled model.
        probability: that it is a digit, and this one: p(digit) p(value | digit), both calibrated.
        alternatives: other values with their probabilities, likeliest first.
        box: where.
        is_digit: p(digit), the first of the two factors.
    """

    value: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    box: Box
    is_digit: float


@dataclass(frozen=True)
class Reject:
    """Ink that was seen and is no digit: where, why ('not a digit', 'within a word', ...), and p(digit)."""

    box: Box
    reason: str
    is_digit: float


@dataclass(frozen=True)
class Sign:
    """A sign among digits: one of `signs.SIGNS`, its place, and the number of digits of its line to its left."""

    value: str
    box: Box
    place: int


@dataclass(frozen=True)
class Line:
    """A line of digits, from left to right.

    Attributes:
        text: the values; a space where a gap is wider than a digit.  With signs where `read` was asked for them.
        signs: among its digits, from left to right.
        in_cells: whether most of its digits stand in cells of a table or in boxes.
        probability: that all of them are right: the product of theirs.
        box: around all of them.
    """

    digits: tuple[Digit, ...]
    text: str
    signs: tuple[Sign, ...] = ()
    in_cells: bool = False

    @property
    def whole(self) -> str:
        """The text with its signs."""
        return _whole(self.text, self.signs)

    @property
    def probability(self) -> float:
        product = 1.0
        for digit in self.digits:
            product *= digit.probability
        return product

    @property
    def box(self) -> Box:
        boxes = [digit.box for digit in self.digits]
        return Box(
            min(b.left for b in boxes),
            min(b.top for b in boxes),
            max(b.right for b in boxes),
            max(b.bottom for b in boxes),
        )


@dataclass(frozen=True, repr=False)
class Page:
    """The result of reading a picture.

    Args:
        lines: from top to bottom; none without a digit.
        rejected: what was seen and is no digit.
        size: (height, width) of the picture in pixels, as it is seen.
        degrees: by which the writing rises to the right.
        light_on_dark: whether the writing is lighter than the ground.
        reason: why there are no lines; '' if there are.
        turned: degrees, 0, 90, 180 or 270, by which the picture was turned anticlockwise so that it stands upright.
        sheet: around the paper that was found; None where nothing was looked for.
    """

    lines: tuple[Line, ...]
    rejected: tuple[Reject, ...]
    size: tuple[int, int]
    degrees: float = 0.0
    light_on_dark: bool = False
    reason: str = ""
    turned: int = 0
    sheet: Box | None = None

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """The digits of all lines."""
        return tuple(digit for line in self.lines for digit in line.digits)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        read = f"{len(self.lines)} lines of {len(self.digits)} digits" if self.lines else self.reason
        return f"<Page {self.size[1]} x {self.size[0]}: {read}, {len(self.rejected)} rejected>"

    def _repr_html_(self) -> str:
        rows = [(line.text, f"{line.probability:.1%}") for line in self.lines]
        table = html_table(("line", "probability"), rows, caption=self.reason)
        return f"<div>{page_as_svg(self)}{table}</div>"

    def sure(self, least: float) -> "Page":
        """The same without the digits of a probability below `least`, which are rejected as 'not sure'."""
        lines, unsure = [], []
        for line in self.lines:
            kept = tuple(d for d in line.digits if d.probability >= least)
            unsure += [Reject(d.box, "not sure", d.is_digit) for d in line.digits if d.probability < least]
            if kept:
                # a digit that is left out leaves a question mark: 12 and 1?2 are different numbers
                values = iter(line.digits)
                text = "".join(
                    c if c == " " else (d.value if (d := next(values)).probability >= least else "?") for c in line.text
                )
                lines.append(replace(line, digits=kept, text=text))
        reason = self.reason or ("" if lines else f"no digit has a probability of {least:g} or more")
        return replace(self, lines=tuple(lines), rejected=(*self.rejected, *unsure), reason=reason)

    def with_signs(self) -> "Page":
        """The same with the signs in the texts of its lines."""
        return replace(self, lines=tuple(replace(line, text=line.whole) for line in self.lines))

    def to_json(self) -> dict[str, Any]:
        """The page for programs."""
        return {
            "text": self.text,
            "lines": [
                {
                    "text": line.text,
                    "probability": line.probability,
                    "box": list(line.box),
                    "in_cells": line.in_cells,
                    "signs": [{"value": sign.value, "box": list(sign.box), "place": sign.place} for sign in line.signs],
                    "digits": [
                        {
                            "value": digit.value,
                            "probability": digit.probability,
                            "alternatives": dict(digit.alternatives),
                            "box": list(digit.box),
                        }
                        for digit in line.digits
                    ],
                }
                for line in self.lines
            ],
            "rejected": [{"box": list(r.box), "reason": r.reason, "p_digit": r.is_digit} for r in self.rejected],
            "height": self.size[0],
            "width": self.size[1],
            "degrees": self.degrees,
            "turned": self.turned,
            "sheet": list(self.sheet) if self.sheet else None,
            "light_on_dark": self.light_on_dark,
            "reason": self.reason,
        }


def _whole(text: str, signs: tuple[Sign, ...]) -> str:
    """A text of digits, spaces and question marks with signs at their places."""
    parts, place, rest = [], 0, list(signs)
    for c in text:
        if c == " ":
            parts.append(c)
            continue
        while rest and rest[0].place <= place:
            parts.append(rest.pop(0).value)
        parts.append(c)
        place += 1
    # a space beside a sign says nothing: the sign keeps digits apart
    whole = "".join(parts) + "".join(sign.value for sign in rest)
    for sign in {sign.value for sign in signs}:
        whole = whole.replace(f" {sign}", sign).replace(f"{sign} ", sign)
    return whole
