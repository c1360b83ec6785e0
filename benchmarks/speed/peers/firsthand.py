"""firsthand itself: the program that `train` runs, called as `train` calls it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed.nets import Conv, Drop, Net, Problem
from firsthand import nn
from firsthand.data import Arrays
from firsthand.learning import Classification, Fixed, Recipe
from firsthand.learning.run import Run, together
from firsthand.learning.step import Carry, Own, Shared

PACKAGES = ("jax", "jaxlib")
_ACTIVATIONS = {"relu": nn.relu, "sigmoid": nn.sigmoid}


def network(net: Net) -> nn.Network:
    """The network in firsthand's terms."""
    layers: list[nn.Layer] = []
    for layer in net.layers:
        if isinstance(layer, Conv):
            layers.append(nn.ConvPool(layer.filters, layer.size, weights_init=nn.he))
        elif isinstance(layer, Drop):
            layers.append(nn.Dropout(layer.rate))
        elif layer.activation != "none":
            start = nn.he if layer.activation == "relu" else nn.scaled
            layers.append(nn.FullyConnected(layer.units, _ACTIVATIONS[layer.activation], weights_init=start))
        else:
            last = nn.Softmax if net.output == "softmax" else nn.FullyConnected
            layers.append(last(layer.units, weights_init=nn.scaled))
    return nn.Network(tuple(layers))


class Peer:
    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        self.problem = problem
        self.network = network(problem.net)
        cost = nn.log_likelihood if problem.net.output == "softmax" else nn.cross_entropy
        recipe = Recipe(1, problem.batch_size, problem.net.learning_rate, objective=Classification(cost))
        self.data = jnp.asarray(problem.images), jnp.asarray(problem.labels)
        self.key = jax.random.key(1)
        # what train() makes of a network and a recipe, so that nothing here can differ from real training
        self.training = Run(
            self.network, recipe, Fixed(Arrays((problem.images, problem.labels))), {"training": self.data}, self.key
        )
        n, size = len(problem.labels), problem.batch_size
        # the epoch's order is filled up to whole mini-batches, as train() does
        self.order = jnp.resize(jnp.asarray(problem.order), (-(-n // size) * size,))
        self.rates = recipe.learning_rates(0, len(self.order) // size).astype(np.float32)
        self.program = self.training.program()
        # 'threads N' and 'vmap N' train N members, as train_members() does
        way, _, members = variant.partition(" ")
        self.members = int(members or 1)
        self.vmapped = way == "vmap"
        if self.vmapped:
            self.program = together(self.program)
        self.pool = ThreadPoolExecutor(self.members)
        self.reset()

    def reset(self) -> None:
        params = self._structured(self.problem.params)
        state = self.training.optimizer.init(params), None
        costs = jnp.zeros(len(self.order) // self.problem.batch_size, jnp.float32)
        members = [jax.tree.map(jnp.copy, Carry(params, state, costs)) for _ in range(self.members)]
        self.now = [jax.tree.map(lambda *parts: jnp.stack(parts), *members)] if self.vmapped else members
        jax.block_until_ready(self.now)

    def _structured(self, params: list[np.ndarray]) -> tuple[nn.Params, ...]:
        rest = iter(params)
        return tuple(
            {"weights": jnp.array(next(rest)), "bias": jnp.array(next(rest))} if layer else {}
            for layer in jax.eval_shape(lambda: self.network.init(key=jax.random.key(0)))
        )

    def run(self, start: int, steps: int) -> None:
        if len(self.now) == 1:
            self.now = [self._steps(self.now[0], start, steps)]
        else:
            self.now = list(self.pool.map(lambda now: self._steps(now, start, steps), self.now))

    def _steps(self, now: Any, start: int, steps: int) -> Any:
        own = Own(self.order, self.rates, self.key)
        if self.vmapped:
            own = Own(*(jnp.stack([a] * self.members) for a in own))
        numbers = (np.int32(number) for number in (len(self.problem.labels), start, start + steps))
        now, reached, cost = self.program(now, own, Shared(self.data, *numbers))
        # waits for the device, and makes sure that the steps were all done
        assert np.all(np.asarray(reached) == start + steps)
        assert np.all(np.isfinite(np.asarray(cost)))
        return now

    def params(self) -> list[np.ndarray]:
        return [np.asarray(layer[name]) for layer in self.now[0].params if layer for name in ("weights", "bias")]
