"""The cost of augmentation: each of them on a mini-batch, inside a compiled loop, on one core.

    taskset -c 0 python -m benchmarks augment

The loop takes its mini-batch from a data set, as the training step does, and changes it. What the same loop takes
without an augmentation is subtracted: it is the gather, which the step needs anyway.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from firsthand.data import (
    Affine,
    Augmentation,
    Compose,
    Distort,
    Elastic,
    Erase,
    HorizontalFlip,
    Noise,
    Rotate,
    Shift,
    mnist,
)

from ..summary import about, save, spread
from .loops import in_turn, timed

__all__ = ["AUGMENTATIONS", "BATCH_SIZES", "run"]

BATCH_SIZES = (10, 128)
AUGMENTATIONS: tuple[Augmentation, ...] = (
    Shift(1),
    HorizontalFlip(0.5),
    Erase(0.5),
    Noise(0.1),
    Rotate(15.0),
    Affine(degrees=15.0, translate=1.0, scale=0.15, shear=0.1),
    Elastic(sigma=4.0, alpha=34.0),
    Distort((Affine(degrees=15.0, translate=1.0, scale=0.15, shear=0.1), Elastic(sigma=4.0, alpha=34.0))),
)
_IMAGES = 1000


def run(folder: Path, rounds: int = 7, seconds: float = 0.05) -> None:
    """Measure, print, and write `augment.json` into a folder.

    Args:
        folder: where to.
        rounds: how many turns each augmentation has, in turn with the others.
        seconds: about how long a turn lasts.
    """
    results: dict[str, Any] = about(rounds, cores=len(os.sched_getaffinity(0)), device=jax.devices()[0].device_kind)
    data = jnp.asarray(mnist().train.images[:_IMAGES])
    results["costs"] = []
    for batch_size in BATCH_SIZES:
        loops = [timed(_loop(augmentation, data, batch_size)) for augmentation in (Compose(()), *AUGMENTATIONS)]
        nothing, *others = in_turn(loops, rounds, seconds)
        for augmentation, found in zip(AUGMENTATIONS, others, strict=True):
            cost = spread([one - without for one, without in zip(found, nothing, strict=True)])
            results["costs"].append({"augmentation": repr(augmentation), "batch_size": batch_size, "seconds": cost})
            print(f"{batch_size:4} {1e3 * cost['median']:8.3f} ms  {augmentation!r}", flush=True)
    save(folder / "augment.json", results)


def _loop(augmentation: Augmentation, data: Array, batch_size: int) -> Callable[[int], Array]:
    """A compiled loop of how many mini-batches to change."""

    def go(count: Array, key: Array) -> Array:
        def step(i: Array, _: Array) -> Array:
            at = (i * batch_size + jnp.arange(batch_size)) % _IMAGES
            return augmentation(data[at].astype(jnp.float32) / 255, key=jax.random.fold_in(key, i))

        return lax.fori_loop(0, count, step, jnp.zeros((batch_size, *data.shape[1:])))

    compiled = jax.jit(go)

    return lambda count: compiled(jnp.int32(count), jax.random.key(count))
