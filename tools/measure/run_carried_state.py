"""Train the recipe `shakespeare` with and without the state carried over mini-batches, from the same start.

    python tools/measure/run_carried_state.py [--checkpoints FOLDER] [--seeds N]

Writes results/carried_state.json: bits per character of the validation text and of the test text, read on with a
memory, and of pieces that are each read from nothing.  Which of the two is better is decided on the validation text.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import jax

from firsthand.data import shakespeare, shakespeare_text
from firsthand.files import describe_machine, versions, write_atomically
from firsthand.learning import train
from firsthand.zoo import SHAKESPEARE

WAYS = {"each piece from nothing": False, "state carried": True}


def main() -> None:
    """Train both ways, a seed after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=Path("runs/carried"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/carried_state.json"))
    asked = parser.parse_args()
    asked.checkpoints.mkdir(parents=True, exist_ok=True)
    runs = [_run(name, seed, asked.checkpoints) for seed in range(asked.seeds) for name in WAYS]
    found = {
        "recipe": SHAKESPEARE.recipe.to_json(),
        "machine": describe_machine(),
        "versions": versions(),
        "runs": runs,
    }
    write_atomically(asked.out, json.dumps(found, indent=1) + "\n")


def _run(name: str, seed: int, place: Path) -> dict[str, Any]:
    data, text = shakespeare(SHAKESPEARE.length or 64), shakespeare_text()
    chosen = SHAKESPEARE.changed(carry_state=WAYS[name])
    file = place / f"{name.replace(' ', '-')}-{seed}.safetensors"
    started = time.perf_counter()
    training = train(
        chosen.network(data.train),
        data,
        chosen.recipe,
        key=jax.random.key(seed),
        checkpoint=file,
        resume=file.exists(),
        progress=_say,
    )
    model, history = training.model, training.history
    found = {
        "way": name,
        "seed": seed,
        "seconds": round(time.perf_counter() - started),
        "seconds_of_steps": round(sum(history["seconds"])),
        "best_epoch": history.best_epoch,
        "validation_bits_of_pieces": [round(value, 4) for value in history["validation_bits"]],
        "validation_bits_read_on": round(model.bits(text.validation), 4),
        "test_bits_read_on": round(model.bits(text.test), 4),
        "test_bits_of_pieces": round(model.provenance["scores"]["test"]["bits"], 4),
    }
    print(json.dumps(found), flush=True)
    return found


def _say(at: Any) -> None:
    if at.record is not None:
        print(f"{at.epoch}/{at.epochs} {at.record['validation_bits']:.3f}", flush=True)


if __name__ == "__main__":
    main()
