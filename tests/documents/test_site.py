"""The documentation builds as a site, without a dead link."""

import shutil
import subprocess
import sys

import pytest

from tests.documents.pages import ROOT

pytest.importorskip("mkdocs", reason="needs the extra docs")


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "https://fonts" not in page
    assert (tmp_path / "site" / "zh-CN" / "start.html").exists()
    assert "firsthand.nn.Network" in (tmp_path / "site" / "api" / "nn.html").read_text(encoding="utf-8")
    shutil.rmtree(tmp_path / "site")
