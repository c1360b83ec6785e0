"""The engine behind `network3`: its layers as layers of this package, and an epoch as one compiled program.

Two conversions happen here and nowhere else.  The book has maps first, (maps, rows, columns), the engine has them
last.  And Theano's convolution turns the kernel round by 180 degrees, as mathematicians do, while the engine's does
not; `layer.w` is what it was in Theano.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand import kernels, nn
from firsthand.book.distortions import Distortions
from firsthand.book.theano_names import refuse_own
from firsthand.errors import FirsthandError
from firsthand.models.outputs import classify
from firsthand.nn import Params, Shape

__all__ = ["Data", "Engine", "Epochs", "Options"]

_MONOTONE = (nn.relu, nn.sigmoid, nn.tanh, nn.linear)


@dataclass(frozen=True)
class _Dropout(nn.Layer):
    """The book's dropout: inputs are dropped in training, and multiplied by 1 - p at all other times.

    The engine's own divides by 1 - p in training instead.  That learns as fast with other initial weights and
    another learning rate, so that it would not be the original's experiment.
    """

    p: float

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if not train:
            return x * (1 - self.p)
        assert key is not None
        return jnp.where(jax.random.bernoulli(key, 1 - self.p, x.shape), x, 0)


@dataclass(frozen=True)
class _TiedConvPool(nn.ConvPool):
    """The engine's layer, where all maxima of a window learn, as in Theano."""

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        if not train:  # what learns makes no difference then
            return super().apply(params, x)
        weights, bias = params["weights"], params["bias"]
        activation = self.activation.__name__
        return kernels.tied_conv_pool(x, weights, bias, pool=cast(tuple[int, int], self.pool), activation=activation)


@dataclass(frozen=True)
class _Activation(nn.Layer):
    """A function of the reader's own after pooling; the engine's ConvPool knows its four by name."""

    function: Any

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return self.function(x)


@dataclass(frozen=True)
class _Image(nn.Layer):
    """Numbers in a row, as an image: (maps * rows * columns,) -> (rows, columns, maps)."""

    maps: int
    rows: int
    columns: int

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.rows, self.columns, self.maps

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        return x.reshape(-1, self.maps, self.rows, self.columns).transpose(0, 2, 3, 1)


class Data(NamedTuple):
    """Examples on the device: x in the engine's form, and labels (n,)."""

    x: Array
    y: Array


class Options(NamedTuple):
    """The settings that the compiled program depends on, besides the network."""

    mini_batch_size: int
    penalty: float  # the factor of w in the gradient of the L2 term
    same_dropout: bool
    distortions: Distortions | None


class Engine:
    """The layers of a `network3.Network`, translated.

    Args:
        layers: of the book's form.
    Raises:
        FirsthandError: a layer does not fit the one before; the message names it.
    """

    def __init__(self, layers: Sequence[Any]):
        if not layers or hasattr(layers[-1], "activation_fn"):
            raise FirsthandError(f"layers: {list(layers)} found, a SoftmaxLayer expected as the last")
        first = layers[0]
        self.layers = layers
        self.image_shape = first.image_shape[1:] if hasattr(first, "image_shape") else None
        self.n_in = int(np.prod(self.image_shape)) if self.image_shape else first.n_in
        translated: list[nn.Layer] = []
        self._places = []  # of each of the book's layers: its place among the engine's, and (maps, rows, columns)
        shape = self.image_shape or (first.n_in,)  # of what enters, in the book's order
        for number, layer in enumerate(layers, start=1):
            refuse_own(layer, number)
            if hasattr(layer, "image_shape"):
                wanted = layer.image_shape[1:]
                if wanted != shape and (len(shape) == 3 or np.prod(wanted) != shape[0]):
                    raise FirsthandError(f"layer {number}, {layer}: image_shape {wanted} found, {shape} comes in")
                if layer.filter_shape[1] != wanted[0]:
                    raise FirsthandError(
                        f"layer {number}, {layer}: kernels for {layer.filter_shape[1]} maps found, {wanted[0]} come in"
                    )
                if len(shape) == 1:
                    translated.append(_Image(*wanted))
                self._places.append((len(translated), None))
                translated += _conv_pool(layer)
                (_, rows, columns), (_, _, kernel_rows, kernel_columns) = wanted, layer.filter_shape
                ph, pw = layer.poolsize
                shape = layer.filter_shape[0], (rows - kernel_rows + 1) // ph, (columns - kernel_columns + 1) // pw
                if min(shape) < 1:
                    raise FirsthandError(f"layer {number}, {layer}: its kernel or pool is larger than {wanted}")
            else:
                if layer.n_in != np.prod(shape):
                    raise FirsthandError(f"layer {number}, {layer}: n_in {layer.n_in} found, {shape} comes in")
                if layer.p_dropout > 0:
                    translated.append(_Dropout(layer.p_dropout))
                self._places.append((len(translated), shape if len(shape) == 3 else None))
                if number == len(layers):
                    translated.append(nn.Softmax(layer.n_out))
                else:
                    translated.append(nn.FullyConnected(layer.n_out, layer.activation_fn))
                shape = (layer.n_out,)
        maps_last = (*self.image_shape[1:], self.image_shape[0]) if self.image_shape else (first.n_in,)
        self.network = nn.Network(tuple(translated), maps_last)

    def data(self, data: Any, name: str) -> Data:
        """Examples (x, y), checked and moved to the device."""
        x, y = (np.asarray(part) for part in data)
        if x.ndim != 2 or x.shape[1] != self.n_in or y.shape != x.shape[:1] or not len(x):
            raise FirsthandError(
                f"{name}: x {x.shape} and y {y.shape} found, (n, {self.n_in}) and (n,) expected, n at least 1"
            )
        return Data(self.images(x, name), jnp.asarray(y, jnp.int32))

    def images(self, x: Any, name: str) -> Array:
        """Inputs x (n, n_in), checked and moved to the device, in the engine's form."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.n_in or not len(x):
            raise FirsthandError(f"{name}: shape {x.shape} found, (n, {self.n_in}) expected, n at least 1")
        if self.image_shape:
            x = x.reshape(-1, *self.image_shape).transpose(0, 2, 3, 1)
        return jnp.asarray(x, jnp.float32)

    def params(self) -> tuple[Params, ...]:
        """The weights and biases of the book's layers, in the engine's form."""
        params: list[Params] = [{} for _ in self.network.layers]
        for layer, (place, image) in zip(self.layers, self._places, strict=True):
            w = np.asarray(layer.w)
            if w.ndim == 4:
                w = w[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)  # (rows, columns, maps, filters)
            elif image:
                w = w.reshape(*image, -1).transpose(1, 2, 0, 3).reshape(w.shape)  # inputs in the order of the engine
            params[place] = {"weights": jnp.array(w, jnp.float32), "bias": jnp.array(layer.b, jnp.float32)}
        return tuple(params)

    def write_back(self, params: tuple[Params, ...]) -> None:
        """The inverse: the book's layers get what was learned."""
        for layer, (place, image) in zip(self.layers, self._places, strict=True):
            w = np.asarray(params[place]["weights"])
            if w.ndim == 4:
                w = w.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1]
            elif image:
                maps, rows, columns = image
                w = w.reshape(rows, columns, maps, -1).transpose(2, 0, 1, 3).reshape(w.shape)
            layer.w[...] = w
            layer.b[...] = np.asarray(params[place]["bias"])

    def accuracy(self, data: Data) -> float:
        """The share of the examples that the network gets right; every one counts."""
        labels, _ = self.classify(data.x)
        return float(np.mean(labels == np.asarray(data.y)))

    def classify(self, x: Array) -> tuple[np.ndarray, np.ndarray]:
        """The digit of the highest output, (n,), and all outputs, (n, n_out), for each of x in the engine's form."""
        return classify(self.network, self.params(), x)


class Epochs:
    """Epochs of training, one after the other.

    Args:
        engine: what to train.
        data: the training data; what is left over from whole mini-batches is not used.
        options: how.
        shuffle: a new order every epoch, drawn from `numpy.random`.
    """

    def __init__(self, engine: Engine, data: Data, options: Options, shuffle: bool):
        self.engine, self.data, self.options, self.shuffle = engine, data, options, shuffle
        self.num_training_batches = len(data.y) // options.mini_batch_size
        self._program = _steps(engine.network, options)
        # the original seeds its dropout with this very number, in every layer and every run
        self._key = jax.random.key(np.random.RandomState(0).randint(999999))

    def epoch(self, epoch: int, eta: float) -> float:
        """One pass over the training data; prints every 1000th mini-batch's number and returns the mean cost."""
        n, total = self.num_training_batches, 0.0
        used = n * self.options.mini_batch_size
        order = np.arange(len(self.data.y), dtype=np.int32)
        if self.shuffle:
            np.random.shuffle(order)  # noqa: NPY002, the reader's seed decides
        order = jnp.asarray(order[:used].reshape(n, -1))
        params = self.engine.params()
        start = 0
        while start < n:
            iteration = n * epoch + start
            if iteration % 1000 == 0:
                print(f"Training mini-batch number {iteration}")
            stop = min(n, start + 1000 - iteration % 1000)
            place = np.int32(start), np.int32(stop), np.int32(n * epoch)
            params, cost = self._program(params, *self.data, order, *place, np.float32(eta), self._key)
            total += float(cost)
            if not np.isfinite(total):
                raise FirsthandError(
                    f"training: the cost is {float(cost)} in epoch {epoch}; eta ({eta:g}) is likely too large"
                )
            start = stop
        self.engine.write_back(params)
        return total / n


@lru_cache(maxsize=16)
def _steps(network: nn.Network, options: Options):
    """Compile the mini-batches `start` to `stop` of an epoch: parameters in, parameters and summed cost out."""

    def mean_cost(params: tuple[Params, ...], x: Array, y: Array, key: Array) -> Array:
        distortion_key, dropout_key = jax.random.split(key)
        if options.distortions is not None:
            x = options.distortions(x, key=distortion_key)
        for i, (layer, p) in enumerate(zip(network.layers[:-1], params[:-1], strict=True)):
            # of its network the engine would draw a key per layer; the original draws the same for all
            layer_key = dropout_key if options.same_dropout else jax.random.fold_in(dropout_key, i)
            x = layer.apply(p, x, key=layer_key, train=True)
        z = network.output_layer.weighted_input(params[-1], x)
        return jnp.mean(nn.log_likelihood(z, y, network.activation))

    def descend(params: tuple[Params, ...], gradient: tuple[Params, ...], eta: Array) -> tuple[Params, ...]:
        # (93), with whatever the penalty's factor is over: eta (dC_0/dw + penalty w)
        return tuple(
            {name: p[name] - eta * (g[name] + (options.penalty * p[name] if name == "weights" else 0)) for name in p}
            for p, g in zip(params, gradient, strict=True)
        )

    def run(params, x, y, order, start, stop, first, eta, key):
        def step(i, carry):
            params, total = carry
            at = order[i]
            cost, gradient = jax.value_and_grad(mean_cost)(params, x[at], y[at], jax.random.fold_in(key, first + i))
            return descend(params, gradient, eta), total + cost

        return lax.fori_loop(start, stop, step, (params, jnp.zeros((), jnp.float32)))

    return jax.jit(run)


def _conv_pool(layer: Any) -> list[nn.Layer]:
    filters, _, rows, columns = layer.filter_shape
    known = layer.activation_fn in _MONOTONE
    activation = layer.activation_fn if known else nn.linear
    kind = _TiedConvPool if layer.ties == "all" and layer.poolsize != (1, 1) else nn.ConvPool
    conv_pool = kind(filters, (rows, columns), layer.poolsize, 0, activation)
    return [conv_pool] if known else [conv_pool, _Activation(layer.activation_fn)]
