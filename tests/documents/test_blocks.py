"""The Python of the pages runs: block after block of a page in one namespace, in a folder with the files that it names.

MNIST has 100 images of each kind here, so that trainings are short; GIVEN has what a page takes for granted, and CUT
shortens what would still be long.  Other tests run the first pages and the chapters in full, and doctests.  Both
languages have the same code, which test_pages.py holds; where that is not so, both run here.
"""

import shutil
from pathlib import Path

import pytest

import firsthand.data
from firsthand import experiments, mnist
from firsthand.book import network3
from firsthand.reading import boxed_model
from firsthand.zoo.box import LETTERS, boxed_memory
from tests.documents.pages import ROOT, blocks, pages

pytestmark = pytest.mark.usefixtures("compiled_quickly")

ELSEWHERE = ("README.md", "README.zh-CN.md", "docs/start.md", "docs/commands.md", "docs/extending.md", "docs/chapters/")


def paths():
    """The pages with Python in them that no other test runs."""
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        own = name == "docs/models.zh-CN.md" or not name.endswith(".zh-CN.md")
        if own and not name.startswith(ELSEWHERE) and any(block.language == "python" for block in blocks(page)):
            yield name


def declared():
    """The names that a module of studies has imported, and its functions."""
    names = {name: getattr(experiments, name) for name in experiments.__all__}
    return {**names, "measure": print, "check": print, "draw": print}


def a_model_and_images():
    folder = Path("runs/20261121-114000-digit-reader")
    folder.mkdir(parents=True)
    boxed_model().save(folder / "model.safetensors")
    return {"images": mnist().test.images[:20], "model": boxed_model()}


def letters():
    boxed_memory(LETTERS).save("model.safetensors")
    return {}


def a_photo():
    shutil.copy(ROOT / "src" / "firsthand" / "reading" / "example.jpg", "photo.jpg")
    return {}


LONG = ("docs/adversarial.md", "docs/backwards.md")  # ten processor seconds or more

GIVEN = {
    "docs/experiments.md": declared,
    "docs/memory.md": letters,
    "docs/models.md": a_model_and_images,
    "docs/models.zh-CN.md": a_model_and_images,
    "docs/reading.md": a_photo,
}
CUT = {
    "docs/adversarial.md": {"mnist().test[:10]": "mnist().test[:1]"},
    "docs/book.md": {"net.SGD(training_data, 60,": "net.SGD(training_data, 1,"},
    "docs/games.md": {
        "Recipe(40, 32": "Recipe(1, 32",
        "count=2048, steps=32": "count=64, steps=4",
        "play(100,": "play(2,",
    },
    "docs/models.zh-CN.md": {"epochs=10": "epochs=1"},
}


@pytest.fixture
def few(monkeypatch, tmp_path):
    """MNIST with 100 images of each kind, wherever a page takes it from."""
    monkeypatch.chdir(tmp_path)
    whole = mnist()
    small = whole._replace(train=whole.train[:100], validation=whole.validation[:100], test=whole.test[:100])
    monkeypatch.setattr(firsthand, "mnist", lambda: small)
    monkeypatch.setattr(firsthand.data, "mnist", lambda: small)
    shared = [(x[:100], y[:100]) for x, y in network3.load_data_shared()]
    monkeypatch.setattr(network3, "load_data_shared", lambda: shared)


def marked(page):
    return pytest.param(page, marks=pytest.mark.slow) if page in LONG else page


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("page", [marked(page) for page in paths()])
def test_a_page_runs(page):
    names = {"__name__": "__main__", **GIVEN.get(page, dict)()}
    cut = CUT.get(page, {})
    code = [block.text for block in blocks(ROOT / page) if block.language == "python" and ">>>" not in block.text]
    assert all(long in "".join(code) for long in cut), "what is cut no longer stands on the page"
    for text in code:
        for long, short in cut.items():
            text = text.replace(long, short)
        exec(compile(text, page, "exec"), names)
