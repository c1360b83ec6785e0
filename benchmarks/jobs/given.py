"""Data of the job, and the program that runs a module's job and its mistakes; no firsthand is imported."""

import importlib
import inspect
import json
import sys
import tempfile
import traceback
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
EPOCHS, BATCH, RATE, SEED = 5, 10, 0.1, 0


class Data(NamedTuple):
    """Pixels from 0 to 1, (n, 784) float32, and labels, (n,) int64, of three parts."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def data() -> Data:
    """The first 10,000 training images, and all of validation and test."""
    with np.load(ROOT / "src" / "firsthand" / "data" / "mnist.npz") as file:
        images, labels = file["images"], file["labels"].astype(np.int64)
    x = images.reshape(len(images), 784).astype(np.float32) / 255
    return Data(x[:10_000], labels[:10_000], x[50_000:60_000], labels[50_000:60_000], x[60_000:], labels[60_000:])


def lines_of(function) -> int:
    """Lines of a function without its head, its docstring, comments and blank lines."""
    body = inspect.getsource(function).splitlines()[1:]
    code = [line.strip() for line in body if line.strip() and not line.strip().startswith(("#", '"""'))]
    return len(code)


def said(function, given: Data) -> dict[str, object]:
    """The last line of what a mistake leads to and the length of the traceback, or that it goes on in silence."""
    try:
        found = function(given)
    except BaseException as error:
        text = "".join(traceback.format_exception(error)).rstrip().splitlines()
        first = str(error).strip().splitlines()
        return {"says": f"{type(error).__name__}: {first[0] if first else ''}"[:160], "lines": len(text)}
    return {"says": f"nothing; it goes on ({found})", "lines": 0}


def main(name: str) -> None:
    """Run a module's job, then its mistakes, and print one line of JSON."""
    module, given = importlib.import_module(f"benchmarks.jobs.{name}"), data()
    with tempfile.TemporaryDirectory() as folder:
        accuracy = float(module.job(given, Path(folder)))
    mistakes = {about: said(function, given) for about, function in module.MISTAKES.items()}
    versions = {package: metadata.version(package) for package in module.PACKAGES}
    lines = lines_of(module.job) + sum(lines_of(part) + 1 for part in getattr(module, "PARTS", ()))
    print("\n" + json.dumps({"accuracy": accuracy, "lines": lines, "mistakes": mistakes, "versions": versions}))


if __name__ == "__main__":
    main(sys.argv[1])
