"""What is found on a picture: lines of digits, how sure each is, and what was seen and not read."""

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Box", "Digit", "Line", "Page", "Reject"]


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
        value: its name, '0' to '9' with the model in the box.
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
class Line:
    """A line of digits, from left to right.

    Attributes:
        text: the values; a space where a gap is wider than a digit.
        probability: that all of them are right: the product of theirs.
        box: around all of them.
    """

    digits: tuple[Digit, ...]
    text: str

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


@dataclass(frozen=True)
class Page:
    """What was read from a picture.

    Args:
        lines: from top to bottom; none without a digit.
        rejected: what was seen and is no digit.
        size: (height, width) of the picture in pixels, as it is seen.
        degrees: by which the writing rises to the right.
        light_on_dark: whether the writing is lighter than the ground.
        reason: why there are no lines; '' if there are.
    """

    lines: tuple[Line, ...]
    rejected: tuple[Reject, ...]
    size: tuple[int, int]
    degrees: float = 0.0
    light_on_dark: bool = False
    reason: str = ""

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """Of all lines."""
        return tuple(digit for line in self.lines for digit in line.digits)

    def __str__(self) -> str:
        return self.text

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
                lines.append(Line(kept, text))
        reason = self.reason or ("" if lines else f"no digit has a probability of {least:g} or more")
        return Page(tuple(lines), (*self.rejected, *unsure), self.size, self.degrees, self.light_on_dark, reason)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "text": self.text,
            "lines": [
                {
                    "text": line.text,
                    "probability": line.probability,
                    "box": list(line.box),
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
            "light_on_dark": self.light_on_dark,
            "reason": self.reason,
        }
