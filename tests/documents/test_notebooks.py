"""The notebooks are those of their pages, and do what they say."""

import importlib.util
import json

import pytest

from tests.documents.pages import ROOT, blocks

PAGES = sorted((ROOT / "docs" / "chapters").glob("*.md"))
ENGLISH = [page for page in PAGES if not page.name.endswith(".zh-CN.md")]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "tools" / "documents" / "notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.tiny
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_notebook_is_that_of_its_page(page, tool):
    made = tool.notebook(page)
    assert (ROOT / "notebooks" / f"{page.stem}.ipynb").read_text(encoding="utf-8") == made
    cells = json.loads(made)["cells"]
    assert [cell["cell_type"] for cell in cells].count("code") == len(blocks(page))
    assert all(cell["id"] for cell in cells)


@pytest.mark.tiny
def test_every_page_has_a_twin_and_is_listed():
    listed = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    for page in ENGLISH:
        assert page.with_name(f"{page.stem}.zh-CN.md") in PAGES
        assert f"({page.stem}.ipynb)" in listed


@pytest.mark.slow
@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_a_notebook_runs(page, monkeypatch, tmp_path):
    """All of its cells in their order; both languages have the same code, which another test holds."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in blocks(page):
        exec(compile(block.text, str(page), "exec"), names)  # the page's own words
