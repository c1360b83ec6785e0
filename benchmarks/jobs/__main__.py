"""Run the job in all libraries: `python -m benchmarks.jobs [--python PATH]` writes results/benchmarks/jobs.json."""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime

from firsthand.files import describe_machine, versions, write_atomically

from .given import ROOT

LIBRARIES = {
    "firsthand": "firsthand_job",
    "Keras": "keras_job",
    "PyTorch Lightning": "lightning_job",
    "skorch": "skorch_job",
    "fastai": "fastai_job",
    "scikit-learn": "sklearn_job",
}


def main() -> None:
    """Run each in a process of its own, and write what was found; what is not installed is left out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    parser.add_argument("--only", nargs="+", choices=LIBRARIES, default=list(LIBRARIES), help="some of them")
    chosen = parser.parse_args()
    path = ROOT / "results" / "benchmarks" / "jobs.json"
    found = json.loads(path.read_text())["libraries"] if path.exists() else {}
    for name in chosen.only:
        python = sys.executable if name == "firsthand" else chosen.python
        command = [python, "-m", "benchmarks.jobs.given", LIBRARIES[name]]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        found[name] = json.loads(done.stdout.strip().splitlines()[-1])
        print(f"{name}: {found[name]['lines']} lines, test accuracy {found[name]['accuracy']:.2%}")
    about = {"machine": describe_machine(), "versions": versions(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    in_order = {name: found[name] for name in LIBRARIES if name in found}
    write_atomically(path, json.dumps({"libraries": in_order, **about}, indent=1) + "\n")


if __name__ == "__main__":
    main()
