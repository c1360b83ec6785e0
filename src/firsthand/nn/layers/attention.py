"""Layers that read something whole, and then write of it symbol by symbol, looking at a part of it each time."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike

from firsthand import kernels
from firsthand.errors import FirsthandError

from ..initializers import large, scaled
from ..layer import Layer, Params, Shape
from ..names import Named, initializer_named
from .common import require_positive

__all__ = ["Captioner", "EncoderDecoder", "Read", "Writer"]

UNKNOWN = -1e9  # instead of minus infinity, whose differences are no numbers


class Read(NamedTuple):
    """The memory that a layer keeps of the input that it has read.

    Args:
        annotations: a vector for each of its places, (batch, places, annotated).
        keys: what these are asked by, annotations U, (batch, places, attention).
        known: true at the places where there is something, (batch, places).
        summary: one vector of all, (batch, annotated).
    """

    annotations: Array
    keys: Array
    known: Array
    summary: Array


@dataclass(frozen=True)
class Writer(Layer):
    """The base of `EncoderDecoder` and `Captioner`: a GRU that writes, looking at what has been read.

        e_ti = v . tanh(s_{t-1} W + h_i U),    alpha_t = softmax(e_t),    c_t = sum_i alpha_ti h_i
        s_t = GRU((y_{t-1}, c_t), s_{t-1}),    o_t = tanh((s_t, c_t, y_{t-1}) R + b)

    The h_i are the annotations of the places that have been read, y_{t-1} is the vector of the symbol written last, and
    of o_t, (units,), an output layer makes the next one.  Without attention c_t is one vector of all that has been
    read, the same at every step.  An example is one array of integers: what is given, and behind it the
    symbols before those to be written, so that all steps are learned at once.

    Args:
        symbols: how many there are.
        features: length of their vectors.
        units: of the GRU that writes.
        attends: whether it looks at a part at each step.
        attention: length of v.
        weights_init: initializer or its name.
    References:
        Bahdanau, Cho and Bengio 2015, 'Neural Machine Translation by Jointly Learning to Align and Translate', with the
        reset gate after the product, as in `GRU`; without attention: Cho et al. 2014.
    """

    takes_integers: ClassVar[bool] = True

    symbols: int
    features: int
    units: int
    attends: bool = True
    attention: int = 64
    weights_init: Named = Named(initializer_named, scaled)

    def __post_init__(self) -> None:
        sizes = ("symbols", "features", "units", "attention")
        require_positive(self, **{name: getattr(self, name) for name in sizes})

    # --- what a subclass says ---

    @property
    def given(self) -> int:
        """The number of an example's integers that are read, not written."""
        raise NotImplementedError

    @property
    def annotated(self) -> int:
        """The length of an annotation."""
        raise NotImplementedError

    def init_reading(self, dtype: DTypeLike, *, key: Array) -> Params:
        """Fresh parameters of what reads."""
        raise NotImplementedError

    def annotate(self, params: Params, x: Array) -> tuple[Array, Array, Array]:
        """Read (batch, given): the annotations, where there are some, and the summary, as in `Read`."""
        raise NotImplementedError

    # --- the rest ---

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 or input_shape[0] <= self.given:
            raise self._refuse(input_shape, f"{self.given} integers that are read and at least one behind them")
        return input_shape[0] - self.given, self.units

    def init(self, input_shape: Shape, dtype: DTypeLike = jnp.float32, *, key: Array) -> Params:
        keys = jax.random.split(key, 8)
        n_in, n, a = self.features + self.annotated, self.units, self.annotated

        def weights(key: Array, rows: int, columns: int) -> Array:
            return self.weights_init((rows, columns), rows, columns, dtype, key=key)

        found = {
            "embedding": 0.5 * large((self.symbols, self.features), 1, self.features, dtype, key=keys[0]),
            "reading": self.init_reading(dtype, key=keys[1]),
            "start_weights": weights(keys[2], a, n),
            "start_bias": jnp.zeros(n, dtype),
            "weights": weights(keys[3], n_in, 3 * n),
            "recurrent_weights": weights(keys[4], n, 3 * n),
            "bias": jnp.zeros(4 * n, dtype),
            "readout_weights": weights(keys[5], n + n_in, n),
            "readout_bias": jnp.zeros(n, dtype),
        }
        if self.attends:
            ask, answer, v = jax.random.split(keys[6], 3)
            found |= {
                "query_weights": weights(ask, n, self.attention),
                "key_weights": weights(answer, a, self.attention),
                "v": weights(v, self.attention, 1)[:, 0],
            }
        return found

    def apply(self, params: Params, x: Array, *, key: Array | None = None, train: bool = False) -> Array:
        read, state = self.begin(params, x[:, : self.given])
        return self.go_on(params, x[:, self.given :], state, read)[0]

    def begin(self, params: Params, x: Array) -> tuple[Read, Array]:
        """Read what is given, (batch, given): what is kept of it, and the state before the first symbol, s_0."""
        annotations, known, summary = self.annotate(params, x)
        keys = annotations @ params["key_weights"] if self.attends else annotations[..., :0]
        start = jnp.tanh(summary @ params["start_weights"] + params["start_bias"])
        return Read(annotations, keys, known, summary), start

    def go_on(self, params: Params, symbols: Array, state: Array, read: Read) -> tuple[Array, Array, Array]:
        """Write on from a state.

        Args:
            params: from `init`.
            symbols: the ones before those to be written, (batch, time).
            state: s_0, or where it has ended.
            read: from `begin`.
        Returns:
            o_t, (batch, time, units); the state at the end; and alpha, (batch, time, places), without attention zeros.
        """
        written = vectors(params["embedding"], symbols)  # (batch, time, features)
        if self.attends:
            states, contexts, looks = self._attending(params, written, state, read)
        else:
            contexts = jnp.repeat(read.summary[:, None], written.shape[1], axis=1)
            x = jnp.concatenate([written, contexts], -1)
            states, _ = kernels.gru(x, state, params["weights"], params["recurrent_weights"], params["bias"])
            looks = jnp.zeros((*written.shape[:2], read.known.shape[1]), written.dtype)
        joined = jnp.concatenate([states, contexts, written], -1)
        return jnp.tanh(joined @ params["readout_weights"] + params["readout_bias"]), states[:, -1], looks

    def _attending(self, params: Params, written: Array, state: Array, read: Read) -> tuple[Array, Array, Array]:
        """s_t, c_t and alpha_t of every step, batch first."""
        W_symbol, W_context = jnp.split(params["weights"], [self.features])
        bias, reset_bias = params["bias"][: 3 * self.units], params["bias"][3 * self.units :]
        given = written @ W_symbol + bias  # of all steps at once

        def step(s: Array, z: Array) -> tuple[Array, tuple[Array, Array, Array]]:
            alpha = attended(s @ params["query_weights"], read.keys, params["v"], read.known)
            c = jnp.einsum("bn,bna->ba", alpha, read.annotations)
            z_r, z_z, z_n = jnp.split(z + c @ W_context, 3, axis=-1)
            u_r, u_z, u_n = jnp.split(s @ params["recurrent_weights"], 3, axis=-1)
            r, keep = jax.nn.sigmoid(z_r + u_r), jax.nn.sigmoid(z_z + u_z)
            s = (1 - keep) * jnp.tanh(z_n + r * (u_n + reset_bias)) + keep * s
            return s, (s, c, alpha)

        _, found = lax.scan(step, state, jnp.swapaxes(given, 0, 1))
        states, contexts, looks = (jnp.swapaxes(array, 0, 1) for array in found)
        return states, contexts, looks

    def multiply_adds(self, input_shape: Shape) -> int:
        """The multiply-adds of writing; reading is not counted."""
        steps, n_in = input_shape[0] - self.given, self.features + self.annotated
        return steps * ((n_in + self.units) * 3 * self.units + (self.units + n_in) * self.units)


@dataclass(frozen=True)
class EncoderDecoder(Writer):
    """Reads a sequence of symbols from both ends, and writes another: translation.

        (given + time,) symbols -> (time, units)

    A GRU of units / 2 reads the first `source` symbols forward, another backward; h_i are their states at place i side
    by side, and the summary is where each has ended.  Symbol 0 is none, and fills up what is shorter.

    Args:
        symbols, features, units, attends, attention, weights_init: as of `Writer`; units is even.
        source: symbols that are read.
    """

    source: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, source=self.source)
        if self.units % 2:
            raise FirsthandError(f"EncoderDecoder: units is {self.units}, expected an even number")

    @property
    def given(self) -> int:
        return self.source

    @property
    def annotated(self) -> int:
        return self.units

    def init_reading(self, dtype: DTypeLike, *, key: Array) -> Params:
        found = {}
        for name, k in zip(("forward", "backward"), jax.random.split(key), strict=True):
            first, second = jax.random.split(k)
            half = self.units // 2
            found[name] = {
                "weights": self.weights_init((self.features, 3 * half), self.features, half, dtype, key=first),
                "recurrent_weights": self.weights_init((half, 3 * half), half, half, dtype, key=second),
                "bias": jnp.zeros(4 * half, dtype),
            }
        return found

    def annotate(self, params: Params, x: Array) -> tuple[Array, Array, Array]:
        known, read = x != 0, vectors(params["embedding"], x)
        zero = jnp.zeros((len(x), self.units // 2), read.dtype)

        def through(name: str, sequence: Array, mask: Array) -> tuple[Array, Array]:
            p = params["reading"][name]
            return kernels.gru(sequence, zero, p["weights"], p["recurrent_weights"], p["bias"], mask=mask)

        forward, ended = through("forward", read, known)
        backward, begun = through("backward", jnp.flip(read, 1), jnp.flip(known, 1))
        annotations = jnp.concatenate([forward, jnp.flip(backward, 1)], -1)
        return annotations, known, jnp.concatenate([ended, begun], -1)


@dataclass(frozen=True)
class Captioner(Writer):
    """Reads an image, and writes what is on it.

        (height * width * channels + time,) bytes -> (time, units)

    The image is given as a row of pixels 0 to 255; `encoder` makes rows x columns of vectors of it, h_i is the one of a
    place and a vector for that place, which is learned and tells where it is; the summary is their mean.

    Args:
        symbols, features, units, attends, attention, weights_init: as of `Writer`.
        image: (height, width, channels).
        encoder: layers, from an image to an image.
    References:
        Xu et al. 2015, 'Show, Attend and Tell', with the soft attention of section 4.2.
    """

    image: tuple[int, int, int] = (28, 28, 1)
    encoder: Any = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "image", tuple(self.image))
        object.__setattr__(self, "encoder", tuple(self.encoder))
        if len(self.places) != 3:
            raise FirsthandError(f"Captioner: its encoder gives the shape {self.places}, expected an image")

    @property
    def places(self) -> Shape:
        """The shape of the annotations in the image, (rows, columns, annotated)."""
        shape: Shape = self.image
        for layer in self.encoder:
            shape = layer.output_shape(shape)
        return shape

    @property
    def given(self) -> int:
        height, width, channels = self.image
        return height * width * channels

    @property
    def annotated(self) -> int:
        return self.places[-1]

    def init_reading(self, dtype: DTypeLike, *, key: Array) -> Params:
        first, *keys = jax.random.split(key, len(self.encoder) + 1)
        rows, columns, annotated = self.places
        shape, found = self.image, {"places": 0.1 * jax.random.normal(first, (rows * columns, annotated), dtype)}
        for number, (layer, k) in enumerate(zip(self.encoder, keys, strict=True)):
            found[str(number)] = layer.init(shape, dtype, key=k)
            shape = layer.output_shape(shape)
        return found

    def annotate(self, params: Params, x: Array) -> tuple[Array, Array, Array]:
        a = x.astype(params["v" if self.attends else "start_bias"].dtype).reshape(len(x), *self.image) / 255
        for number, layer in enumerate(self.encoder):
            a = layer.apply(params["reading"][str(number)], a)
        annotations = a.reshape(len(a), -1, a.shape[-1]) + params["reading"]["places"]
        return annotations, jnp.ones(annotations.shape[:2], bool), jnp.mean(annotations, axis=1)


def vectors(embedding: Array, symbols: Array) -> Array:
    """The rows of symbols, (..., features); NaN for a number that is no symbol's, so that a training with it stops."""
    numbers = symbols.astype(jnp.int32)
    known = (numbers >= 0) & (numbers < len(embedding))
    return jnp.where(known[..., None], embedding[jnp.where(known, numbers, 0)], jnp.nan)


def attended(query: Array, keys: Array, v: Array, known: Array) -> Array:
    """alpha_i = softmax_i(v . tanh(query + key_i)) over the places that are known: Bahdanau et al. 2015, equation (6).

    Args:
        query: s W, (batch, attention).
        keys: h U, (batch, places, attention).
        v: (attention,).
        known: (batch, places); the others get no weight.
    """
    e = jnp.tanh(query[:, None] + keys) @ v  # (batch, places)
    return jax.nn.softmax(jnp.where(known, e, UNKNOWN), axis=-1)
