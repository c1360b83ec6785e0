"""Three ways to tell printed lines from a pen, measured on the same pages: by rule, by network, and by both.

    python -m benchmarks.quality.ways [--folder FOLDER] [--pages 6] [--kinds "ruled paper" ...] [--out FILE]

`by rule` follows long thin ink along the rows and down the columns of the whole picture, and knows no sheet and no
letters; `by network` is the page network alone; `both` is what the package does.  Everything after this stage is the
same.  The pages are the benchmark's photos made of validation digits with validation fonts and seeds of their own; the
folder holds pictures with a truth.json, as for `reading_peers`.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from firsthand import mnist, read
from firsthand.reading import regions, sheet
from firsthand.reading.background import Flat
from firsthand.reading.regions import Regions
from firsthand.reading.rules import Followed, follow_rules

from ..summary import ROOT, about, save
from .reading import score
from .reading_peers import count
from .scenes import PHOTOS, make_photo

__all__ = ["WAYS", "run"]

FIRST_SEED = 40_000_000
LONGEST, HEIGHT = 1280, 0.05  # by rule: pixels of the longer side, and the height of digits as a part of it


def _by_rule(work: np.ndarray, flat: Flat) -> Regions:
    """Take all that is long and thin for a printed line, other ink for a pen's, and the whole picture for paper."""
    factor = max(1.0, max(work.shape) / LONGEST)
    height, width = (max(1, round(side / factor)) for side in work.shape)
    ink = np.asarray(Image.fromarray(flat.ink).resize((width, height), Image.Resampling.BOX))
    rule = (ink > 0.1).astype(np.float32)
    goes_on, crossed = follow_rules(rule, np.zeros_like(rule), ink, HEIGHT * max(height, width))
    rule = Image.fromarray((goes_on & ~crossed).astype(np.float32))
    rule = np.asarray(rule.resize((work.shape[1], work.shape[0]), Image.Resampling.BILINEAR))
    none = np.zeros(work.shape, np.float32)
    return Regions(1 - rule, none + 1, rule, none, np.zeros((1, 1), np.int32))


def _not_followed(rule: np.ndarray, pen: np.ndarray, ink: np.ndarray, height: float) -> Followed:
    none = np.zeros(rule.shape, bool)
    return Followed(none, none)


WAYS: dict[str, tuple[Any, str, Callable[..., Any]] | None] = {
    "by rule": (sheet, "find_regions", _by_rule),
    "by network": (regions, "follow_rules", _not_followed),
    "both": None,
}


@contextmanager
def _way(name: str) -> Iterator[None]:
    """The package with one of its functions replaced."""
    change = WAYS[name]
    if change is None:
        yield
        return
    module, function, other = change
    kept = getattr(module, function)
    setattr(module, function, other)
    try:
        yield
    finally:
        setattr(module, function, kept)


def run(out: Path, folder: Path | None, pages: int, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Measure, print, and write."""
    results = about(pages, first_seed=FIRST_SEED, ways={})
    validation = mnist().validation
    for name in WAYS:
        found: dict[str, dict[str, int]] = {}
        with _way(name):
            for kind in kinds:
                row = found[kind] = dict.fromkeys(("digits", "digits_right", "lines", "lines_right", "false_digits"), 0)
                for seed in range(pages):
                    page = make_photo(kind, validation, FIRST_SEED + seed, "validation")
                    one = score(page, read(page.image))
                    new = (len(one.right), one.right.sum(), len(one.lines), one.lines.sum(), one.false)
                    for key, value in zip(row, new, strict=True):
                        row[key] += int(value)
            pictures: dict[str, dict[str, int]] = {}
            for entry in json.loads((folder / "truth.json").read_text()) if folder else []:
                texts = [line.text for line in read(str(folder / entry["path"])).lines] if folder else []
                count(pictures.setdefault(entry["kind"], {}), entry["lines"], texts)
        results["ways"][name] = {"pages": found, "pictures": pictures}
        for kind, row in (*found.items(), *pictures.items()):
            print(f"{name:12} {kind:28} {row}", flush=True)
    save(out, results)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--kinds", nargs="*", default=list(PHOTOS))
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks" / "reading_ways.json")
    chosen = parser.parse_args()
    run(chosen.out, chosen.folder, chosen.pages, tuple(chosen.kinds))
