"""Other readers on the same pictures: rapidocr (PP-OCR) and tesseract beside `firsthand read`, picture by picture.

    python -m benchmarks.quality.reading_peers FOLDER [--out FILE] [--rounds 1]

The folder holds pictures and a truth.json: a list of {"path", "kind", "lines"}, the digits of every line.  Only digits
count: what a reader says of a line is stripped of everything else, for all readers alike.  The readers take turns at
every picture, so that a busy machine disturbs all of them; one that is not installed is named with its reason.  Each is
at its best: rapidocr with its direction classifier, tesseract with the better of a block and sparse text (modes 6 and
11), with digits alone allowed.  Of firsthand's digits the sure ones are counted, too: how many of those with a
probability of 0.99 or more are right.  `scores` and `sure` are all that is written, no picture.
"""

import argparse
import importlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..summary import ROOT, Failed, about, save, spread

if TYPE_CHECKING:
    from firsthand.reading import Page

__all__ = ["READERS", "count", "distance", "matched", "run", "sure"]

Reader = Callable[[Path], list[str]]
SURE = 0.99


def distance(a: str, b: str) -> int:
    """The edit distance of Levenshtein: insertions, deletions and substitutions."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def matched(truth: list[str], found: list[str]) -> tuple[int, int]:
    """The edit distance and the number of lines exactly right of the best one-to-one assignment of lines."""
    pairs = _assigned(truth, found)
    return sum(distance(a, b) for a, b in pairs), sum(a == b for a, b in pairs if a)


def sure(page: "Page", lines: list[str]) -> tuple[int, int]:
    """The digits of a page with p >= 0.99: how many there are, and how many of them stand in the truth's lines.

    Args:
        page: what was read.
        lines: the truth.  Lines are assigned as in `matched`, and the digits of two lines in order.
    """
    read: dict[str, list[list[float]]] = {}  # lines of the same text are several
    for line in page.lines:
        read.setdefault(line.text.replace(" ", ""), []).append([digit.probability for digit in line.digits])
    n = right = 0
    for a, b in _assigned(_digits(lines), [text for text, several in read.items() for _ in several]):
        if not b:
            continue
        likely = np.array(read[b].pop()) >= SURE
        n += int(likely.sum())
        blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        right += sum(int(likely[block.b : block.b + block.size].sum()) for block in blocks)
    return n, right


def _assigned(truth: list[str], found: list[str]) -> list[tuple[str, str]]:
    """Each line of the truth with one that was read, or with "", and the other way round."""
    if not truth and not found:
        return []
    a, b = truth + [""] * len(found), found + [""] * len(truth)
    rows, columns = linear_sum_assignment([[distance(x, y) for y in b] for x in a])
    return [(a[i], b[j]) for i, j in zip(rows, columns, strict=True)]


def _digits(lines: list[str]) -> list[str]:
    return [digits for line in lines if (digits := re.sub(r"\D", "", line))]


def _firsthand() -> Reader:
    import firsthand

    return lambda path: [line.text for line in firsthand.read(str(path)).lines]


def _rapidocr() -> Reader:
    try:
        module: Any = importlib.import_module("rapidocr")
    except ImportError as error:
        raise Failed(f"rapidocr is not installed: {error}") from None
    engine = module.RapidOCR()
    return lambda path: list(engine(str(path)).txts or ())


def _tesseract(mode: int) -> Reader:
    program = shutil.which("tesseract")
    if program is None:
        raise Failed("tesseract is not installed")

    def read(path: Path) -> list[str]:
        command = [program, str(path), "-", "--psm", str(mode), "-c", "tessedit_char_whitelist=0123456789"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()

    return read


READERS: dict[str, Callable[[], Reader]] = {
    "firsthand": _firsthand,
    "rapidocr": _rapidocr,
    "tesseract, a block": lambda: _tesseract(6),
    "tesseract, sparse text": lambda: _tesseract(11),
}


def run(folder: Path, out: Path, rounds: int = 1) -> dict[str, Any]:
    """Read every picture of a folder with every reader that is installed, print, and write.

    Args:
        folder: with `truth.json`.
        out: the JSON file.
        rounds: how often each picture is read, for the seconds; what is read is taken from the first.
    """
    readers, missing = {}, {}
    for name, make in READERS.items():
        try:
            readers[name] = make()
        except Failed as error:
            missing[name] = str(error)
    entries = json.loads((folder / "truth.json").read_text())
    tables: dict[str, dict[str, dict[str, int]]] = {name: {} for name in readers}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for read in readers.values():  # models are loaded, programs compiled, before anything is timed
        read(folder / entries[0]["path"])
    for round_ in range(rounds):
        for entry in entries:
            for name, read in readers.items():
                started = time.perf_counter()
                found = read(folder / entry["path"])
                seconds[name].append(time.perf_counter() - started)
                if not round_:
                    count(tables[name].setdefault(entry["kind"], {}), entry["lines"], found)
    results = about(rounds, pictures=len(entries), missing=missing)
    results["scores"] = {
        name: {"kinds": table, "all": _added(table), "seconds_per_picture": spread(seconds[name])}
        for name, table in tables.items()
    }
    results["sure"] = _sure(folder, entries)
    print(f"{results['sure']['right']} of {results['sure']['digits']} digits with p >= {SURE} are right")
    for name, score in results["scores"].items():
        print(f"{name:24} {_shown(score['all'])} {score['seconds_per_picture']['median']:.2f} s")
    for name, why in missing.items():
        print(f"{name:24} {why}")
    save(out, results)
    return results


def count(row: dict[str, int], lines: list[str], found: list[str]) -> None:
    """Add what one reader has made of one picture to its row: errors at most as many as there are digits."""
    truth, read = _digits(lines), _digits(found)
    digits = sum(map(len, truth))
    by_line, right = matched(truth, read)
    errors = min(by_line, distance("".join(truth), "".join(read)))
    new = {
        "pictures": 1,
        "digits": digits,
        "digit_errors": min(errors, digits),
        "lines": len(truth),
        "lines_right": right,
        "false_digits": 0 if digits else errors,
    }
    for name, value in new.items():
        row[name] = row.get(name, 0) + value


def _sure(folder: Path, entries: list[dict[str, Any]]) -> dict[str, float]:
    import firsthand

    n = right = 0
    for entry in entries:
        of_page = sure(firsthand.read(str(folder / entry["path"])), entry["lines"])
        n, right = n + of_page[0], right + of_page[1]
    return {"probability": SURE, "digits": n, "right": right}


def _added(table: dict[str, dict[str, int]]) -> dict[str, int]:
    names = next(iter(table.values()), {})
    return {name: sum(row[name] for row in table.values()) for name in names}


def _shown(row: dict[str, int]) -> str:
    right = 1 - row["digit_errors"] / max(row["digits"], 1)
    return f"{right:7.2%} of {row['digits']} digits, {row['lines_right']} of {row['lines']} lines"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks" / "reading_peers.json")
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    run(chosen.folder, chosen.out, chosen.rounds)
