"""The line by which Grokking's listing gets its data, and what it gets."""

import sys
from pathlib import Path

import numpy as np

import firsthand.book


def test_the_listing_finds_its_data(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(firsthand.book.__file__).parent))
    for name in [name for name in sys.modules if name.split(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)
    from keras.datasets import mnist  # pyright: ignore[reportMissingImports]

    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert (x_train.dtype, y_train.dtype) == (np.uint8, np.uint8)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert y_train[-1] == 8
    assert x_train[0].sum() == 27_525
    monkeypatch.undo()
    for name in ("keras", "keras.datasets"):
        sys.modules.pop(name, None)
