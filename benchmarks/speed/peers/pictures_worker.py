"""Training steps of a small picture network, by firsthand or by PyTorch, in a process of its own.

    python -m benchmarks.speed.peers.pictures_worker firsthand|torch CORES FOLDER

Requests are lines of JSON on its input, answers lines on its output:

    {"do": "prepare", "net"}          -> {"apart"}     how far its outputs are from firsthand's, in use
    {"do": "run", "net", "steps"}     -> {"seconds"}
    {"do": "product", "net", "size"}  -> {"seconds"}   of one product of two square matrices, the best of ten
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.peers.serving import answer_requests

BATCH, RATE, MOMENTUM, L2 = 50, 0.02, 0.9, 5e-4


class Firsthand:
    """The recipe of the zoo, without augmentation and average: gather, crop, forward, backward, Nesterov step."""

    def __init__(self, net: str, folder: Path) -> None:
        import jax
        import jax.numpy as jnp

        from firsthand.learning import Recipe
        from firsthand.learning.step import Carry, Own, Shared, step_program
        from firsthand.zoo import RECIPES

        self.jax, self.jnp, self.Carry, self.Own, self.Shared = jax, jnp, Carry, Own, Shared
        recipe = Recipe(1, BATCH, RATE, momentum=MOMENTUM, nesterov=True, l2=L2)
        self.network = RECIPES[net].network(_Like())
        self.program = step_program(self.network, recipe.rule)
        self.start = self.network.init(key=jax.random.key(0))
        self.optimizer = recipe.rule.optimizer
        images, labels, order = (np.load(folder / f"{name}.npy") for name in ("images", "labels", "order"))
        self.arrays, self.order = (jnp.asarray(images), jnp.asarray(labels)), jnp.asarray(order)

    def outputs(self) -> np.ndarray:
        return np.asarray(self.network.weighted_input(self.start, self.arrays[0][:100]))

    def run(self, steps: int) -> None:
        jax, jnp = self.jax, self.jnp
        params = jax.tree.map(jnp.copy, self.start)
        carry = self.Carry(params, (self.optimizer.init(params), None), jnp.zeros(len(self.order) // BATCH))
        own = self.Own(self.order, jnp.full(len(self.order) // BATCH, RATE), jax.random.key(1))
        shared = self.Shared(self.arrays, len(self.order), 0, steps)
        jax.block_until_ready(self.program(carry, own, shared))

    def product(self, a: np.ndarray) -> Callable[[], Any]:
        on_device, square = self.jnp.asarray(a), self.jax.jit(lambda a: a @ a)
        return lambda: square(on_device).block_until_ready()


class _Like:
    """The two facts about examples that a recipe needs to make its network."""

    num_classes, example_shape = 10, (28, 28, 1)


class Torch:
    """The same network of plain functions on resident tensors, eager, channels last."""

    def __init__(self, net: str, folder: Path) -> None:
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.torch = torch
        self.layers = json.loads((folder / f"{net}.json").read_text())
        with np.load(folder / f"{net}.npz") as file:
            self.params = {name: self._tensor(file[name]) for name in file.files}
        self.learned = [p for name, p in self.params.items() if name.split(".")[-1] not in ("mean", "variance")]
        images, labels, order = (np.load(folder / f"{name}.npy") for name in ("images", "labels", "order"))
        floats = torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2)
        self.images = floats.contiguous(memory_format=torch.channels_last)
        self.labels = torch.from_numpy(labels).long()
        self.batches = torch.from_numpy(order).long().split(BATCH)
        self.begin = [p.detach().clone() for p in self.params.values()]

    def _tensor(self, array: np.ndarray) -> Any:
        found = self.torch.from_numpy(array)
        if found.dim() == 4:
            found = found.permute(3, 2, 0, 1).contiguous(memory_format=self.torch.channels_last)
        return found.clone(memory_format=self.torch.preserve_format).requires_grad_()

    def outputs(self) -> np.ndarray:
        with self.torch.no_grad():
            z, _ = self._row(self.layers, "", self.images[:100], train=False)
        return z.numpy()

    def run(self, steps: int) -> None:
        torch = self.torch
        with torch.no_grad():
            torch._foreach_copy_(list(self.params.values()), self.begin)
        rule = torch.optim.SGD(self.learned, RATE, MOMENTUM, weight_decay=L2, nesterov=True, foreach=True)
        for at in self.batches[:steps]:
            z, sides = self._row(self.layers, "", self.images[at], train=True)
            cost = torch.nn.functional.cross_entropy(z, self.labels[at])
            for side in sides:
                cost = cost + 0.3 * torch.nn.functional.cross_entropy(side, self.labels[at])
            rule.zero_grad()
            cost.backward()
            rule.step()

    def product(self, a: np.ndarray) -> Callable[[], Any]:
        tensor = self.torch.from_numpy(a)
        return lambda: tensor @ tensor

    def _row(self, layers: list[dict[str, Any]], prefix: str, x: Any, train: bool) -> tuple[Any, list[Any]]:
        """Layers in a row, as firsthand describes them: the last one's weighted input, and auxiliary answers."""
        sides = []
        for number, layer in enumerate(layers):
            name = f"{prefix}{number}."
            if layer["layer"] == "Auxiliary":
                if train:
                    sides.append(self._row(layer["layers"], name, x, train)[0])
            elif layer["layer"] == "Concatenate":
                branches = enumerate(layer["branches"])
                x = self.torch.cat([self._row(b, f"{name}{i}.", x, train)[0] for i, b in branches], 1)
            else:
                x = getattr(self, f"_{layer['layer'].lower()}")(layer, name, x, train)
        return x, sides

    def _weights(self, name: str) -> tuple[Any, Any]:
        return self.params[f"{name}weights"], self.params[f"{name}bias"]

    def _crop(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        size, room = layer["size"], x.shape[-1] - layer["size"]
        if not train:
            return x[:, :, room // 2 : room // 2 + size, room // 2 : room // 2 + size]
        top, left = self.torch.randint(0, room + 1, (2, len(x), 1, 1))
        rows, columns = top + self.torch.arange(size).view(1, -1, 1), left + self.torch.arange(size).view(1, 1, -1)
        return x[self.torch.arange(len(x)).view(-1, 1, 1), :, rows, columns].permute(0, 3, 1, 2)

    def _convolution(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        weights, bias = self._weights(name)
        f = self.torch.nn.functional
        return f.relu(f.conv2d(x, weights, bias, layer["stride"], layer["padding"], 1, layer["groups"]))

    def _convpool(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        f = self.torch.nn.functional
        return f.relu(f.max_pool2d(f.conv2d(x, *self._weights(name), 1, layer["padding"]), layer["pool"]))

    def _maxpool(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        return self.torch.nn.functional.max_pool2d(x, layer["size"], layer["stride"], layer["padding"])

    def _localresponsenormalization(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        n = layer["neighbours"]  # PyTorch divides alpha by it
        response = self.torch.nn.functional.local_response_norm
        return response(x, n, layer["alpha"] * n, layer["beta"], layer["k"])

    def _batchnorm(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        scale, bias, mean, variance = (self.params[f"{name}{p}"] for p in ("scale", "bias", "mean", "variance"))
        norm = self.torch.nn.functional.batch_norm
        return norm(x, mean.detach(), variance.detach(), scale, bias, train, 1 - layer["momentum"], layer["epsilon"])

    def _dropout(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        return self.torch.nn.functional.dropout(x, layer["rate"], train)

    def _globalaveragepool(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        return x.mean((2, 3))

    def _fullyconnected(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        z = self._softmax(layer, name, x, train)
        return self.torch.nn.functional.relu(z)

    def _softmax(self, layer: dict[str, Any], name: str, x: Any, train: bool) -> Any:
        weights, bias = self._weights(name)
        rows = x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x
        return self.torch.addmm(bias, rows, weights)


class _Worker:
    def __init__(self, name: str, cores: int, folder: Path) -> None:
        self.made, self.folder = Firsthand if name == "firsthand" else Torch, folder
        self.nets: dict[str, Any] = {}

    def prepare(self, net: str) -> dict[str, float]:
        self.nets[net] = self.made(net, self.folder)
        expected = np.load(self.folder / f"{net}-outputs.npy")
        return {"apart": float(np.abs(self.nets[net].outputs() - expected).max())}

    def run(self, net: str, steps: int) -> dict[str, float]:
        started = time.perf_counter()
        self.nets[net].run(steps)
        return {"seconds": time.perf_counter() - started}

    def product(self, net: str, size: int) -> dict[str, float]:
        multiply, seconds = self.nets[net].product(np.full((size, size), 0.01, np.float32)), []
        for _ in range(11):
            started = time.perf_counter()
            multiply()
            seconds.append(time.perf_counter() - started)
        return {"seconds": min(seconds[1:])}  # the first compiles


if __name__ == "__main__":
    answer_requests(_Worker)
