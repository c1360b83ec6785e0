"""The cost of a rectified convolution without pooling, forward and back: one kernel, a matrix product, XLA's own.

    taskset -c 0 python -m benchmarks convolutions

All stand in a compiled loop, as in a training: there XLA's own convolution, which is fast alone, is not.  The gradients
are those of the images, the weights and the biases, of half of the outputs' sum: ReLU lets about half of them through.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from firsthand.kernels import convolution, rectified_convolution

from ..summary import about, ratios, save, spread
from .loops import in_turn, timed

__all__ = ["SHAPES", "run"]

# batch, side of the images, channels, side of the kernels, filters; zeros around the images keep their size
SHAPES = (
    (10, 28, 1, 5, 20),
    (10, 12, 64, 3, 64),
    (50, 28, 1, 5, 32),
    (50, 26, 32, 3, 32),
    (50, 12, 64, 3, 64),
    (50, 6, 128, 3, 128),
)


def run(folder: Path, rounds: int = 7, seconds: float = 0.05) -> None:
    """Measure, print, and write `convolutions.json` into a folder.

    Args:
        folder: where to.
        rounds: how many turns each way has, in turn with the others.
        seconds: about how long a turn lasts.
    """
    results: dict[str, Any] = about(rounds, cores=len(os.sched_getaffinity(0)), device=jax.devices()[0].device_kind)
    results["shapes"] = []
    for shape in SHAPES:
        loops = [timed(_loop(way, shape)) for way in _WAYS.values()]
        found = dict(zip(_WAYS, in_turn(loops, rounds, seconds), strict=True))
        row = {
            "shape": dict(zip(("batch", "side", "channels", "kernel", "filters"), shape, strict=True)),
            "seconds": {name: spread(values) for name, values in found.items()},
            "ratios": {name: ratios(found[name], found["kernel"]) for name in ("matrix product", "XLA")},
        }
        results["shapes"].append(row)
        shown = ", ".join(f"{name} {1e3 * value['median']:.2f}" for name, value in row["seconds"].items())
        print(f"{shape}: {shown} ms", flush=True)
    save(folder / "convolutions.json", results)


def _one_kernel(x: Array, weights: Array, bias: Array) -> Array:
    return rectified_convolution(x, weights, bias, padding=weights.shape[0] // 2)


def _matrix_product(x: Array, weights: Array, bias: Array) -> Array:
    return jax.nn.relu(convolution(x, weights, padding=weights.shape[0] // 2) + bias)


def _xla(x: Array, weights: Array, bias: Array) -> Array:
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.nn.relu(lax.conv_general_dilated(x, weights, (1, 1), "SAME", dimension_numbers=numbers) + bias)


_WAYS = {"kernel": _one_kernel, "matrix product": _matrix_product, "XLA": _xla}


def _loop(way: Callable[[Array, Array, Array], Array], shape: tuple[int, ...]) -> Callable[[int], tuple[Array, ...]]:
    """A compiled loop of how often to go forward and back."""
    batch, side, channels, kernel, filters = shape
    keys = jax.random.split(jax.random.key(0), 2)
    x = jax.nn.relu(jax.random.normal(keys[0], (batch, side, side, channels)))
    weights = jax.random.normal(keys[1], (kernel, kernel, channels, filters)) / (kernel**2 * channels) ** 0.5
    gradients = jax.grad(partial(_half_the_sum, way), argnums=(0, 1, 2))

    @jax.jit
    def loop(count: Array, *arguments: Array) -> tuple[Array, ...]:
        def step(_: Array, now: tuple[Array, ...]) -> tuple[Array, ...]:
            return tuple(value - 1e-6 * slope for value, slope in zip(now, gradients(*now), strict=True))

        return lax.fori_loop(0, count, step, arguments)

    return lambda count: loop(jnp.int32(count), x, weights, jnp.zeros(filters))


def _half_the_sum(way: Callable[[Array, Array, Array], Array], x: Array, weights: Array, bias: Array) -> Array:
    return 0.5 * jnp.sum(way(x, weights, bias))
