"""firsthand's convolution kernels one by one, on the mini-batches of a training: for benchmarks/speed/parts.py."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.speed.nets import Problem
from firsthand import kernels, nn
from firsthand.kernels.conv_pool import _forward, _fused_backward

from .firsthand import PACKAGES, network

__all__ = ["PACKAGES", "Peer"]

POOL = (2, 2)
BATCHES = 100


class Peer:
    """One kernel, called in a compiled loop on several different mini-batches in turn."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        if kernels.status().active != "native":
            raise ValueError(f"no compiled kernels: {kernels.status().reason}")
        w1, b1, w2, b2, *rest = (jnp.asarray(p) for p in problem.params)
        net = network(problem.net)
        head = nn.Network(net.layers[2:], net.shapes[2])
        head_params = tuple({"weights": rest[i], "bias": rest[i + 1]} for i in range(0, len(rest), 2))
        size = problem.batch_size
        order = np.resize(problem.order, BATCHES * size).reshape(BATCHES, size)
        labels = jnp.asarray(problem.labels[order])

        def cost(a: Array, labels: Array) -> Array:
            z = head.weighted_input(head_params, a)
            return jnp.mean(nn.log_likelihood(z, labels, nn.softmax))

        def one(x: Array, labels: Array) -> dict[str, Array]:
            a1, winner1 = _forward(x, w1, b1, POOL, True)
            a2, winner2 = _forward(a1, w2, b2, POOL, True)
            delta2 = jax.grad(cost)(a2, labels)
            delta1 = _fused_backward(POOL, True, (a1, w2, winner2), delta2)[0]
            return {"x": x, "a1": a1, "winner1": winner1, "delta1": delta1, "winner2": winner2, "delta2": delta2}

        images = jnp.asarray(problem.images[order], jnp.float32) / 255
        self.arrays = jax.jit(lambda x, y: lax.map(lambda pair: one(*pair), (x, y)))(images, labels)
        parts: dict[str, Any] = {
            "forward 1": lambda b: _forward(b["x"], w1, b1, POOL, True)[0],
            "forward 2": lambda b: _forward(b["a1"], w2, b2, POOL, True)[0],
            "weights' gradient 1": lambda b: _fused_backward(POOL, True, (b["x"], w1, b["winner1"]), b["delta1"])[1],
            "weights' gradient 2": lambda b: _fused_backward(POOL, True, (b["a1"], w2, b["winner2"]), b["delta2"])[1],
            "input's gradient 2": lambda b: _fused_backward(POOL, True, (b["a1"], w2, b["winner2"]), b["delta2"])[0],
        }
        self.loop = jax.jit(partial(_loop, parts[variant]))
        self.reset()

    def reset(self) -> None:
        self.total = 0.0

    def run(self, start: int, steps: int) -> None:
        self.total = float(self.loop(self.arrays, start, start + steps))

    def params(self) -> list[np.ndarray]:
        return [np.array(self.total)]


def _loop(part: Any, arrays: dict[str, Array], start: int, stop: int) -> Array:
    def body(i: Array, total: Array) -> Array:
        # one number of the result, so that none is left out
        return total + jnp.ravel(part({name: a[i % BATCHES] for name, a in arrays.items()}))[0]

    return lax.fori_loop(start, stop, body, jnp.zeros(()))
