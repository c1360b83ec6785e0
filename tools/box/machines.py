"""Train what the lab's pages Memory and Story show as soon as it is installed, and write it into the package.

    python tools/box/machines.py [copies | stories ...] [--checkpoints FOLDER]

A neural Turing machine, the recipe `ntm-copy`, and a memory network with three hops for stories of all kinds at once,
which is trained as in the studies `stories-*`: first without the softmax of the memory, then with it.  Both have 16
bits a parameter.  What their descriptions say of their quality is measured with the parameters as they are written, on
test examples; results/boxed_memories.json has the same.
"""

from pathlib import Path

import jax
from memories import checkpointed, halved, make_named, write

from firsthand.data.tasks import STORY_KINDS, stories, told
from firsthand.learning import train
from firsthand.nn import Network
from firsthand.studies.neural_turing import at_length
from firsthand.zoo import NTM_COPY
from firsthand.zoo.box import COPIER, STORY_READER
from firsthand.zoo.machines import COPY
from firsthand.zoo.questions import LONGEST_KIND, mixed_story_splits, story_layers, story_recipe

LENGTHS = (10, 20, 40, 80, 120, 140)  # the last has more vectors than the memory has slots
SEQUENCES = 100  # tested of each length
HOPS = 3
LINEAR_EPOCHS, EPOCHS = 4, 30  # with 60, fewer validation answers were right
EACH_EPOCH = 4_000  # stories of each kind
STORIES = 1_000  # tested of each kind


def main() -> None:
    """Train those that are named, or both."""
    make_named({"copies": copies, "stories": answers}, __doc__, Path("runs/machines"))


def copies(place: Path) -> None:
    """The recipe `ntm-copy`, as `firsthand train` runs it, tested on longer sequences than it was trained on."""
    data = COPY.splits(NTM_COPY.recipe.epochs, 1_000)
    options = checkpointed(place / "copies.safetensors")
    training = train(NTM_COPY.network(data.train), data, NTM_COPY.recipe, key=jax.random.key(0), **options)
    model = halved(training.model)
    found = {length: at_length(model, COPY, length, 2 * length + 1, SEQUENCES) for length in LENGTHS}
    about = {
        "task": "copies",
        "lengths": [COPY.smallest, COPY.largest],
        "training_data": data.train.digest,
        "recipe": NTM_COPY.recipe.to_json(),
        "scores": {
            str(length): {what: round(each[what], 5) for what in ("wrong", "whole")} for length, each in found.items()
        },
        "tested_on": f"{SEQUENCES} sequences of each length that were held out by the hash of their vectors",
    }
    write(model, about, COPIER, sum(training.history["seconds"]))


def answers(place: Path) -> None:
    """One network for the stories of all kinds."""
    data = mixed_story_splits(STORY_KINDS, EACH_EPOCH)
    shape = data.validation.example_shape
    linear = train(
        Network(story_layers(LONGEST_KIND, HOPS, linear=True), shape),
        data,
        story_recipe().changed(epochs=LINEAR_EPOCHS, learning_rate=5e-3),
        key=jax.random.key(0),
        **checkpointed(place / "linear.safetensors"),
    )
    recipe = story_recipe(EPOCHS)
    training = train(
        Network(story_layers(LONGEST_KIND, HOPS), shape),
        data,
        recipe,
        key=jax.random.key(1),
        params=linear.model.params,
        **checkpointed(place / "stories.safetensors"),
    )
    model = halved(training.model)
    tested = {kind: told(stories(kind, STORIES, "test", seed=0), LONGEST_KIND) for kind in STORY_KINDS}
    about = {
        "task": "stories",
        "kinds": list(STORY_KINDS),
        "training_data": data.train.digest,
        "recipe": recipe.to_json(),
        "scores": {str(kind): {"right": round(model.accuracy(each), 4)} for kind, each in tested.items()},
        "tested_on": f"{STORIES:,} stories of each kind that were held out by the hash of their text",
    }
    write(model, about, STORY_READER, sum(linear.history["seconds"]) + sum(training.history["seconds"]))


if __name__ == "__main__":
    main()
