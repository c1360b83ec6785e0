"""Texts: eight bundled plays of Shakespeare, and files of your own.

`tools/box/build_shakespeare.py` made the file of the plays.  Their text is Project Gutenberg's, as the package
`shakespeare` 0.6 of the Open Knowledge Foundation has it (2008).  The plays are in the public domain; what that package
adds, it puts under CC BY 2.5.
"""

import gzip
import hashlib
import zlib
from functools import cache
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from .examples import DataError
from .sequences import Sequences
from .splits import Splits

__all__ = ["MAX_SYMBOLS", "PLAYS", "TextParts", "load_text", "shakespeare", "shakespeare_text"]

PLAYS = Path(__file__).with_name("shakespeare.txt.gz")
DIGEST = "308e9222889eb11097cf7027cad76ddfcb6f0b8147acef51af19f26b7220b3d4"
BETWEEN_PLAYS = "\f"
# of a text of your own; the characters of Chinese fit, and a network for more would be large and slow
MAX_SYMBOLS = 8000
_PARTS = (0.9, 0.95)  # where a play's validation part begins, and where its test part


class TextParts(NamedTuple):
    """A text in three parts: to learn from, to choose by, and to be judged by."""

    train: str
    validation: str
    test: str


@cache
def shakespeare_text() -> TextParts:
    """Return eight plays, about a million characters: the first nine tenths of each are the text to learn from.

    So every part has the voices of all plays, and none of them has a line of another part.  A part of a play begins
    with a paragraph.

    Raises:
        DataError: the file of this package is damaged.

    Examples:
        >>> [len(part) for part in shakespeare_text()]
        [933168, 51992, 50643]
    """
    return parts_of(read_plays(PLAYS))


def shakespeare(length: int = 64) -> Splits[Sequences, Sequences]:
    """Return the plays as sequences of equal length, each with the character that comes next.

    Raises:
        DataError: the file of this package is damaged, or its parts are shorter than one sequence.
    """
    parts = shakespeare_text()
    symbols = tuple(sorted(set("".join(parts))))
    return Splits(*(Sequences.of_text(part, length, symbols) for part in parts))


def parts_of(plays: list[str]) -> TextParts:
    """Divide each play at the paragraphs nearest behind 90 and 95 % of it, and join what belongs together."""
    pieces = []
    for play in plays:
        first, second = (play.index("\n\n", int(share * len(play))) + 2 for share in _PARTS)
        pieces.append((play[:first], play[first:second], play[second:]))
    return TextParts(*("\n\n".join(part.strip("\n") for part in column) + "\n" for column in zip(*pieces, strict=True)))


def read_plays(path: Path) -> list[str]:
    """Read the file of the package and check that it holds the plays, letter for letter."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}; the plays come with the package: reinstall firsthand") from error
    found = hashlib.sha256(content).hexdigest()
    if found != DIGEST:
        raise DataError(
            f"{path}: text with SHA-256 {found} found, {DIGEST} expected; "
            "the plays come with the package: reinstall firsthand"
        )
    return content.decode("ascii").split(BETWEEN_PLAYS)


def load_text(path: str | PathLike[str], at_most: int = MAX_SYMBOLS) -> str:
    """Read a text of your own, in UTF-8; line ends become those of Unix, and a byte order mark is left out.

    Args:
        path: of the file.
        at_most: different characters.
    Raises:
        DataError: the file is empty or no text, or has too many different characters; the message says where.
        OSError: it cannot be read.
    """
    content = Path(path).read_bytes()
    if not content:
        raise DataError(f"{path}: empty, a text expected")
    if (place := content.find(b"\0")) >= 0:
        raise DataError(f"{path}: a zero byte found at byte {place}, a text in UTF-8 expected")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the byte order mark, which the codec leaves out, counts in the file
        place = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        raise DataError(
            f"{path}: byte 0x{content[place]:02x} found at byte {place}, a text in UTF-8 expected"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (count := len(set(text))) > at_most:
        raise DataError(f"{path}: {count:,} different characters found, at most {at_most:,} expected")
    return text
