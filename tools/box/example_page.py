"""Make the page that comes with firsthand to be read: src/firsthand/reading/example.jpg.

python tools/box/example_page.py

MNIST validation digits on ruled paper, photographed, as the benchmark's level 'notebook' makes pages.  What is written
stands in its comment, line by line.
"""

import sys
from dataclasses import replace
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.pages import LEVELS, make_page  # noqa: E402
from firsthand.data import mnist  # noqa: E402

FILE = ROOT / "src" / "firsthand" / "reading" / "example.jpg"
STYLE = replace(LEVELS["notebook"], lines=(4, 4), digits=(5, 8), height=(40, 44), ruling="ruled", degrees=3.0)
SEED = 8


def main(path: Path = FILE) -> None:
    """Write the picture, and print what is written on it."""
    page = make_page(STYLE, mnist().validation, SEED)
    Image.fromarray(page.image).save(path, quality=80, optimize=True, comment=" ".join(page.texts).encode())
    print(f"{path}: {path.stat().st_size / 2**10:.0f} KiB", *page.texts, sep="\n")


if __name__ == "__main__":
    main()
