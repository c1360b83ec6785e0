"""The named recipes, and that what is recorded of them was measured with what they are now."""

import json
from pathlib import Path

import pytest

from firsthand.learning.recipe import canonical
from firsthand.nn import Network, from_json, to_json
from firsthand.zoo import RECIPES, SMALLEST

RESULTS = Path(__file__).parents[2] / "results" / "recipes"


@pytest.mark.tiny
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_whole(name):
    recipe = RECIPES[name]
    network = Network(recipe.layers, recipe.input_shape)
    assert network.output_shape
    assert from_json(json.loads(json.dumps(to_json(network)))) == network
    # a game is judged by what is earned while it is played
    assert recipe.environment is not None or recipe.recipe.decisive in recipe.recipe.monitored
    json.dumps(recipe.recipe.to_json())


@pytest.mark.tiny
def test_the_smallest_is_small():
    assert Network(SMALLEST.layers).parameter_count == 1931


@pytest.mark.tiny
@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_results_are_those_of_the_recipe_as_it_is(path):
    found = json.loads(path.read_text())
    recipe = RECIPES[found["recipe"]]
    assert canonical(found["settings"]) == canonical(json.loads(json.dumps(recipe.recipe.to_json())))
    assert found["parameters"] == Network(recipe.layers).parameter_count
    accuracies = [run["test_accuracy"] for run in found["runs"]]
    assert len(accuracies) == found["n"]
    assert found["test_accuracy"]["mean"] == pytest.approx(sum(accuracies) / len(accuracies))
