"""Bibles in the format of the SWORD project (zText), as Debian packages them: verse after verse, as plain text.

Three files for each testament: NAME.bzz holds blocks packed with zlib, NAME.bzs where each begins and how long it is,
NAME.bzv for each verse its block, and where it lies in it.
"""

import re
import struct
import zlib
from html import unescape
from pathlib import Path

from firsthand.errors import reading

from .bounded import unpacked_limit
from .examples import DataError

__all__ = ["BIBLES", "aligned_verses", "bible"]

# name -> the module's folder, and the Debian package that it comes with
BIBLES = {
    "king-james": ("engKJV2006eb", "sword-text-kjv"),
    "spanish": ("spaRV1909eb", "sword-text-sparv"),
}
_FOLDER = Path("/usr/share/sword/modules/texts/ztext")
_BLOCK = struct.Struct("<III")  # place and length in .bzz, length unpacked
_VERSE = struct.Struct("<IIH")  # number of the block, place and length in it
_NO_TEXT = re.compile(r"<(title|note)\b.*?</\1>|<[^>]*>", re.DOTALL)


def bible(name: str = "king-james", folder: Path | None = None) -> tuple[str, ...]:
    """Return the verses of a Bible in their order, without markup; those that are empty are left out.

    Args:
        name: one of `BIBLES`.
        folder: of the module's files; by default where Debian's package puts them.
    Raises:
        DataError: the files are not there, the message naming the package; or they are no such files.
    """
    return tuple(verse for verse in _all_verses(name, folder) if verse)


def aligned_verses(first: str = "king-james", second: str = "spanish") -> tuple[tuple[str, str], ...]:
    """Return the verses of two Bibles side by side, those that both have.

    Raises:
        DataError: as `bible`; or the two do not number their verses alike.
    """
    one, other = (_all_verses(name, None) for name in (first, second))
    if len(one) != len(other):
        raise DataError(
            f"bibles {first} and {second}: {len(one)} and {len(other)} verses found, as many in both expected"
        )
    return tuple((a, b) for a, b in zip(one, other, strict=True) if a and b)


def _all_verses(name: str, folder: Path | None) -> list[str]:
    """All verses of a Bible, by their numbers in its index, empty ones included."""
    if name not in BIBLES:
        raise DataError(f"bible: {name!r} found, one of {', '.join(BIBLES)} expected")
    module, package = BIBLES[name]
    place = _FOLDER / module if folder is None else folder
    if not place.is_dir():
        raise DataError(f"bible {name}: no folder {place}; it comes with Debian's package {package}: apt install it")
    with reading(place, "not a Bible in zText files", DataError):
        return [verse for testament in ("ot", "nt") for verse in _verses(place / testament)]


def _verses(stem: Path) -> list[str]:
    packed = stem.with_suffix(".bzz").read_bytes()
    left, blocks = unpacked_limit(len(packed)), []
    for start, size, length in _BLOCK.iter_unpack(stem.with_suffix(".bzs").read_bytes()):
        unpacker = zlib.decompressobj()
        blocks.append(unpacker.decompress(packed[start : start + size], min(length, left)))
        left -= length
        if left <= 0:
            raise ValueError("its blocks are larger than such a file may hold")
    return [
        _plain(blocks[block][start : start + size]) if size else ""
        for block, start, size in _VERSE.iter_unpack(stem.with_suffix(".bzv").read_bytes())
    ]


def _plain(verse: bytes) -> str:
    """A verse without titles, notes and tags, with single spaces."""
    return " ".join(unescape(_NO_TEXT.sub("", verse.decode("utf-8"))).split())
