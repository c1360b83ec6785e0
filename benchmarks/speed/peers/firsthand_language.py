"""The recipe `shakespeare` as `train` runs it, for benchmarks.speed.language."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from firsthand.data import shakespeare
from firsthand.learning import Fixed
from firsthand.learning.run import Run
from firsthand.learning.step import Carry, Own, Shared
from firsthand.zoo import SHAKESPEARE

PACKAGES = ("jax", "jaxlib")


def arrays_of(params: Any) -> dict[str, Any]:
    """Return the parameters under the names by which the contenders know them."""
    embedding, lstm, output = params
    return {
        "embedding": embedding["weights"],
        "W": lstm["weights"],
        "U": lstm["recurrent_weights"],
        "b": lstm["bias"],
        "V": output["weights"],
        "c": output["bias"],
    }


class Peer:
    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        with np.load(folder / "problem.npz") as found:
            self.problem = dict(found)
        examples = shakespeare(SHAKESPEARE.length or 64).train
        self.data = tuple(map(jnp.asarray, examples.arrays))
        self.key = jax.random.key(1)
        network = SHAKESPEARE.network(examples)
        self.training = Run(network, SHAKESPEARE.recipe, Fixed(examples), {"training": self.data}, self.key)
        size = self.training.batch_size
        order = jnp.resize(jnp.asarray(self.problem["order"]), (-(-len(examples) // size) * size,))
        self.own = Own(order, self.problem["rates"], self.key)
        self.program = self.training.program()
        self.reset()

    def reset(self) -> None:
        p = self.problem
        params = (
            {"weights": p["embedding"]},
            {"weights": p["W"], "recurrent_weights": p["U"], "bias": p["b"]},
            {"weights": p["V"], "bias": p["c"]},
        )
        params = jax.tree.map(jnp.array, params)
        costs = jnp.zeros(len(p["rates"]), jnp.float32)
        self.now = Carry(params, (self.training.optimizer.init(params), None), costs)
        jax.block_until_ready(self.now)

    def run(self, start: int, steps: int) -> None:
        numbers = (np.int32(number) for number in (len(self.data[0]), start, start + steps))
        self.now, reached, cost = self.program(self.now, self.own, Shared(self.data, *numbers))
        assert int(reached) == start + steps
        assert np.isfinite(float(cost))

    def save(self, path: str) -> None:
        np.savez(path, **arrays_of(self.now.params))
