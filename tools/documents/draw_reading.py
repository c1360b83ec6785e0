"""Draw the stages of one page from a photo to digits: docs/figures/reading_stages.png.

python tools/documents/draw_reading.py [FILE]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.pages import LEVELS, make_page  # noqa: E402
from firsthand.data import mnist  # noqa: E402
from firsthand.reading import analyse, read_sheets  # noqa: E402
from firsthand.reading.explain import explain  # noqa: E402

DEFAULT = ROOT / "docs" / "figures" / "reading_stages.png"
SEED = 3


def draw(path: Path) -> None:
    """Write the figure."""
    sheet = analyse(make_page(LEVELS["notebook"], mnist().validation, SEED).image)
    (page,) = read_sheets([sheet])
    print(f"written: {explain(sheet, page, path)}")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
