"""Read one picture as a grey image of the size that a network expects.

Grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R 601); 16-bit grey is divided by 257, and less where all
values fit into 8, 10, 12 or 14 bits; what is transparent is white paper, or black paper where nothing would be
seen on white; the orientation that a camera notes (EXIF) is applied; an animation is its first picture.
"""

import os
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from .examples import DataError

__all__ = [
    "ENDINGS",
    "FORMATS",
    "LoadedImage",
    "decode_grey",
    "fit",
    "is_dark_on_light",
    "light_on_dark",
    "load_image",
    "read_grey",
    "to_grey",
]

# Named, because Pillow knows formats that run other programs (EPS runs Ghostscript).
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".heic", ".heif"),
)
MAX_PIXELS = 64_000_000  # more is not a photo but a decompression bomb
MAX_JPEG_PIXELS = 256_000_000  # JPEG can be scaled down while it is decoded
FLAT = 32  # of 255: less between the darkest and the lightest is nothing to be seen
_JPEG = b"\xff\xd8"
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class LoadedImage(NamedTuple):
    """A picture made ready for a network, and what was done to it.

    Attributes:
        pixels: uint8 (height, width, 1).
        resized_from: the (height, width) of the picture; None if it had the right size already.
        inverted: True if dark and light were exchanged.
    """

    pixels: np.ndarray
    resized_from: tuple[int, int] | None
    inverted: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say what was done to the picture; empty if nothing was."""
        notes = []
        if self.resized_from:
            (height, width), (new_height, new_width, _) = self.resized_from, self.pixels.shape
            notes.append(f"resized from {height} x {width} to {new_height} x {new_width} pixels")
        if self.inverted:
            notes.append("inverted, to show light strokes on a dark ground")
        return tuple(notes)


def load_image(path: str | Path, shape: tuple[int, int, int], *, invert: bool | None = None) -> LoadedImage:
    """Read a picture as light strokes on a dark ground, the way MNIST shows digits.

    The picture is inverted if need be, brought to the size with its proportions kept (anti-aliased), and
    padded with its own background, which is the median grey of its border.

    Args:
        path: a PNG, JPEG, GIF, BMP, TIFF, WebP or PNM file.
        shape: (height, width, 1) of the result.
        invert: True exchanges dark and light, False does not, None does where the background is light (over
            127); the result says which.

    Raises:
        DataError: no such file, no picture, a damaged one, one of more than 64 million pixels, or a shape of
            several channels.
    """
    height, width, channels = shape
    if channels != 1:
        raise DataError(f"shape: {channels} channels found, 1 expected (pictures are read as grey)")
    grey = read_grey(path)
    grey, inverted = light_on_dark(grey, invert)
    pixels = fit(grey, height, width)
    return LoadedImage(pixels[..., np.newaxis], None if pixels.shape == grey.shape else grey.shape, inverted)


def light_on_dark(grey: np.ndarray, invert: bool | None = None) -> tuple[np.ndarray, bool]:
    """A grey picture with dark and light exchanged if need be (see `load_image`), and whether they were."""
    inverted = is_dark_on_light(grey) if invert is None else invert
    return (255 - grey if inverted else grey), inverted


def is_dark_on_light(grey: np.ndarray) -> bool:
    """Return whether the background of a picture, the median grey of its border, is light."""
    return _background(grey) > 127


def read_grey(path: str | Path) -> np.ndarray:
    """Read a picture in grey at its own size: uint8 (height, width). Raises as `load_image` does."""
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"{' '.join(repr(path).split()):.60} found, the name of a picture expected")
    if not str(path):
        raise DataError("an empty name found, that of a picture expected")
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: {'a folder' if path.is_dir() else 'no such file'} found, a picture expected")
    return decode_grey(path, str(path))


def decode_grey(file: Path | IO[bytes], name: str) -> np.ndarray:
    """Read a picture in grey from a file, on disk or open: uint8 (height, width).

    Args:
        file: where it is; an open one must be seekable.
        name: what errors call it.

    Raises:
        DataError: no picture, a damaged one, or one of more than 64 million pixels; JPEG may have 256 million, and is
            then scaled down by 2, 4 or 8 while it is decoded.
    """
    try:
        with _opened(file) as picture:
            return np.asarray(to_grey(picture))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except UnidentifiedImageError:
        found = "an empty file" if isinstance(file, Path) and not file.stat().st_size else "no picture"
        raise DataError(f"{name}: {found} found, one of {', '.join(FORMATS)} expected") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{name}: too large a picture found, at most {MAX_PIXELS:,} pixels expected") from None
    except Exception as error:  # Pillow's decoders promise no narrower list for a damaged file
        raise DataError(f"{name}: a damaged picture found ({error}), a whole one expected") from error


def _opened(file: Path | IO[bytes]) -> Image.Image:
    """A picture of one of the formats, not yet decoded."""
    if isinstance(file, Path):
        with file.open("rb") as start:
            head = start.read(12)
    else:
        head = file.read(12)
        file.seek(0)
    if head[:2] == _JPEG:
        # not by Image.open, which takes a large photo for a bomb before it can be scaled down
        try:
            # a path, which the picture then opens and closes itself; Pillow's own annotation forgets it
            picture = JpegImagePlugin.jpeg_factory(cast(Any, str(file) if isinstance(file, Path) else file))
        except SyntaxError:  # Pillow's word for a file that is none
            raise UnidentifiedImageError from None
        pixels = picture.width * picture.height
        if MAX_PIXELS < pixels <= MAX_JPEG_PIXELS:
            scale = next(scale for scale in (2, 4, 8) if pixels <= MAX_PIXELS * scale**2)
            picture.draft("L", (picture.width // scale, picture.height // scale))
        return picture
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _heif(file)
    return Image.open(file, formats=FORMATS)


def _heif(file: Path | IO[bytes]) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise DataError("a HEIC picture found, which needs pillow-heif: pip install 'firsthand[heic]'") from None
    return HeifImageFile(file)


def to_grey(picture: Image.Image) -> Image.Image:
    """Turn a picture as its camera says, and convert it to 8-bit grey by the rules at the top of this file."""
    if picture.width * picture.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "F":
        raise DataError("pixels in floating point found, 8 or 16 bits expected")
    if picture.mode.startswith("I"):  # Pillow's own conversion would cut off everything above 255
        deep = np.asarray(picture)
        if deep.min() < 0 or deep.max() > 65535:
            raise DataError(f"pixels from {deep.min()} to {deep.max()} found, 8 or 16 bits expected")
        return Image.fromarray(_eight_bits(deep))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white, black = (_on_paper(picture, paper) for paper in ("white", "black"))
        return black if _range(black) >= max(FLAT, 2 * _range(white)) else white
    return picture.convert("L")


def _eight_bits(deep: np.ndarray) -> np.ndarray:
    """16-bit grey as 8 bits; cameras and scanners put 10, 12 or 14 bits into the lower ones."""
    bits = next(bits for bits in (8, 10, 12, 14, 16) if deep.max() < 2**bits)
    return (deep.astype(np.uint32) * 255 // (2**bits - 1)).astype(np.uint8)


def _on_paper(picture: Image.Image, paper: str) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, paper), picture).convert("L")


def _range(picture: Image.Image) -> int:
    low, high = picture.getextrema()
    assert isinstance(low, int)
    assert isinstance(high, int)
    return high - low


def fit(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bring a grey picture to a size with its proportions kept, padded evenly with its background.

    Args:
        grey: uint8 (any height, any width).
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        uint8 (height, width).

    Examples:
        >>> fit(np.full((4, 2), 9, np.uint8), 2, 2)
        array([[9, 9],
               [9, 9]], dtype=uint8)
    """
    if grey.shape == (height, width):
        return grey
    scale = min(height / grey.shape[0], width / grey.shape[1])
    rows, columns = (max(1, round(scale * side)) for side in grey.shape)
    # Pillow widens this filter when it shrinks, so it averages; unlike sharper ones it never overshoots.
    resized = Image.fromarray(grey).resize((columns, rows), Image.Resampling.BILINEAR)
    top, left = (height - rows) // 2, (width - columns) // 2
    result = np.full((height, width), _background(grey), np.uint8)
    result[top : top + rows, left : left + columns] = np.asarray(resized)
    return result


def _background(grey: np.ndarray) -> int:
    """The median grey of the border: strokes that touch the border hardly move it."""
    return int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
