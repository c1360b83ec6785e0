"""The recipe `shakespeare` in PyTorch, from a cold start of the process: trains until so few bits are needed.

python -m benchmarks.speed.peers.torch_language_recipe FOLDER     reads FOLDER/recipe.json, prints one JSON line
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.speed.peers.torch_language import Peer


def main() -> None:
    """Train, evaluate after every epoch, stop at the bits or at the recipe's end."""
    folder = Path(sys.argv[1])
    recipe = json.loads((folder / "recipe.json").read_text())
    torch.manual_seed(recipe["seed"])
    peer = Peer(folder, recipe["variant"], recipe["threads"])
    with np.load(folder / "problem.npz") as found:
        rates = found["all_rates"].tolist()  # (epochs, steps)
        inputs, targets = (torch.from_numpy(found[f"validation_{name}"]).long() for name in ("inputs", "targets"))
    size = len(peer.batches[0])
    seconds, bits = [], math.inf
    for of_epoch in rates:
        started = time.perf_counter()
        peer.batches, peer.rates = torch.randperm(len(peer.inputs)).split(size), of_epoch
        peer.run(0, len(of_epoch))
        seconds.append(time.perf_counter() - started)
        bits = measured(peer, inputs, targets)
        if bits <= recipe["bits"]:
            break
    print(json.dumps({"bits": bits, "epochs": len(seconds), "seconds_per_epoch": seconds}))


def measured(peer: Peer, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    """Bits per symbol of pieces that are each read from nothing."""
    nats = 0.0
    with torch.no_grad():
        for x, y in zip(inputs.split(100), targets.split(100), strict=True):
            if peer.time_first:
                x, y = x.T, y.T
            states, _ = peer.lstm(peer.embedding(x))
            nats += float(F.cross_entropy(peer.output(states).flatten(0, 1), y.flatten(), reduction="sum"))
    return nats / targets.numel() / math.log(2)


if __name__ == "__main__":
    main()
