"""A page that was read, as a drawing of its boxes: what a notebook shows."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .page import Page

__all__ = ["page_as_svg"]

_WIDTH, _HEIGHT = 640, 480  # pixels of the drawing, at most
DIGIT, NONE, SIGN = "#0072b2", "#d55e00", "#009e73"  # as in `explain`


def page_as_svg(page: "Page") -> str:
    """The page as SVG: a box with its digit for each that was read, signs green, what was seen and not read orange.

    Examples:
        >>> from firsthand.reading import Box, Digit, Line, Page
        >>> digit = Digit("7", 0.98, (), Box(10, 10, 30, 40), 0.99)
        >>> svg = page_as_svg(Page((Line((digit,), "7"),), (), (50, 50)))
        >>> svg.count("<rect"), ">7<" in svg
        (2, True)
    """
    high, wide = page.size
    scale = min(1.0, _WIDTH / wide, _HEIGHT / high)
    parts = [f'<rect width="{wide}" height="{high}" fill="#fff" stroke="#999"/>']
    found = [
        *((digit.box, DIGIT, digit.value, f"{digit.value}: {digit.probability:.1%}") for digit in page.digits),
        *((sign.box, SIGN, sign.value, "a sign") for line in page.lines for sign in line.signs),
        *((one.box, NONE, "", one.reason) for one in page.rejected),
    ]
    for box, colour, text, about in found:
        tall = box.bottom - box.top
        parts.append(
            f'<g fill="none" stroke="{colour}"><title>{escape(about)}</title>'
            f'<rect x="{box.left}" y="{box.top}" width="{box.right - box.left}" height="{tall}" '
            f'vector-effect="non-scaling-stroke"/></g>'
        )
        if text:
            parts.append(
                f'<text x="{(box.left + box.right) / 2}" y="{box.bottom - 0.12 * tall:.1f}" font-size="{tall}" '
                f'text-anchor="middle" fill="{colour}">{escape(text)}</text>'
            )
    size = f'width="{wide * scale:.0f}" height="{high * scale:.0f}" viewBox="0 0 {wide} {high}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'
