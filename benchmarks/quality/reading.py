"""The quality of reading pages: digits, lines, false digits and seconds, from clean pages to hard ones.

The pages are made from MNIST's test digits by pages.py, so that their truth is known; letters and doodles are of kinds
that neither trained a network nor chose a threshold.  Photos of ruled paper, tables, boxes, forms and sheets that are
turned or held (`scenes.PHOTOS`) are made of test digits and test fonts, too.  Beside them, digits of another origin:
scikit-learn's copy of the UCI digits, 8x8 pixels each, through the same pipeline.  Written to
results/benchmarks/reading.json.
"""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firsthand import Dataset, mnist, read
from firsthand.reading import Page as Found
from firsthand.reading import boxed_gate, boxed_model, read_many

from ..summary import about, save, spread
from .pages import LEVELS, Page, make_page
from .scenes import PHOTOS, make_photo

__all__ = ["Score", "run", "score", "target_rows"]

PAGES = 100  # of each kind: several thousand of the 10,000 test digits
FIRST_SEED = 10_000_000  # of the test pages; those that were developed on have others
SINGLES = ("uci", "crops")  # pictures of one digit each
NEAR = 0.5  # heights: a digit that was read belongs to the true one whose middle is so near


class Score(NamedTuple):
    """The readings of one page, compared with its truth.

    Attributes:
        right: for each true digit whether it was found and named right.
        found: for each true digit whether it was found at all.
        lines: for each true line whether all of it, and nothing else, was read.
        lengths: for each true line whether as many digits were read as it has, whatever they were taken for.
        false: digits that were read where none is.
    """

    right: np.ndarray
    found: np.ndarray
    lines: np.ndarray
    lengths: np.ndarray
    false: int


def score(page: Page, read_page: Found) -> Score:
    """Match what was read with the truth: each true digit with the nearest that was read near its middle."""
    n = len(page.truth)
    right, found = np.zeros(n, bool), np.zeros(n, bool)
    lines, lengths = np.zeros(len(page.texts), bool), np.zeros(len(page.texts), bool)
    matched: dict[tuple[int, int], int] = {}
    pairs = []
    for i, line in enumerate(read_page.lines):
        for j, digit in enumerate(line.digits):
            x, y = (digit.box.left + digit.box.right) / 2, (digit.box.top + digit.box.bottom) / 2
            for k, truth in enumerate(page.truth):
                apart = float(np.hypot(x - truth.x, y - truth.y)) / max(truth.height, 1)
                if apart < NEAR:
                    pairs.append((apart, (i, j), k))
    for _, at, k in sorted(pairs):
        if at not in matched and not found[k]:
            matched[at] = k
            found[k] = True
            right[k] = read_page.lines[at[0]].digits[at[1]].value == str(page.truth[k].value)
    for number, text in enumerate(page.texts):
        members = {k for k, truth in enumerate(page.truth) if truth.line == number}
        rows = {i for (i, _), k in matched.items() if k in members}
        if len(rows) == 1:
            (row,) = rows
            read_text = read_page.lines[row].text.replace(" ", "")
            lines[number], lengths[number] = read_text == text, len(read_text) == len(text)
    false = sum(len(line.digits) for line in read_page.lines) - len(matched)
    return Score(right, found, lines, lengths, false)


def run(folder: Path, pages: int = PAGES, kinds: tuple[str, ...] = ()) -> None:
    """Measure, print, and write `reading.json` into a folder.

    Args:
        folder: where the file stands.
        pages: of each of these kinds.
        kinds: measure these alone, and replace their rows in the file that is there, each with a date of its own;
            single digits are the kinds uci and crops.
    """
    if kinds:
        _renew(folder / "reading.json", pages, kinds)
        return
    results = about(pages, first_seed=FIRST_SEED, model=boxed_model().provenance["accuracies"])
    results["parameters"] = boxed_model().parameter_count, boxed_gate().parameter_count
    results["processes"] = len(os.sched_getaffinity(0))
    results["levels"] = list(_levels((*LEVELS, *PHOTOS), pages))
    for name in SINGLES:
        results[name] = _single(name, pages)
    results["targets"] = target_rows(results)
    save(folder / "reading.json", results)


def _renew(path: Path, pages: int, kinds: tuple[str, ...]) -> None:
    results, now = json.loads(path.read_text()), about(pages)
    rows = {row["level"]: row for row in results["levels"]}
    if not set(kinds) <= {*rows, *SINGLES}:
        raise SystemExit(f"{path}: {', '.join((*rows, *SINGLES))} found, {', '.join(kinds)} asked for")
    when = {name: now[name] for name in ("machine", "versions", "date")}
    for row in _levels(tuple(kind for kind in kinds if kind in rows), pages):
        rows[row["level"]] |= {**row, **when}
    for name in SINGLES:
        if name in kinds:
            results[name] = {**_single(name, pages), **when}
    results["targets"] = target_rows(results)
    save(path, results)


class Measured(NamedTuple):
    """One page: its score, the seconds it took, which of its digits touch, and the probabilities of its lines."""

    score: Score
    seconds: float
    touching: list[bool]
    probabilities: list[float]


@cache
def _test() -> Dataset:
    return mnist().test


def _warm_up() -> None:
    """Compile before anything is timed."""
    read(np.hstack([np.pad(image[..., 0], 8) for image in _test().images[:12]]))


def _measured(level: str, number: int) -> Measured:
    page = _made(level, FIRST_SEED + number)
    started = time.perf_counter()
    found = read(page.image)
    seconds = time.perf_counter() - started
    return Measured(score(page, found), seconds, _touched(page), [line.probability for line in found.lines])


def _made(level: str, seed: int) -> Page:
    return make_photo(level, _test(), seed) if level in PHOTOS else make_page(LEVELS[level], _test(), seed)


def _levels(names: tuple[str, ...], pages: int) -> Iterator[dict[str, Any]]:
    """Measure kinds of pages, one after the other on all cores, and print each."""
    # a process forked from one that has computed with JAX hangs
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn"), _warm_up) as pool:
        for name in names:
            row = _level(name, pool, pages)
            print(_shown(row), flush=True)
            yield row


def _level(name: str, pool: ProcessPoolExecutor, pages: int) -> dict[str, Any]:
    found = list(pool.map(partial(_measured, name), range(pages), chunksize=4))
    scores = [one.score for one in found]
    touching = [touches for one in found for touches in one.touching]
    probabilities = [p for one in found for p in one.probabilities]
    right = np.concatenate([s.right for s in scores])
    lines = np.concatenate([s.lines for s in scores])
    lengths = np.concatenate([s.lengths for s in scores])
    touched = np.array(touching, bool)
    n, m = len(right), len(lines)
    return {
        "level": name,
        "pages": pages,
        "digits": n,
        "digit_accuracy": _share(right),
        "digits_found": _share(np.concatenate([s.found for s in scores])),
        "touching_digits": int(touched.sum()),
        "touching_accuracy": _share(right[touched]) if n else None,
        "lines": m,
        "line_accuracy": _share(lines),
        "lines_wrong": int((~lines).sum()),
        "lines_wrong_of_right_length": int((lengths & ~lines).sum()),
        "false_digits": sum(s.false for s in scores),
        "false_digits_per_page": sum(s.false for s in scores) / pages,
        "seconds_per_page": spread([one.seconds for one in found]),
        "mean_line_probability": float(np.mean(probabilities)) if probabilities else None,
        # of pages, which differ more than digits do
        "standard_error": _standard_error([s.right for s in scores]),
        "line_standard_error": _standard_error([s.lines for s in scores]),
    }


def _touched(page: Page) -> list[bool]:
    """For every digit whether it touches the one before it or the one after it."""
    found = []
    for i, truth in enumerate(page.truth):
        after = page.truth[i + 1] if i + 1 < len(page.truth) else None
        found.append(truth.touches or bool(after and after.line == truth.line and after.touches))
    return found


def _share(right: np.ndarray) -> float | None:
    return float(np.mean(right)) if len(right) else None


def _standard_error(rights: list[np.ndarray]) -> float | None:
    means = [float(np.mean(right)) for right in rights if len(right)]
    return float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None


def _uci() -> dict[str, Any]:
    """The 1,797 digits of scikit-learn's copy of the UCI set, 8x8 pixels of 17 levels: enlarged, read as pictures."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return {"n": 0, "accuracy": None, "why": "scikit-learn is not installed (extra bench)"}
    images, labels = load_digits(return_X_y=True)
    pictures = [np.round(image.reshape(8, 8) * (255 / 16)).astype(np.uint8) for image in images]
    values = [page.text if isinstance(page, Found) else "" for page in read_many(map(_enlarged, pictures))]
    right = np.array([value == str(label) for value, label in zip(values, labels, strict=True)])
    none = np.array([value == "" for value in values])
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "rejected": float(none.mean()),
        "accuracy_of_what_was_read": float(right[~none].mean()),
    }


def _enlarged(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    large = Image.fromarray(np.pad(image, 2)).resize((96, 96), Image.Resampling.BICUBIC)
    return np.asarray(large)


def _single(name: str, pages: int) -> dict[str, Any]:
    """Measure one of SINGLES, and print it."""
    _warm_up()  # this process, which times it
    found = _uci() if name == "uci" else _crops(_test(), 200 if pages < PAGES else 2000)
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    return found


def _crops(test: Dataset, n: int) -> dict[str, Any]:
    """Pictures of one digit each, as MNIST has them, dark on light and light on dark in turn: how many in a minute."""
    pictures = list(_singles(test, n))
    started = time.perf_counter()
    found = list(read_many(pictures))
    seconds = time.perf_counter() - started
    values = [page.text if isinstance(page, Found) else "" for page in found]
    right = np.array([value == str(label) for value, label in zip(values, test.labels, strict=False)])
    return {"n": n, "seconds": seconds, "per_minute": 60 * n / seconds, "accuracy": float(right.mean())}


def _singles(test: Dataset, n: int) -> Iterator[np.ndarray]:
    for i in range(n):
        image = test.images[i, ..., 0]
        yield 255 - image if i % 2 else image


def target_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The aims, beside what was measured."""
    level = {one["level"]: one for one in results["levels"]}
    rows = [
        ("clean pages: digits", 0.99, level["clean"]["digit_accuracy"], True),
        ("clean pages: ten-digit lines", 0.95, level["clean"]["line_accuracy"], True),
        ("shadows, ruling, blur, 5 degrees: digits", 0.97, level["notebook"]["digit_accuracy"], True),
        ("touching pairs, both digits right", 0.92, level["pairs"]["line_accuracy"], True),
        ("letters and doodles: false digits per page", 0.05, level["letters"]["false_digits_per_page"], False),
        ("UCI digits, without fine-tuning", 0.95, results["uci"]["accuracy"], True),
        ("single-digit crops per minute", 2000, results["crops"]["per_minute"], True),
    ]
    return [{"what": w, "target": t, "measured": m, "at_least": a} for w, t, m, a in rows]


def _shown(one: dict[str, Any]) -> str:
    def percent(value: float | None) -> str:
        return "    -  " if value is None else f"{value:7.2%}"

    return (
        f"{one['level']:14} digits {percent(one['digit_accuracy'])} lines {percent(one['line_accuracy'])} "
        f"touching {percent(one['touching_accuracy'])} false/page {one['false_digits_per_page']:.3f} "
        f"{one['seconds_per_page']['median']:.2f} s"
    )


def shown(pages: int, names: tuple[str, ...]) -> None:
    """Print how pages of some kinds are read, and write nothing: for a quick look, also at another version."""
    for name in names:
        found = [_measured(name, number) for number in range(pages)]
        right = np.concatenate([one.score.right for one in found])
        lines = np.concatenate([one.score.lines for one in found])
        false = sum(one.score.false for one in found)
        seconds = float(np.median([one.seconds for one in found]))
        print(
            f"{name:14} {right.sum():4} of {len(right):4} digits {lines.sum():3} of {len(lines):3} lines "
            f"{false:3} false {seconds:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    import sys

    shown(int(sys.argv[1]), tuple(sys.argv[2:]) or tuple(PHOTOS))
