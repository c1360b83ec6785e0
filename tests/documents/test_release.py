"""The package: one version everywhere, and what a wheel and a source distribution hold."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest

from tests.documents.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]
BUILD = "from setuptools import build_meta as b; print(b.build_{what}('dist'))"


@pytest.mark.tiny
def test_one_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert VERSION in changes
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.tiny
def test_the_kernels_are_built_against_the_oldest_supported_headers():
    (needed,) = [one for one in PROJECT["build-system"]["requires"] if one.startswith("jaxlib")]
    (lowest,) = [one for one in PROJECT["project"]["dependencies"] if one.startswith("jax>=")]
    assert needed.removeprefix("jaxlib==") == lowest.removeprefix("jax>=")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A source distribution of this tree, and a wheel made of that where there is no compiler."""
    folder = tmp_path_factory.mktemp("build")
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "runs", "site", "build", "dist", "*.so", "__pycache__", "*.egg-info"
    )
    shutil.copytree(ROOT, folder / "tree", ignore=ignored)

    def build(what, where):
        environment = {**os.environ, "CXX": "there-is-no-such-compiler"}
        command = [sys.executable, "-c", BUILD.format(what=what)]
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, env=environment, timeout=600)
        assert done.returncode == 0, done.stderr
        return where / "dist" / done.stdout.split()[-1], done.stderr

    sdist, _ = build("sdist", folder / "tree")
    with tarfile.open(sdist) as file:
        file.extractall(folder / "source", filter="data")
    wheel, said = build("wheel", folder / "source" / f"firsthand-{VERSION}")
    return sdist, wheel, said


@pytest.mark.slow
def test_a_source_distribution_builds_without_a_compiler(built):
    sdist, wheel, said = built
    assert wheel.name == f"firsthand-{VERSION}-py3-none-any.whl"
    assert "the kernels were not compiled, plain JAX will be used" in said
    with tarfile.open(sdist) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {"setup.py", "CHANGELOG.md", "docs/start.md", "notebooks/chapter-3.ipynb", "tests/conftest.py"} <= names
    assert {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*.[ch]*") if path.suffix in (".cc", ".h")
    } <= names


@pytest.mark.slow
def test_a_wheel_has_its_results_and_its_page(built, tmp_path):
    with zipfile.ZipFile(built[1]) as file:
        names = set(file.namelist())
        file.extractall(tmp_path)
    results = {
        f"firsthand/results/experiments/{path.name}" for path in (ROOT / "results" / "experiments").glob("*.json")
    }
    assert results <= names
    assert {"firsthand/reading/example.jpg", "firsthand/data/mnist.npz", "firsthand/py.typed"} <= names
    about = next(tmp_path.glob("*.dist-info/METADATA")).read_text()
    for word in (
        "Classifier: Programming Language :: Python :: 3.14",
        "Author: The firsthand authors",
        "Project-URL: ",
    ):
        assert word in about
    # elsewhere, of the wheel's own files
    code = "from firsthand.report.places import results_folder; print(results_folder(None))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == str(tmp_path / "firsthand" / "results" / "experiments"), done.stderr
