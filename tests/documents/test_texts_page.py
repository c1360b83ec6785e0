"""The inventory of the texts names every study, and is the one that the program writes."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("texts_page", ROOT / "tools" / "documents" / "texts_page.py")
assert _SPEC is not None
assert _SPEC.loader is not None
texts_page = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(texts_page)


def test_the_page_is_as_the_program_writes_it():
    assert texts_page.PAGE.read_text(encoding="utf-8") == texts_page.page()


def test_a_study_that_no_section_names_is_an_error():
    sections = tuple(each for each in texts_page.SECTIONS if "as-recorded" not in each.studies)
    with pytest.raises(ValueError, match="as-recorded"):
        texts_page.page(sections)
