r"""A layer of convolution, max-pooling and activation, with its backpropagation written out.

This answers the problem 'Backpropagation in a convolutional network' of chapter 6: how do (BP1) to (BP4) change for
a network with a convolutional layer, a max-pooling layer and a fully connected output layer?

The layer.  Feature map f has one kernel w_f and one bias b_f for all of its positions (equation (125)):

    z_{f,j,k}  = b_f + sum_{c,l,m} w_{f,c,l,m} a_{c,j+l,k+m}     weighted input, c the maps of the image below
    z'_{f,p,q} = max of z_{f,j,k} over the pooling window (p,q)
    a'_{f,p,q} = sigma(z'_{f,p,q})                               what the next layer sees

The pooling comes before sigma; for a sigma that never falls, the order makes no difference.

Let delta_{f,j,k} = dC/dz_{f,j,k} and delta'_{f,p,q} = dC/dz'_{f,p,q}.

(BP1) belongs to the output layer, which is fully connected: it stays.

(BP2) in three pieces, from the output layer L down:
    - Through the fully connected layer above, as before: dC/da' = (w^L)^T delta^L, put back into the shape (f,p,q).
    - Through sigma, as before: delta' = dC/da' * sigma'(z').
    - Through the maximum.  Only the largest of a window has an effect on z', with slope 1; the others have none:

          delta_{f,j,k} = delta'_{f,p,q}  if z_{f,j,k} is the maximum of its window (p,q), else 0     (BP2, pooling)

      Where several are largest, the maximum has no slope: one of them may take it all (`ties="first"`), or each of
      them, as in Theano, on which the book's `network3` ran (`ties="all"`).

    - Through the convolution, to a layer below if there is one.  Pixel (c,u,v) enters z_{f,j,k} with the weight
      w_{f,c,u-j,v-k}, whenever (u-j, v-k) is inside the kernel:

          dC/da_{c,u,v} = sum_{f,l,m} w_{f,c,l,m} delta_{f,u-l,v-m}                               (BP2, convolution)

(BP3), (BP4): a shared weight acts at every position, so its slope is the sum over all of them:

          dC/db_f         = sum_{p,q} delta'_{f,p,q}                                                     (BP3, shared)
          dC/dw_{f,c,l,m} = sum_{j,k} delta_{f,j,k} a_{c,j+l,k+m}                                        (BP4, shared)

All of them are matrix products once each position's section of the image has become a row: see `_sections`.

Arrays here are (examples, rows, columns, maps) and kernels (rows, columns, maps below, filters), as in the engine.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from .fully_connected import Gradient, errors
from .functions import LOG_LIKELIHOOD, RELU, Activation, Cost

__all__ = ["ConvPool", "backprop"]

Array = np.ndarray
Pair = tuple[int, int]


class Cache(NamedTuple):
    """The values of the forward pass that the backward pass needs."""

    x_shape: tuple[int, ...]
    sections: Array  # (m, rows, columns, kernel rows * kernel columns * maps below)
    winners: Array  # which places of a window get its slope, (m, pooled rows, pooled columns, places, filters)
    a: Array  # the output, (m, pooled rows, pooled columns, filters)


class ConvPool(NamedTuple):
    """One layer: its parameters and its shape.

    Args:
        w: kernels, (kernel rows, kernel columns, maps below, filters).
        b: one bias per filter, (filters,).
        pool: rows and columns of a pooling window; windows do not overlap, incomplete ones are left out.
        padding: rows and columns of zeros around the image.
        activation: a function that never falls.
        ties: which of several maxima of a window gets its slope, "first" or "all".
    """

    w: Array
    b: Array
    pool: Pair = (2, 2)
    padding: int = 0
    activation: Activation = RELU
    ties: Literal["first", "all"] = "first"

    def forward(self, x: Array) -> tuple[Array, Cache]:
        """The layer's output a', (m, pooled rows, pooled columns, filters), for images x (m, rows, columns, maps)."""
        kernel_rows, kernel_columns, _, filters = self.w.shape
        p = self.padding
        padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        sections = _sections(padded, (kernel_rows, kernel_columns))
        # without b, which moves all places of a window alike, and so comes behind the maximum
        z = sections @ self.w.reshape(-1, filters)  # (m, rows, columns, filters)
        windows = _windows(z, self.pool)  # (m, pooled rows, pooled columns, places in the window, filters)
        winners = windows == np.max(windows, axis=3, keepdims=True)
        if self.ties == "first":
            winners &= np.cumsum(winners, axis=3) == 1
        a = self.activation.forward(np.max(windows, axis=3) + self.b)
        return a, Cache(padded.shape, sections, winners, a)

    def backward(self, cache: Cache, nabla_a: Array) -> tuple[Array, Array, Array]:
        """From dC/da' to dC/dw, dC/db (summed over the examples) and dC/dx, each shaped like what it belongs to."""
        _, z_rows, z_columns, _ = cache.sections.shape
        kernel_rows, kernel_columns, _, filters = self.w.shape

        delta_pooled = self.activation.back(cache.a, nabla_a)
        delta = _unpool(delta_pooled, cache.winners, self.pool, (z_rows, z_columns))  # (BP2, pooling)

        nabla_b = delta_pooled.sum(axis=(0, 1, 2))  # (BP3, shared)
        rows = delta.reshape(-1, filters)  # a row for every position of every example
        nabla_w = cache.sections.reshape(len(rows), -1).T @ rows  # (BP4, shared)

        nabla_x = np.zeros(cache.x_shape)
        for l, m in np.ndindex(kernel_rows, kernel_columns):  # noqa: E741, the indices of the equations
            nabla_x[:, l : l + z_rows, m : m + z_columns] += delta @ self.w[l, m].T  # (BP2, convolution)
        p = self.padding
        _, x_rows, x_columns, _ = cache.x_shape
        return nabla_w.reshape(self.w.shape), nabla_b, nabla_x[:, p : x_rows - p, p : x_columns - p]


class ConvGradient(NamedTuple):
    """The gradient of a whole network: (dC/dw, dC/db) of each convolutional layer, and of those above."""

    convolutional: list[tuple[Array, Array]]
    fully_connected: Gradient


def backprop(
    layers: Sequence[ConvPool],
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    x: Array,
    y: Array,
    cost: Cost = LOG_LIKELIHOOD,
    masks: Sequence[Array | None] | None = None,
) -> ConvGradient:
    """The gradient, summed over a mini-batch, for convolutional layers with fully connected ones on top.

    Args:
        layers: the convolutional layers, lowest first.
        weights, biases, activations: of the fully connected layers, as in `fully_connected`.
        x: images, (m, rows, columns, maps).
        y: desired outputs, one column per example.
        cost: the cost function.
        masks: dropout in the fully connected layers.
    """
    caches = []
    a = x
    for layer in layers:
        a, cache = layer.forward(a)
        caches.append(cache)
    flat = a.reshape(len(a), -1).T  # an example is a column from here on: (neurons, m)

    found = errors(weights, biases, flat, y, cost, activations, masks)
    nabla_flat = weights[0].T @ found.deltas[0]  # (BP2), through the lowest fully connected layer
    if masks is not None and (mask := masks[0]) is not None:
        nabla_flat = nabla_flat * mask
    nabla_a = nabla_flat.T.reshape(a.shape)
    below = []
    for layer, cache in zip(reversed(layers), reversed(caches), strict=True):
        nabla_w, nabla_b, nabla_a = layer.backward(cache, nabla_a)
        below.insert(0, (nabla_w, nabla_b))
    return ConvGradient(below, found.gradient())


def _sections(x: Array, kernel: Pair) -> Array:
    """The section of the image under the kernel at every position, as a row of numbers ordered like the kernel's.

    (m, rows, columns, maps) -> (m, positions down, positions across, kernel rows * kernel columns * maps)
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))  # (m, j, k, maps, l, m)
    windows = windows.transpose(0, 1, 2, 4, 5, 3)  # (m, j, k, l, m, maps)
    return windows.reshape(*windows.shape[:3], -1)


def _windows(z: Array, pool: Pair) -> Array:
    """(m, rows, columns, filters) -> (m, pooled rows, pooled columns, places in a window, filters)."""
    m, rows, columns, filters = z.shape
    (ph, pw), pooled_rows, pooled_columns = pool, rows // pool[0], columns // pool[1]
    whole = z[:, : pooled_rows * ph, : pooled_columns * pw]
    split = whole.reshape(m, pooled_rows, ph, pooled_columns, pw, filters).transpose(0, 1, 3, 2, 4, 5)
    return split.reshape(m, pooled_rows, pooled_columns, ph * pw, filters)


def _unpool(delta: Array, winners: Array, pool: Pair, z_shape: Pair) -> Array:
    """The inverse way of `_windows`: each error goes to the winners of its window, all others get 0."""
    (ph, pw), (m, pooled_rows, pooled_columns, filters) = pool, delta.shape
    split = (winners * delta[:, :, :, None, :]).reshape(m, pooled_rows, pooled_columns, ph, pw, filters)
    whole = np.zeros((m, *z_shape, filters))
    whole[:, : pooled_rows * ph, : pooled_columns * pw] = split.transpose(0, 1, 3, 2, 4, 5).reshape(
        m, pooled_rows * ph, pooled_columns * pw, filters
    )
    return whole
