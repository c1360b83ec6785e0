"""Renew what stored results of experiments declare: texts, published numbers and claims; what was measured stays.

    python tools/documents/renew_results.py

For when an experiment's declaration has changed and its runs have not.  Nothing is measured or drawn.
"""

from pathlib import Path

from firsthand.experiments.records import conclude, needed_results, runs_of
from firsthand.experiments.result import Result
from firsthand.studies.catalogue import EXPERIMENTS

RESULTS = Path(__file__).parents[2] / "results" / "experiments"


def main() -> None:
    """Renew, and name what has changed."""
    for experiment in EXPERIMENTS:
        path = RESULTS / f"{experiment.id}.json"
        if not path.exists():
            continue
        before = Result.load(path)
        result = conclude(experiment, runs_of(before), needed_results(experiment, RESULTS), quick=before.quick)
        if result != before:
            result.save(RESULTS)
            print(f"renewed: {path}")


if __name__ == "__main__":
    main()
