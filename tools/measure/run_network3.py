"""Chapter 6's two convolutional layers with ReLU, three epochs through the book's interface, and their test accuracy.

    python tools/measure/run_network3.py [--seeds 5] [--ties all first]     writes results/network3.json

In the original's order of the data, which is the same in every epoch, and shuffled; with all maxima of a pooling window
learning, as in the original, and with the first alone.  What is not asked for stays in the file.  The accuracy is
that of the last epoch; the originals print the one at the best validation accuracy, the same here or little different.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from firsthand.book import network3
from firsthand.book.network3 import ConvPoolLayer, FullyConnectedLayer, Network, ReLU, SoftmaxLayer
from firsthand.files import describe_machine, versions, write_atomically

ROOT = Path(__file__).parents[2]


def accuracy(data: Sequence[Any], seed: int, shuffle: bool, ties: str) -> float:
    """Test accuracy after three epochs."""
    np.random.seed(seed)  # noqa: NPY002 - the originals draw their weights from it
    size = 10
    net = Network(
        [
            ConvPoolLayer((20, 1, 5, 5), (size, 1, 28, 28), (2, 2), ReLU, ties=ties),
            ConvPoolLayer((40, 20, 5, 5), (size, 20, 12, 12), (2, 2), ReLU, ties=ties),
            FullyConnectedLayer(40 * 4 * 4, 100, ReLU),
            SoftmaxLayer(100, 10),
        ],
        size,
    )
    net.SGD(data[0], 3, size, 0.03, data[1], data[2], lmbda=0.1, shuffle=shuffle)
    return net.history["test_accuracy"][-1]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ties", nargs="+", default=["all", "first"], choices=["all", "first"])
    chosen = parser.parse_args()
    data = network3.load_data_shared()
    path = ROOT / "results" / "network3.json"
    results = {
        key: value for key, value in json.loads(path.read_text()).items() if isinstance(value, dict) and "mean" in value
    }
    for ties, (name, shuffle) in product(chosen.ties, (("in the original's order", False), ("shuffled", True))):
        found = [accuracy(data, seed, shuffle, ties) for seed in range(chosen.seeds)]
        results[name if ties == "all" else f"{name}, first maximum"] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": describe_machine(),
            "mean": statistics.fmean(found),
            "standard_deviation": statistics.stdev(found),
            "values": found,
        }
    about = {
        "what": "conv 20, conv 40, FC 100, ReLU, eta 0.03, lmbda 0.1, 3 epochs: test accuracy",
        "target": 0.985,
        "n": chosen.seeds,
        "versions": versions(),
    }
    write_atomically(path, json.dumps({**about, **results}, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
