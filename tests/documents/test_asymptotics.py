"""Exercise 3.15: the rows of the page are those that the fit of the stored curves gives."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_fitted_limits():
    program = [sys.executable, str(ROOT / "tools" / "measure" / "exercises" / "asymptotics.py")]
    rows = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120).stdout
    assert rows.count("\n") == 6
    assert rows in (ROOT / "docs" / "exercises" / "training-data.md").read_text(encoding="utf-8")
