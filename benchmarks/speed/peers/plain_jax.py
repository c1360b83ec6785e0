"""JAX as its documentation writes it: `lax.conv_general_dilated`, `lax.reduce_window`, and a compiled loop.

`Loop`, the loop over mini-batches of data on the device, is Keras's too.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.speed.nets import Conv, Drop, Net, Problem

PACKAGES = ("jax", "jaxlib")


def costs(net: Net, z: Array, labels: Array) -> Array:
    """The cost of each example of a mini-batch."""
    y = jax.nn.one_hot(labels, z.shape[1])
    if net.output == "softmax":
        return -jnp.sum(y * jax.nn.log_softmax(z), axis=1)
    return jnp.sum(jax.nn.softplus(z) - y * z, axis=1)


class Loop:
    """Steps over resident data: one compiled loop for all of them (`scan`), or one compiled program each (`step`)."""

    def __init__(self, problem: Problem, variant: str) -> None:
        self.problem, self.net = problem, problem.net
        images, labels = jnp.asarray(problem.floats()), jnp.asarray(problem.labels)
        self.whole = len(problem.labels) // problem.batch_size  # of the steps, without a last smaller one
        order = problem.order[: self.whole * problem.batch_size].reshape(self.whole, problem.batch_size)
        batches = jnp.asarray(order)

        def step(i: Array, state: Any, images: Array, labels: Array, batches: Array) -> Any:
            return self.update(state, images[batches[i]], labels[batches[i]], jax.random.fold_in(jax.random.key(1), i))

        def loop(start: Array, stop: Array, state: Any, *data: Array) -> Any:
            return lax.fori_loop(start, stop, lambda i, state: step(i, state, *data), state)

        self.data = images, labels, batches
        self.step = jax.jit(step, donate_argnums=1)
        self.loop = jax.jit(loop, donate_argnums=2) if variant == "scan" else None
        self.reset()

    def fresh(self) -> Any:
        """The state that a step changes, at the start."""
        return [jnp.array(p) for p in self.problem.params]

    def update(self, state: Any, x: Array, labels: Array, key: Array) -> Any:
        """One step."""
        raise NotImplementedError

    def reset(self) -> None:
        self.state = jax.block_until_ready(self.fresh())

    def run(self, start: int, steps: int) -> None:
        assert start + steps <= self.whole
        if self.loop is not None:
            self.state = self.loop(np.int32(start), np.int32(start + steps), self.state, *self.data)
        else:
            for i in range(start, start + steps):
                self.state = self.step(np.int32(i), self.state, *self.data)
        jax.block_until_ready(self.state)


class Peer(Loop):
    """Plain JAX."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        super().__init__(problem, variant)

    def update(self, state: list[Array], x: Array, labels: Array, key: Array) -> list[Array]:
        gradient = jax.grad(lambda params: jnp.mean(costs(self.net, self._weighted_input(params, x, key), labels)))(
            state
        )
        return [p - self.net.learning_rate * g for p, g in zip(state, gradient, strict=True)]

    def _weighted_input(self, params: list[Array], x: Array, key: Array) -> Array:
        rest = iter(params)
        for i, layer in enumerate(self.net.layers):
            if isinstance(layer, Drop):
                kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - layer.rate, x.shape)
                x = jnp.where(kept, x / (1 - layer.rate), 0)
                continue
            weights, bias = next(rest), next(rest)
            if isinstance(layer, Conv):
                z = lax.conv_general_dilated(x, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                z = lax.reduce_window(z, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
                x = jax.nn.relu(z + bias)
            else:
                x = x.reshape(len(x), -1) @ weights + bias
                if layer.activation != "none":
                    x = jax.nn.relu(x) if layer.activation == "relu" else jax.nn.sigmoid(x)
        return x

    def params(self) -> list[np.ndarray]:
        return [np.asarray(p) for p in self.state]
