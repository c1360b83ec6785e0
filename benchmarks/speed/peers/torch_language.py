"""The network of the recipe `shakespeare` in PyTorch, for benchmarks.speed.language: needs PyTorch and NumPy alone."""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

PACKAGES = ("torch",)


class Peer:
    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        torch.set_num_threads(threads)
        with np.load(folder / "problem.npz") as found:
            self.problem = dict(found)
        p, self.time_first = self.problem, variant == "time first"
        self.inputs = torch.from_numpy(p["inputs"]).long()
        self.targets = torch.from_numpy(p["targets"]).long()
        batch_size, self.clip = int(p["settings"][0]), float(p["settings"][1])
        self.batches = torch.from_numpy(p["order"]).long().split(batch_size)
        self.rates = [float(rate) for rate in p["rates"]]
        symbols, features = p["embedding"].shape
        self.embedding = nn.Embedding(symbols, features)
        self.lstm = nn.LSTM(features, len(p["U"]), batch_first=not self.time_first)
        self.output = nn.Linear(len(p["U"]), symbols)
        # PyTorch has a second bias, which would make steps of the sum twice as large
        self.lstm.bias_hh_l0.requires_grad_(False)
        self.reset()

    def reset(self) -> None:
        p = self.problem
        start = {
            self.embedding.weight: p["embedding"],
            self.lstm.weight_ih_l0: p["W"].T,
            self.lstm.weight_hh_l0: p["U"].T,
            self.lstm.bias_ih_l0: p["b"],
            self.lstm.bias_hh_l0: 0 * p["b"],
            self.output.weight: p["V"].T,
            self.output.bias: p["c"],
        }
        with torch.no_grad():
            for parameter, value in start.items():
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
        self.learned = [parameter for parameter in start if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(self.learned, fused=True)

    def run(self, start: int, steps: int) -> None:
        for at, rate in zip(self.batches[start : start + steps], self.rates[start : start + steps], strict=True):
            x, y = self.inputs[at], self.targets[at]
            if self.time_first:
                x, y = x.T, y.T
            states, _ = self.lstm(self.embedding(x))
            loss = F.cross_entropy(self.output(states).flatten(0, 1), y.flatten())
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.learned, self.clip)
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()

    def save(self, path: str) -> None:
        arrays = {
            "embedding": self.embedding.weight,
            "W": self.lstm.weight_ih_l0.T,
            "U": self.lstm.weight_hh_l0.T,
            "b": self.lstm.bias_ih_l0,
            "V": self.output.weight.T,
            "c": self.output.bias,
        }
        np.savez(path, **{name: value.detach().numpy() for name, value in arrays.items()})
