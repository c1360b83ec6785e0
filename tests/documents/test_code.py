"""The blocks of the first pages are run as they stand, in an empty folder, in their order."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.documents.pages import ROOT, blocks
from tests.processes import PATIENCE

pytestmark = pytest.mark.slow

PAGES = ("docs/start.md", "docs/start.zh-CN.md", "docs/commands.md", "docs/commands.zh-CN.md")


def run(line, folder):
    """Run a command of a page with this Python."""
    words = shlex.split(line, comments=True)
    assert words[0] == "firsthand", line
    words = [path for word in words for path in (sorted(map(str, folder.glob(word))) if "*" in word else [word])]
    command = [sys.executable, "-m", "firsthand", *words[1:]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=5 * PATIENCE, env=os.environ)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(ROOT / page):
        if block.language == "bash":
            for line in block.lines:
                run(line, tmp_path)
        elif block.language == "python":
            exec(compile(block.text, page, "exec"), {"__name__": "__main__"})  # the page's own words
        elif block.language == "toml":
            (tmp_path / "own.toml").write_text(block.text)
            run("firsthand train --config own.toml --out runs/own-settings", tmp_path)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_does_what_it_says(name, tmp_path):
    """All but make, which is how this runs, and the lab, which does not end by itself."""
    lines = [line for block in blocks(ROOT / name) if not block.language for line in block.lines]
    lines = [line for line in lines if line.startswith("firsthand ") and not line.startswith("firsthand lab")]
    assert len(lines) == 5
    for line in lines:
        run(re.sub(r" --recipe quick$", " --recipe quick --examples 1000 --epochs 1", line), tmp_path)


@pytest.mark.parametrize("name", ["README.zh-CN.md"])
def test_python_of_the_readme(name, tmp_path):
    (code,) = [block.text for block in blocks(ROOT / name) if block.language == "python"]
    names = {}
    exec(compile(code.replace("epochs=2", "epochs=1"), name, "exec"), names)
    assert names["model"].accuracy(names["data"].test) > 0.95
