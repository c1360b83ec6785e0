"""Every listing of the texts that uses the book's programs is run, as it stands there (in tests/book/listings)."""

import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from firsthand.book import network

ROOT = Path(__file__).parents[2]
LISTINGS = ROOT / "tests" / "book" / "listings"
BOOK = ROOT / "src" / "firsthand" / "book"


def listing(name: str) -> str:
    return (LISTINGS / f"{name}.txt").read_text()


def program(code: str) -> str:
    """A session as a program: without prompts, and without the blanks that a line ends with in the texts."""
    lines = []
    for line in code.splitlines():
        line = line.rstrip()
        lines.append(line[4:] if line.startswith((">>> ", "... ")) else line)
    return "\n".join(lines)


def printed_methods() -> dict:
    """The methods of `Network` that chapter 2 prints, as its reader on Python 3 would type them in."""
    names = {"np": np, "xrange": range, "sigmoid": network.sigmoid, "sigmoid_prime": network.sigmoid_prime}
    methods = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the \p in a docstring
        for name in ("chapters_2_3_5_6.0347", "chapters_2_3_5_6.0373"):
            exec(listing(name), names)
            methods |= vars(names["Network"])
    return methods


def test_the_listings_are_those_of_the_texts():
    extract_listings = runpy.run_path(str(ROOT / "tools" / "documents" / "extract_listings.py"))
    if not extract_listings["TEXTS"].exists():
        pytest.skip("the texts are not part of the repository")
    found = extract_listings["extract"](extract_listings["TEXTS"])
    assert found == {path.name: path.read_text() for path in LISTINGS.glob("*.txt")}


@pytest.mark.slow
def test_the_listings_of_chapters_3_and_5_run(monkeypatch, capsys):
    """All of them, in the order of the text, as programs that find the originals' names on the path."""
    monkeypatch.syspath_prepend(str(BOOK))
    for name in ("network2", "mnist_loader"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import network2 as module  # pyright: ignore[reportMissingImports]  the reader's way to import it

    epochs_asked = []

    def shortened(self, training_data, epochs, *args, **kwargs):
        epochs_asked.append(epochs)
        return SGD(self, training_data, 1, *args, **kwargs)

    SGD = module.Network.SGD
    monkeypatch.setattr(module.Network, "SGD", shortened)
    names = {}
    for path in sorted(LISTINGS.glob("chapters_2_3_5_6.*.txt")):
        if ">>> " in path.read_text() and "network3" not in path.read_text():
            exec(compile(program(path.read_text()), path, "exec"), names)
    assert epochs_asked == [30, 400, 400, 30, 30, 30, 30, 30, 30]
    printed = capsys.readouterr().out
    assert printed.count("Epoch 0 training complete\n") == 9
    assert printed.count("Accuracy on evaluation data: ") == 9
    assert printed.count("Cost on evaluation data: ") == 1
    assert len(names["training_data"]) == 50_000


@pytest.mark.tiny
def test_ours_are_the_methods_printed_in_chapter_2():
    ours, printed = network.Network([784, 30, 10]), network.Network([784, 30, 10])
    printed.weights, printed.biases = list(ours.weights), list(ours.biases)
    rng = np.random.default_rng(0)
    batch = [(rng.random((784, 1)), np.eye(10)[:, [j]]) for j in range(10)]
    methods = printed_methods()
    # the text indents `sigmoid` into the class, but means the function
    for name in ("backprop", "update_mini_batch", "cost_derivative"):
        setattr(printed, name, methods[name].__get__(printed))
    ours.update_mini_batch(batch, 3.0)
    printed.update_mini_batch(batch, 3.0)
    for a, b in zip(ours.weights + ours.biases, printed.weights + printed.biases, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["chapter6", "chapters_2_3_5_6"])
def test_the_listings_of_chapter_6_run(text, monkeypatch, tmp_path, capsys):
    """All of them, in the order of the text, on the first 100 images of each part, for one epoch."""
    monkeypatch.syspath_prepend(str(BOOK))
    monkeypatch.delitem(sys.modules, "network3", raising=False)
    import network3 as module  # pyright: ignore[reportMissingImports]  the reader's way to import it

    def shortened(self, training_data, epochs, mini_batch_size, eta, validation_data, test_data, lmbda=0.0):
        trained.append((epochs, eta, lmbda))
        few = [(x[:100], y[:100]) for x, y in (training_data, validation_data, test_data)]
        return SGD(self, few[0], 1, mini_batch_size, eta, few[1], few[2], lmbda=lmbda)

    trained, SGD, load = [], module.Network.SGD, module.load_data_shared
    asked = []

    def load_data_shared(filename="../data/mnist.pkl.gz"):
        asked.append(filename)
        return load()  # in the place of the expanded data, which take a minute to make

    monkeypatch.setattr(module.Network, "SGD", shortened)
    monkeypatch.setattr(module, "load_data_shared", load_data_shared)
    names = {}
    for path in sorted(LISTINGS.glob(f"{text}.*.txt")):
        code = path.read_text()
        if ">>> " in code and (text == "chapter6" or "network3" in code):
            exec(compile(program(code), path, "exec"), names)
    if text == "chapter6":
        assert trained == [(60, 0.1, 0.0)] * 3 + [(60, 0.03, 0.1)] * 3 + [(40, 0.03, 0.0)]
        assert asked == ["../data/mnist.pkl.gz", "../data/mnist_expanded.pkl.gz"]
    else:
        assert trained == [(60, 0.1, 0.0)]
    assert capsys.readouterr().out.count("Finished training network.") == len(trained)
