"""The house: who may import whom, what starts quickly, how long a file may be, how a docstring begins."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import firsthand
import firsthand.report
import firsthand.studies
import firsthand.zoo

ROOT = Path(firsthand.__file__).parent
# the rooms in order, one floor a line: a room may import those before it, never those after it
FLOORS = """
errors lazy processes files compilation cluster figures keys notebooks
data environments kernels
nn
models learning
inspect reading zoo search
experiments
studies
interop
report
web
cli
"""
ORDER = tuple(FLOORS.split())
LABEL_UNITS = ("contrastive_divergence.py", "up_down.py", "greedy.py")
ALONE = {"reference": {"numpy", "scipy"}}


def statements(node):
    """A node and all statements within it; expressions, which are most of a tree, are not walked."""
    yield node
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, name, ()):
            yield from statements(child)


def imported(path):
    """Full names of the modules that a file imports, wherever in the file."""
    package = ["firsthand", *path.relative_to(ROOT).parent.parts]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def part_of(name):
    parts = name.split(".")
    return parts[1] if parts[0] == "firsthand" and len(parts) > 1 else None


@pytest.mark.tiny
def test_imports_point_downward():
    wrong = []
    for path in ROOT.rglob("*.py"):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imported(path):
            other = part_of(name)
            if part in ALONE:
                if name.split(".")[0] not in {*ALONE[part], "__future__", *sys.stdlib_module_names} and other != part:
                    wrong.append(f"{path}: {name}")
            elif other == "book" and part != "book" and path.name != "as_recorded.py":
                wrong.append(f"{path}: nothing but the study of the author's own runs imports book, found {name}")
            elif part in ORDER and other in ORDER and ORDER.index(other) > ORDER.index(part):
                wrong.append(f"{path}: {part} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.tiny
def test_every_part_has_its_place():
    parts = {p.name.removesuffix(".py") for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts - {*ORDER, *ALONE, "book", "__init__", "__main__"} == set()


@pytest.mark.tiny
def test_files_fit_on_a_few_screens():
    long = [
        f"{path}: {lines} lines"
        for path in ROOT.rglob("*.*")
        if path.suffix in (".py", ".cc", ".h", ".js", ".css") and (lines := len(path.read_text().splitlines())) > 430
    ]
    assert not long


@pytest.mark.tiny
def test_docstrings_open_with_a_noun_or_an_imperative():
    """A clause (what ..., of ...) waits for its verb; a noun phrase or an imperative does not."""
    clause = re.compile(r"(What|How|Where|Whether|Which|Why|Of|So many|As many)\b")
    wrong = []
    for folder in ("src", "tools", "benchmarks", "examples", "tests"):
        for path in (ROOT.parents[1] / folder).rglob("*.py"):
            for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    docstring = ast.get_docstring(node) or ""
                    if clause.match(docstring):
                        wrong.append(f"{path}: {docstring.partition(chr(10))[0]}")
    assert not wrong, "\n".join(wrong)


def after(code):
    """The modules that a process has after some Python."""
    code = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_firsthand_costs_nothing():
    costly = {"jax", "numpy", "matplotlib", "scipy", "optax", "PIL", "typer", "fastapi", "sklearn"}
    assert costly.isdisjoint(after("import firsthand; from firsthand import FirsthandError; dir(firsthand)"))


def test_the_names_of_firsthand_are_light():
    modules = after("from firsthand import *; assert callable(train) and Dataset and nn.Network is Network")
    assert {"jax", "firsthand.learning"} <= modules
    heavy = {
        "matplotlib",
        "fastapi",
        "PIL.ImageFilter",
        "typer",
        "firsthand.experiments",
        "firsthand.report",
        "sklearn",
    }
    assert heavy.isdisjoint(modules)


def test_lazy_names_are_the_packages_own():
    for package in (firsthand, firsthand.report, firsthand.studies, firsthand.zoo):
        assert set(package.__all__) <= set(dir(package))
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
            _ = package.nothing
    assert firsthand.zoo.QUICK is firsthand.zoo.digits.QUICK


def test_public_names_exist_and_are_listed():
    import importlib

    for path in ROOT.rglob("__init__.py"):
        name = ".".join(["firsthand", *path.relative_to(ROOT).parent.parts])
        module = importlib.import_module(name)
        names = getattr(module, "__all__", None)
        assert names is not None, f"{name} lists no public names"
        assert sorted(set(names)) == sorted(names), f"{name}: {names}"
        assert all(hasattr(module, n) for n in names)


@pytest.mark.tiny
def test_learning_knows_nothing_of_images():
    """Only classification says image, label or accuracy: the loop around it learns whatever has examples.

    The label units of a belief net are units of the network, and are called so; Matplotlib's lines have labels.
    """
    wrong = []
    for path in (ROOT / "learning").rglob("*.py"):
        if path.name in ("classification.py", "curves.py", *LABEL_UNITS):
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if re.search(r"\b(image|label|accurac)", line, re.IGNORECASE) and ">>>" not in line:
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)
