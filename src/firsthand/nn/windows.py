"""Rectangles of an image, and the windows that slide over it."""

from typing import NamedTuple

__all__ = ["Field", "UnknownField", "Windows", "pair", "whole"]

Shape = tuple[int, ...]


class Field(NamedTuple):
    """A rectangle of pixels: rows top to bottom - 1, columns left to right - 1, the first row and column being 0.

    Where a layer has padding it may reach beyond the image.  Of a sequence the rows are time steps, and there is one
    column; of a vector there is one row and one column.
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def known(self) -> bool:
        """True if the layers say the rectangle; False if it is the whole because one of them does not say."""
        return True

    def union(self, *others: "Field") -> "Field":
        """The smallest rectangle around this one and the others."""
        top, bottom, left, right = zip(self, *others, strict=True)
        return Field(min(top), max(bottom), min(left), max(right))

    def within(self, other: "Field") -> "Field":
        """The part of this rectangle that lies in another; without rows or columns where there is none."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        return Field(top, max(top, min(self.bottom, other.bottom)), left, max(left, min(self.right, other.right)))


class UnknownField(Field):
    """The whole image, because a layer on the way does not say what of its input an output depends on."""

    @property
    def known(self) -> bool:
        """False: the true rectangle may be smaller."""
        return False


def whole(shape: Shape) -> Field:
    """The whole of an example of this shape."""
    if len(shape) == 3:
        return Field(0, shape[0], 0, shape[1])
    return Field(0, shape[0] if len(shape) == 2 else 1, 0, 1)


class Windows(NamedTuple):
    """Windows of `size` pixels, `stride` apart, over an image with `padding` around it; all as (rows, columns).

    Output (i, j) belongs to the window whose upper left pixel is (i * stride - padding, j * stride - padding).
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def places(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of windows in an image: (size of the image + 2 padding - size) // stride + 1.

        A window that does not fit is left out; the numbers are 0 or less where none fits.
        """
        rows, columns = (
            (pixels + 2 * padding - size) // stride + 1
            for pixels, size, stride, padding in zip((height, width), *self, strict=True)
        )
        return rows, columns

    def seen(self, field: Field) -> Field:
        """The pixels in the windows of a rectangle of outputs.

        Rows [r, s) of the output see the rows [r d - p, (s - 1) d - p + k) of the input; columns alike.
        """
        (kh, kw), (down, right), (above, beside) = self
        return Field(
            field.top * down - above,
            (field.bottom - 1) * down - above + kh,
            field.left * right - beside,
            (field.right - 1) * right - beside + kw,
        )


def pair(size: tuple[int, int] | int) -> tuple[int, int]:
    """(rows, columns), of these or of one number for both."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])
