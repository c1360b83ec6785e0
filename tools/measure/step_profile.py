"""Say where the time of a training step of a recipe for images of 28x28 goes, by kinds of XLA's operations.

    python tools/measure/step_profile.py inception-small [--examples 1000]

One epoch is traced by JAX's profiler after one that compiles.  `ffi_call` are the compiled kernels, `dot` XLA's matrix
products, `ynn_fusion` sums over whole axes such as means of a mini-batch; what is called fusion are loops over pixels,
named after what is in them (`slice` and `select`: windows of pooling).  Tracing takes time itself: read the shares.
"""

import argparse
import gzip
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

import jax

from firsthand.data import Splits, mnist
from firsthand.learning import Progress, train
from firsthand.zoo import RECIPES

KINDS = 16  # that are shown


def main() -> None:
    """Train two epochs, and print what the second is made of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--examples", type=int, default=1000)
    chosen = parser.parse_args()
    recipe = RECIPES[chosen.recipe]
    digits = mnist()  # how long a step takes does not depend on what is shown
    data = Splits(digits.train[: chosen.examples], digits.validation[:100], digits.test[:100])
    steps = -(-len(data.train) // recipe.recipe.batch_size)
    with tempfile.TemporaryDirectory() as folder:

        def follow(at: Progress) -> None:
            if at.record and at.epoch == 1:
                jax.profiler.start_trace(folder)
            elif at.record:
                jax.profiler.stop_trace()

        train(recipe.network(data.train), data, recipe.recipe.changed(epochs=2), key=0, progress=follow)
        seconds = _seconds(next(Path(folder).rglob("*.trace.json.gz")))
    total = sum(seconds.values())
    for kind, taken in seconds.most_common(KINDS):
        print(f"{taken / total:6.1%} {1e3 * taken / steps:8.2f} ms a step  {kind}")


def _seconds(trace: Path) -> Counter[str]:
    """Seconds by kind of operation: its name without the number behind it."""
    with gzip.open(trace) as file:
        events = json.load(file)["traceEvents"]
    found: Counter[str] = Counter()
    for event in events:
        # names of the host's own work have spaces, dots of modules or colons in them
        kind = re.fullmatch(r"([a-z_\-]+)(\.\d+)*", event["name"]) if event.get("ph") == "X" else None
        if kind and kind[1] != "while":  # the loop over all steps
            found[kind[1]] += 1e-6 * event["dur"]
    return found


if __name__ == "__main__":
    main()
