"""Train the policies that the lab's page Play shows as soon as it is installed, and write them into the package.

    python tools/box/players.py [FOLDER]

One for each game, with 16 bits a parameter: `zoo.games`' networks, of which the larger ones have 64 hidden units in the
place of 128.  FOLDER keeps checkpoints.
"""

import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from dreams import write

from firsthand import nn
from firsthand.learning import train
from firsthand.models import Policy
from firsthand.zoo import NamedRecipe
from firsthand.zoo.box import PLAYERS
from firsthand.zoo.games import RECIPES

HIDDEN = 64
EPISODES = 100


def main() -> None:
    """Train each and write it."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/players")
    place.mkdir(parents=True, exist_ok=True)
    for name, path in PLAYERS.items():
        write(player(RECIPES[name], place / f"{name}.safetensors"), path)


def player(recipe: NamedRecipe, file: Path) -> Policy:
    """A policy, and in its file what it scores."""
    layers = tuple(
        replace(layer, units=HIDDEN) if isinstance(layer, nn.FullyConnected) and layer.units > HIDDEN else layer
        for layer in recipe.layers
    )
    recipe = replace(recipe, layers=layers)
    played = recipe.played()

    def say(at) -> None:
        if at.record is not None and at.epoch % 20 == 0:
            print(f"{recipe.name} {at.epoch}/{at.epochs} {at.record['training_score']:.2f}", flush=True)

    options = {"checkpoint": file, "resume": file.exists(), "progress": say}
    model = train(recipe.network(played.train), played, recipe.recipe, key=jax.random.key(0), **options).model
    half = jax.tree.map(lambda array: array.astype(np.float16).astype(np.float32), model.params)
    score = float(replace(model, params=half).play(EPISODES, key=jax.random.key(1)).rewards.mean())
    print(f"{recipe.name}: {score:.2f} in the mean of {EPISODES} games", flush=True)
    about = {"training_data": played.train.digest, "recipe": recipe.recipe.to_json(), "score": score}
    return Policy(model.network, model.params, model.environment, about)


if __name__ == "__main__":
    main()
