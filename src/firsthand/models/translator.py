"""A trained network that writes of what it is given: a translation, a caption."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from firsthand.data.translations import BEGIN, END, SIGNS
from firsthand.errors import FirsthandError
from firsthand.nn import Network, Params, Writer

from .family import NetworkModel

__all__ = ["Translator", "Written"]

CHUNK = 128  # rows that are written side by side


class Written(NamedTuple):
    """The text that was written, and how.

    Args:
        symbols: without the end.
        log_p: the sum of ln p of them all and of the end.
    """

    symbols: tuple[str, ...]
    log_p: float


@dataclass(frozen=True)
class Translator(NetworkModel):
    """A network that writes of what it is given, symbol by symbol.

    Args:
        network: its first layer is a `firsthand.nn.Writer`; every other takes each step by itself, softmax at the end.
        params: one dict of arrays per layer.
        symbols: the alphabet, with `firsthand.data.translations.SIGNS` at its beginning.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "translation"

    network: Network
    params: tuple[Params, ...]
    symbols: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"symbols": list(self.symbols)}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Translator":
        symbols = tuple(about["symbols"])
        if not isinstance(network.layers[0], Writer):
            raise ValueError(f"its first layer is {network.layers[0]}, expected one that reads and writes")
        if symbols[: len(SIGNS)] != SIGNS or not network.num_classes <= len(symbols) <= network.layers[0].symbols:
            raise ValueError(f"{len(symbols)} symbols for {network.num_classes} outputs")
        return cls(network, params, symbols, about["provenance"])

    def write(self, given: np.ndarray, *, beams: int = 1, longest: int | None = None) -> list[Written]:
        """Write of every row what is likely: by beam search, which keeps the likeliest beginnings at each step.

        With one beam the likeliest symbol is taken each time.  Of the finished ones the likeliest per symbol is chosen,
        by ln p / length: without the division the short ones would win.

        Args:
            given: integers (n, given), as in `Translations.given`.
            beams: how many beginnings are kept.
            longest: symbols at most; by default as many as the network was trained with.
        Raises:
            FirsthandError: rows of another length, or fewer than one beam or symbol.
        """
        writer = self._writer()
        steps = self.network.shapes[1][0] if longest is None else longest
        if given.ndim != 2 or given.shape[1] != writer.given or not len(given):
            raise FirsthandError(f"write: {given.shape} found, (n, {writer.given}) expected")
        if beams < 1 or steps < 1:
            raise FirsthandError(f"write: {beams} beams and {steps} symbols found, 1 or more expected")
        chunks = (given[at : at + CHUNK] for at in range(0, len(given), CHUNK))
        return [written for chunk in chunks for written in self._beam_search(chunk, beams, steps)]

    def looks(self, inputs: np.ndarray) -> np.ndarray:
        """Return the places that are looked at before each symbol is written: alpha, (n, time, places).

        Args:
            inputs: integers (n, given + time), as in `Translations.inputs`.
        """
        return np.asarray(_looks_program(self.network)(self.params, inputs))

    def _writer(self) -> Writer:
        assert isinstance(self.network.layers[0], Writer)
        return self.network.layers[0]

    def _beam_search(self, given: np.ndarray, beams: int, steps: int) -> list[Written]:
        n, end = len(given), SIGNS.index(END)
        begin, step = _programs(self.network)
        read, state = begin(self.params, given, beams)  # rows: beams of the first, beams of the second, ...
        tokens = np.full((n, beams), SIGNS.index(BEGIN), np.int32)
        scores = np.full((n, beams), -np.inf)
        scores[:, 0] = 0.0  # at first all are the same: one of them goes on
        written = np.zeros((n, beams, 0), np.int32)
        for _ in range(steps):
            log_p, state = step(self.params, tokens.reshape(-1, 1), state, read)
            log_p = np.array(log_p, np.float64).reshape(n, beams, -1)
            finished = np.any(written == end, axis=2)
            log_p[finished] = -np.inf
            log_p[finished, end] = 0.0  # what has ended stays as it is
            total = (scores[..., None] + log_p).reshape(n, -1)
            best = np.argsort(-total, axis=1, kind="stable")[:, :beams]
            scores = np.take_along_axis(total, best, axis=1)
            parents, tokens = best // log_p.shape[-1], (best % log_p.shape[-1]).astype(np.int32)
            written = np.take_along_axis(written, parents[..., None], axis=1)
            written = np.concatenate([written, tokens[..., None]], axis=2)
            state = jnp.asarray(state)[(np.arange(n)[:, None] * beams + parents).ravel()]
            if np.all(tokens == end):
                break
        return [self._best(rows, scores[row], end) for row, rows in enumerate(written)]

    def _best(self, rows: np.ndarray, scores: np.ndarray, end: int) -> Written:
        lengths = [int(np.argmax(row == end)) + 1 if end in row else len(row) for row in rows]
        # one that has not ended comes after all that have
        ended = [float(end in row) for row in rows]
        chosen = max(range(len(rows)), key=lambda i: (ended[i], scores[i] / lengths[i]))
        kept = rows[chosen][: lengths[chosen] - int(ended[chosen])]
        return Written(tuple(self.symbols[number] for number in kept), float(scores[chosen]))


@lru_cache(maxsize=16)
def _programs(network: Network):
    """Compile reading, (params, given, beams), and one step of writing, (params, symbols, state, read)."""
    writer, rest = network.layers[0], network.layers[1:]
    assert isinstance(writer, Writer)

    def begin(params: Any, given: Array, beams: int) -> Any:
        return jax.tree.map(lambda a: jnp.repeat(a, beams, axis=0), writer.begin(params[0], given))

    def step(params: Any, symbols: Array, state: Array, read: Any) -> tuple[Array, Array]:
        a, state, _ = writer.go_on(params[0], symbols, state, read)
        for layer, p in zip(rest[:-1], params[1:-1], strict=True):
            a = layer.apply(p, a)
        z = network.output_layer.weighted_input(params[-1], a)
        return jax.nn.log_softmax(z[:, 0], axis=-1), state

    return jax.jit(begin, static_argnums=2), jax.jit(step)


@lru_cache(maxsize=16)
def _looks_program(network: Network):
    writer = network.layers[0]
    assert isinstance(writer, Writer)

    def looks(params: Any, x: Array) -> Array:
        read, state = writer.begin(params[0], x[:, : writer.given])
        return writer.go_on(params[0], x[:, writer.given :], state, read)[2]

    return jax.jit(looks)
