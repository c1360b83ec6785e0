"""Keras on its JAX backend: `model.fit`, or its stateless functions in a compiled loop, whichever is faster."""

import os
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from benchmarks.speed.nets import Conv, Drop, Net, Problem

from .plain_jax import Loop, costs

PACKAGES = ("keras", "jax", "jaxlib")


def model(net: Net) -> keras.Model:
    """The network in Keras's terms; its output is the weighted input, from which Keras computes costs best."""
    layers: list[Any] = [keras.Input((28, 28, 1))]
    flat = False
    for layer in net.layers:
        if isinstance(layer, Conv):
            layers += [
                keras.layers.Conv2D(layer.filters, layer.size),
                keras.layers.MaxPooling2D(2),
                keras.layers.ReLU(),
            ]
        elif isinstance(layer, Drop):
            layers.append(keras.layers.Dropout(layer.rate))
        else:
            layers += [] if flat else [keras.layers.Flatten()]
            layers.append(keras.layers.Dense(layer.units, None if layer.activation == "none" else layer.activation))
            flat = True
    return keras.Sequential(layers)


class Peer(Loop):
    """Keras."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        self.model = model(problem.net)
        self.optimizer = keras.optimizers.SGD(problem.net.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.fits = variant == "fit"
        if self.fits:
            self.model.compile(optimizer=self.optimizer, loss=_Cost(problem.net), jit_compile=True)
            # one array in the order of the steps, so that fit has nothing to shuffle or gather
            self.ordered = problem.floats()[problem.order], problem.labels[problem.order]
        super().__init__(problem, variant)

    def fresh(self) -> Any:
        self.model.set_weights(self.problem.params)
        variables = self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables
        # copies: the loop takes over what it is given, and the model keeps its own
        return [[jnp.array(v.value, copy=True) for v in group] for group in variables]

    def update(self, state: Any, x: Array, labels: Array, key: Array) -> Any:
        trainable, other, optimizer = state

        def mean_cost(trainable: Any) -> tuple[Array, Any]:
            z, updated = self.model.stateless_call(trainable, other, x, training=True)
            return jnp.mean(costs(self.net, z, labels)), updated

        gradient, other = jax.grad(mean_cost, has_aux=True)(trainable)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradient, trainable)
        return [list(trainable), list(other), list(optimizer)]

    def run(self, start: int, steps: int) -> None:
        if not self.fits:
            return super().run(start, steps)
        size = self.problem.batch_size
        x, labels = (a[start * size : (start + steps) * size] for a in self.ordered)
        self.model.fit(x, labels, batch_size=size, shuffle=False, verbose=0)

    def params(self) -> list[np.ndarray]:
        values = self.model.trainable_variables if self.fits else self.state[0]
        return [np.asarray(v) for v in values]


class _Cost(keras.losses.Loss):
    def __init__(self, net: Net) -> None:
        super().__init__(reduction="sum_over_batch_size")
        self.net = net

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return costs(self.net, y_pred, y_true.astype(int).reshape(-1))
