"""Numbers that recipes say of themselves are those that were measured."""

import json
from pathlib import Path

from firsthand.zoo.digits import FULLY_CONNECTED

RECIPES = Path(__file__).parents[2] / "results" / "recipes"


def test_the_fully_connected_recipe_names_its_own_accuracy():
    found = json.loads((RECIPES / "fully-connected.json").read_text(encoding="utf-8"))["test_accuracy"]
    mean, spread = (100 * found[name] for name in ("mean", "standard_deviation"))
    assert f"{mean:.2f} ± {spread:.2f} % here" in FULLY_CONNECTED.about
