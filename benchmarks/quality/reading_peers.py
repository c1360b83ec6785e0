"""Other readers on the same pictures: rapidocr (PP-OCR) and tesseract beside `firsthand read`, picture by picture.

    python -m benchmarks.quality.reading_peers FOLDER [--out FILE] [--rounds 1]

The folder holds pictures and a truth.json: a list of {"path", "kind", "lines"}, the digits of every line.  Only digits
count: what a reader says of a line is stripped of everything else, for all readers alike.  The readers take turns at
every picture, so that a busy machine disturbs all of them; one that is not installed is named with its reason.  Each is
at its best: rapidocr with its direction classifier, tesseract with the better of a block and sparse text (modes 6 and
11), with digits alone allowed.  `scores` is all that is written, no picture.
"""

import argparse
import importlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..summary import ROOT, Failed, about, save, spread

__all__ = ["READERS", "count", "distance", "matched", "run"]

Reader = Callable[[Path], list[str]]


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
    if not truth and not found:
        return 0, 0
    a, b = truth + [""] * len(found), found + [""] * len(truth)
    costs = np.array([[distance(x, y) for y in b] for x in a])
    rows, columns = linear_sum_assignment(costs)
    right = sum(1 for i, j in zip(rows, columns, strict=True) if i < len(truth) and a[i] == b[j])
    return int(costs[rows, columns].sum()), right


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
    for name, score in results["scores"].items():
        print(f"{name:24} {_shown(score['all'])} {score['seconds_per_picture']['median']:.2f} s")
    for name, why in missing.items():
        print(f"{name:24} {why}")
    save(out, results)
    return results


def count(row: dict[str, int], lines: list[str], found: list[str]) -> None:
    """Add what one reader has made of one picture to its row: errors at most as many as there are digits."""
    truth, read = ([digits for line in texts if (digits := re.sub(r"\D", "", line))] for texts in (lines, found))
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
