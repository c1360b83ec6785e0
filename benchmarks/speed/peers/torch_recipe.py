"""The digit reader's recipe in eager PyTorch, from a cold start of the process: trains until the test accuracy is met.

python -m benchmarks.speed.peers.torch_recipe FOLDER     reads FOLDER/recipe.json, prints one JSON line
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.speed.nets import load_problem

from .torch_eager import Peer, weighted_input


def main() -> None:
    """Train, evaluate after every epoch, stop at the accuracy or at the recipe's end."""
    folder = Path(sys.argv[1])
    recipe = json.loads((folder / "recipe.json").read_text())
    torch.manual_seed(recipe["seed"])
    peer = Peer(load_problem(folder, recipe["net"], recipe["batch_size"]), recipe["variant"], recipe["threads"])
    images = torch.from_numpy(np.load(folder / "test_images.npy").astype(np.float32) / 255).permute(0, 3, 1, 2)
    labels = torch.from_numpy(np.load(folder / "test_labels.npy"))
    weights = peer.now[::2]
    seconds, accuracy = [], 0.0
    for rate in recipe["learning_rates"]:
        started = time.perf_counter()
        for at in torch.randperm(len(peer.labels)).split(recipe["batch_size"]):
            gradient = torch.autograd.grad(peer.loss(peer.now, peer.images[at], peer.labels[at]), peer.now)
            with torch.no_grad():
                # w <- w - rate (gradient + l2 w), biases without l2
                torch._foreach_mul_(weights, 1 - rate * recipe["l2"])
                torch._foreach_add_(peer.now, gradient, alpha=-rate)
        seconds.append(time.perf_counter() - started)
        with torch.no_grad():
            parts = zip(images.split(1000), labels.split(1000), strict=True)
            right = sum(
                int((weighted_input(peer.net, peer.now, x, peer.flatten).argmax(1) == y).sum()) for x, y in parts
            )
        accuracy = right / len(labels)
        if accuracy >= recipe["target"]:
            break
    print(json.dumps({"test_accuracy": accuracy, "epochs": len(seconds), "seconds_per_epoch": seconds}))


if __name__ == "__main__":
    main()
