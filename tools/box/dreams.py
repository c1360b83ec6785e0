"""Train what the lab's page Dream shows as soon as it is installed, and write it into the package.

    python tools/box/dreams.py [FOLDER]

Two small networks, with 16 bits a parameter: a deep belief net, 784-256-256-1000 with ten label units, and the decoder
and encoder of a map, 784-128-32-2 and back.  They are `zoo.generative`'s with fewer units.  FOLDER keeps checkpoints.
"""

import sys
from pathlib import Path

import jax
import numpy as np

from firsthand import nn
from firsthand.data import mnist
from firsthand.learning import Adam, Cosine, Recipe, Reconstruction, train, train_greedily
from firsthand.models import Autoencoder, Generator
from firsthand.models.family import MODEL_FORMAT, NetworkModel
from firsthand.models.file import flatten, write_safetensors
from firsthand.nn import Network
from firsthand.studies.dreams import judged
from firsthand.zoo.box import DREAMER, MAP
from firsthand.zoo.generative import belief_net, mirrored

EPOCHS = 8
MAP_EPOCHS = 20


def main() -> None:
    """Train both and write them."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/dreams")
    place.mkdir(parents=True, exist_ok=True)
    write(dreamer(place), DREAMER)
    write(digit_map(place), MAP)


def dreamer(place: Path) -> Generator:
    """The deep belief net."""
    data, key = mnist(), jax.random.key(0)
    chosen = belief_net("dbn", (256, 256), 1000, EPOCHS)
    assert chosen.pretraining is not None
    start, _ = train_greedily(chosen.pretraining, data, key=key, place=place, progress=say)
    file = place / "persistent.safetensors"
    options = {"checkpoint": file, "resume": file.exists(), "progress": say}
    model = train(start.network, data, chosen.recipe, key=key, params=start.params, **options).model
    share, _ = judged(model, 50, key, 300)
    print(f"{share:.1%} of 500 drawings are read as the digit that was asked for", flush=True)
    # the chains are of use in training alone
    *below, top = model.network.layers
    network = Network((*below, nn.RBM(top.units, labels=top.labels)), model.network.input_shape)
    params = tuple({name: p[name] for name in p if name != "chains"} for p in model.params)
    about = {"training_data": data.train.digest, "recipe": chosen.recipe.to_json(), "read_as_told": share}
    return Generator(network, params, model.classes, about)


def digit_map(place: Path) -> Autoencoder:
    """The autoencoder with a code of two."""
    data, file = mnist(), place / "map.safetensors"
    recipe = Recipe(
        MAP_EPOCHS,
        100,
        Cosine(0.002, MAP_EPOCHS),
        optimizer=Adam(),
        objective=Reconstruction(cross_entropy=True),
    )
    layers = mirrored((128, 32, 2), 784)
    options = {"checkpoint": file, "resume": file.exists(), "progress": say}
    model = train(Network(layers), data, recipe, key=jax.random.key(0), **options).model
    print(f"squared error {np.mean(model.errors(data.test.images)):.1f}", flush=True)
    about = {"training_data": data.train.digest, "recipe": recipe.to_json()}
    return Autoencoder(model.network, model.params, about)


def write(model: NetworkModel, path: Path) -> None:
    """Write a model with half of the bits."""
    arrays = {name: array.astype(np.float16) for name, array in flatten(model.params).items()}
    write_safetensors(path, arrays, {"format": MODEL_FORMAT, **model.description()})
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB", flush=True)


def say(at) -> None:
    """A line for every epoch."""
    if at.record is not None:
        print(f"{at.member} {at.epoch}/{at.epochs} {at.record['batch_cost']:.3f}", flush=True)


if __name__ == "__main__":
    main()
