"""firsthand itself: the program that `train` runs, called as `train` calls it."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.nets import Conv, Drop, Net, Problem
from firsthand import nn
from firsthand.learning import Recipe
from firsthand.learning.run import Run

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
        recipe = Recipe(1, problem.batch_size, problem.net.learning_rate, cost=cost)
        self.data = jnp.asarray(problem.images), jnp.asarray(problem.labels)
        self.key = jax.random.key(1)
        # what train() makes of a network and a recipe, so that nothing here can differ from real training
        self.training = Run(self.network, recipe, {"training": self.data}, self.key)
        n, size = len(problem.labels), problem.batch_size
        # the epoch's order is filled up to whole mini-batches, as train() does
        self.order = jnp.resize(jnp.asarray(problem.order), (-(-n // size) * size,))
        self.members, self.program = 0, self.training.program()
        if variant.startswith("vmap"):
            # the same program for several members: parameters, costs and keys are each one's own, the data are not
            self.members = int(variant.split()[1])
            axes = (0, 0, 0, None, None, None, None, None, None, None, 0)
            self.program = jax.jit(jax.vmap(self.training.program(), in_axes=axes), donate_argnums=(0, 1, 2))
            self.key = jax.random.split(self.key, self.members)
        self.rates = recipe.learning_rates(0, len(self.order) // size).astype(np.float32)
        self.reset()

    def reset(self) -> None:
        self.now = self._structured(self.problem.params)
        self.state = self.training.optimizer.init(self.now), None
        self.costs = jnp.zeros(len(self.order) // self.problem.batch_size, jnp.float32)
        if self.members:
            many = jax.tree.map(lambda a: jnp.stack([a] * self.members), (self.now, self.state, self.costs))
            self.now, self.state, self.costs = many
        jax.block_until_ready((self.now, self.costs))

    def _structured(self, params: list[np.ndarray]) -> tuple[nn.Params, ...]:
        rest = iter(params)
        return tuple(
            {"weights": jnp.array(next(rest)), "bias": jnp.array(next(rest))} if layer else {}
            for layer in jax.eval_shape(lambda: self.network.init(key=jax.random.key(0)))
        )

    def run(self, start: int, steps: int) -> None:
        self.now, self.state, self.costs, reached, cost = self.program(
            self.now,
            self.state,
            self.costs,
            *self.data,
            self.order,
            *(np.int32(number) for number in (len(self.problem.labels), start, start + steps)),
            self.rates,
            self.key,
        )
        # waits for the device, and makes sure that the steps were all done
        assert np.all(np.asarray(reached) == start + steps)
        assert np.all(np.isfinite(np.asarray(cost)))

    def params(self) -> list[np.ndarray]:
        return [np.asarray(layer[name]) for layer in self.now if layer for name in ("weights", "bias")]
