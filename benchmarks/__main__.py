"""Run the benchmarks: `python -m benchmarks --help`."""

import argparse
import json
import tempfile
from pathlib import Path

from .quality import digit_reader, reading, reading_figure
from .speed import (
    augment,
    boltzmann,
    convolutions,
    cores,
    dense,
    figure,
    floor,
    language,
    members,
    steps,
    time_to_accuracy,
    time_to_bits,
)
from .speed import parts as kernel_parts
from .speed.nets import NETS
from .speed.peers import PEERS
from .summary import ROOT

PARTS = (
    "steps",
    "cores",
    "floor",
    "parts",
    "convolutions",
    "dense",
    "augment",
    "boltzmann",
    "members",
    "time-to-accuracy",
    "language",
    "time-to-bits",
    "digit-reader",
    "reading",
    "figure",
)
RESULTS = ROOT / "results"


def main() -> None:
    """Run the parts that are asked for, and print what the targets said and what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="short and rough; writes to a scratch folder")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS), help="for steps")
    parser.add_argument("--batches", nargs="+", type=int, default=list(steps.BATCH_SIZES), help="for steps")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="for steps")
    parser.add_argument("--rounds", type=int, help="turns of each contender")
    parser.add_argument("--threads", nargs="+", type=int, help="for dense and language; 1 and one per core by default")
    parser.add_argument("--pages", type=int, default=reading.PAGES, help="for reading: pages of each kind")
    parser.add_argument("--kinds", nargs="+", default=(), help="for reading: renew the rows of these kinds of pages")
    parser.add_argument("--history", type=Path, help="for language: history.json of a training by the recipe")
    parser.add_argument("--out", type=Path, help="folder for the results instead of results/")
    chosen = parser.parse_args()
    for part in chosen.parts:
        if part not in PARTS:
            parser.error(f"part {part!r}: expected one of {', '.join(PARTS)}")
    parts = chosen.parts or PARTS
    whole = (chosen.nets, chosen.batches, chosen.peers) == (list(NETS), list(steps.BATCH_SIZES), list(PEERS))
    # a number of a hurried or partial run must not get into the documents
    scratch = chosen.quick or not whole or chosen.threads is not None
    top = chosen.out or (Path(tempfile.mkdtemp(prefix="firsthand-bench-results-")) if scratch else RESULTS)
    below = top / "benchmarks"
    below.mkdir(parents=True, exist_ok=True)
    rounds = chosen.rounds or (3 if chosen.quick else 7)
    seconds = 0.1 if chosen.quick else 0.4

    if "steps" in parts:
        steps.run(below, chosen.nets, chosen.batches, chosen.peers, rounds, seconds)
    if "cores" in parts:
        cores.run(below, rounds, seconds)
    if "floor" in parts:
        floor.run(below, rounds, seconds)
    if "parts" in parts:
        kernel_parts.run(below, rounds, seconds)
    if "convolutions" in parts:
        convolutions.run(below, rounds)
    if "dense" in parts:
        dense.run(below, rounds=rounds, seconds=seconds / 4, threads=chosen.threads)
    if "augment" in parts:
        augment.run(below, rounds)
    if "boltzmann" in parts:
        boltzmann.run(below, rounds, 1_000 if chosen.quick else boltzmann.IMAGES)
    if "members" in parts:
        members.run(below, rounds=rounds, seconds=seconds)
    if "time-to-accuracy" in parts:
        if chosen.quick:
            time_to_accuracy.run(below, 1, accuracy=0.97)
        else:
            time_to_accuracy.run(below, min(rounds, 3))
    if "language" in parts:
        language.run(below, rounds, 5 * seconds, chosen.history, chosen.threads)
    if "time-to-bits" in parts:
        if chosen.quick:
            time_to_bits.run(below, 1, bits=6.0, examples=64, threads=(1,))
        else:
            time_to_bits.run(below, min(rounds, 3))
    if "digit-reader" in parts:
        if chosen.quick:
            digit_reader.run(top, 1, ("--examples", "5000", "--epochs", "1"))
        else:
            digit_reader.run(top)
    if "reading" in parts:
        reading.run(below, 3 if chosen.quick else chosen.pages, tuple(chosen.kinds))
        reading_figure.draw(below)
        reading_figure.examples(below)
    if "figure" in parts and (below / "steps.json").exists():
        figure.draw(below)
    _print_targets(below)


def _print_targets(folder: Path) -> None:
    rows = []
    for name in (
        "steps.json",
        "floor.json",
        "dense.json",
        "boltzmann.json",
        "language.json",
        "time_to_bits.json",
        "reading.json",
    ):
        if (folder / name).exists():
            rows += json.loads((folder / name).read_text())["targets"]
    if rows:
        print(f"\n{'target':>8} {'measured':>9}  verdict")
    for row in rows:
        sign = ">=" if row["at_least"] else "<="
        shown = "-" if row["measured"] is None else f"{row['measured']:.2f}"
        print(f"{sign}{row['target']:6.2f} {shown:>9}  {_verdict(row):22} {row['what']}")


def _verdict(row: dict) -> str:
    measured, target = row["measured"], row["target"]
    if measured is None:
        return "not measured"
    if measured >= target if row["at_least"] else measured <= target:
        return "reached"
    return f"missed by {abs(measured - target) / target:.0%}"


if __name__ == "__main__":
    main()
