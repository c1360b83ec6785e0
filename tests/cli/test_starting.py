"""Commands that answer without computing do so without importing what computes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import firsthand
from firsthand.studies import IDS
from firsthand.studies.catalogue import EXPERIMENTS
from firsthand.zoo import RECIPES
from firsthand.zoo.about import ABOUT
from tests.processes import PATIENCE

COSTLY = {"jax", "matplotlib", "scipy", "optax"}
RESULTS = Path(firsthand.__file__).parents[2] / "results" / "experiments"
# with the exit code, and a word of the answer
AT_ONCE = {
    "--help": (0, "Usage"),
    "train --help": (0, "--recipe"),
    "": (2, "Usage"),
    "nothing": (2, "no such command"),
    "train --nothing": (2, "no such option"),
    "train --recipe nothing": (2, "expected one of digit-reader"),
    "read x --csv --json": (2, "one of them expected"),
    "read x --device abacus": (2, "expected cpu"),
    "run nothing": (2, "expected an experiment"),
    "summary": (0, "digit-reader"),
    "summary --recipe nothing": (2, "expected one of digit-reader"),
    "experiments --results RESULTS": (0, "conv-1"),
    "report --markdown --results RESULTS": (0, "verdict"),
}
CODE = """
import sys
from firsthand.cli import main
try:
    main()
finally:
    print("modules:", *sys.modules, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with a result of every study: of one that is not measured yet, another's stands in."""
    folder = tmp_path_factory.mktemp("results")
    for id in IDS:
        path = RESULTS / f"{id}.json"
        found = json.loads((path if path.exists() else RESULTS / "conv-1.json").read_text())
        (folder / path.name).write_text(json.dumps(found | {"id": id}))
    return folder


@pytest.mark.parametrize("line", AT_ONCE)
def test_answers_at_once(line, results):
    arguments = [str(results) if word == "RESULTS" else word for word in line.split()]
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    said, _, modules = done.stderr.rpartition("modules:")
    assert (done.returncode, AT_ONCE[line][1] in done.stdout + said) == (AT_ONCE[line][0], True), done
    assert "firsthand.cli" in modules.split()
    needed = {"scipy"} if "RESULTS" in line else set()  # for the intervals of Student's distribution
    assert (COSTLY - needed).isdisjoint(modules.split())


def test_what_is_known_at_once_is_what_there_is():
    assert {name: recipe.about for name, recipe in RECIPES.items()} == ABOUT
    assert [experiment.id for experiment in EXPERIMENTS] == list(IDS)
