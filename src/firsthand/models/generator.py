"""A trained network that runs backwards: Boltzmann machines in a row, and what they dream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from firsthand.errors import FirsthandError
from firsthand.keys import Key, as_key
from firsthand.nn import RBM, Network, Params

from .family import NetworkModel
from .outputs import in_chunks

__all__ = ["Generator"]

STEPS = 300  # of Gibbs sampling before a sample is taken
STRENGTH = 3.0  # of a label that is held on: with 1, what the chain began near often wins against one label unit


@dataclass(frozen=True, repr=False)
class Generator(NetworkModel):
    """A restricted Boltzmann machine, or several in a row: a deep belief net.

    Upwards it encodes, as any network.  Backwards the machine at the top makes up its mind, by drawing its two kinds of
    units in turn; what it has come to goes down, layer by layer, to the units that were shown examples.

    Args:
        network: `nn.RBM`s alone; the last may have label units.
        params: one dict of arrays per layer.
        classes: names of the label units; () where there are none.
        provenance: how it came to be.
    """

    family: ClassVar[str] = "generator"

    network: Network
    params: tuple[Params, ...]
    classes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def own_description(self) -> dict[str, Any]:
        return {"classes": list(self.classes)}

    @classmethod
    def made(cls, network: Network, params: tuple[Params, ...], about: dict[str, Any]) -> "Generator":
        classes = tuple(about["classes"])
        for number, layer in enumerate(network.layers):
            if not isinstance(layer, RBM):
                raise ValueError(f"layer {number + 1} is {layer}, expected an RBM")
        if not all(isinstance(name, str) for name in classes) or len(set(classes)) < len(classes):
            raise ValueError(f"classes {classes!r:.80} found, distinct names expected")
        if len(classes) > _machines(network)[-1].labels:
            raise ValueError(f"{len(classes)} classes for {_machines(network)[-1].labels} label units")
        return cls(network, params, classes, about["provenance"])

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Return the means of the hidden units at the top for examples (n, *input_shape): (n, units)."""
        return np.asarray(_programs(self.network).encode(self.params, self._checked(x)))

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Return what goes up and comes down again, means all the way: (n, *input_shape), as floats."""
        x = self._checked(x)
        return np.asarray(_programs(self.network).reconstruct(self.params, x)).reshape(x.shape)

    def errors(self, x: np.ndarray) -> np.ndarray:
        """Return the squared error of every reconstruction, (n,)."""
        x = self._checked(x)
        given = np.asarray(self.network.as_float(x, self.params), np.float64)
        return np.sum((given - self.reconstruct(x)).reshape(len(x), -1) ** 2, axis=1)

    def sample(
        self, count: int, *, key: Key, label: str | None = None, steps: int = STEPS, strength: float = STRENGTH
    ) -> np.ndarray:
        """Draw examples: a Markov chain for each, which begins at the top with units that are on or off by chance.

        Args:
            count: how many.
            key: all randomness.
            label: keep the label unit of this class on, so that all are of it; None leaves the label units free.
            steps: of Gibbs sampling at the top.
            strength: the value at which that label unit is held.  At 1 the machine is the one that has learned; above,
                every hidden unit hears the label louder than in training, and the samples are those for which it is
                plainer.
        Returns:
            The means of the visible units at last, (count, *input_shape), as floats.
        Raises:
            FirsthandError: no label units, or no such class.
        """
        return self.states(count, key=key, label=label, steps=steps, strength=strength)[-1]

    def states(
        self,
        count: int,
        *,
        key: Key,
        label: str | None = None,
        steps: int = STEPS,
        every: int | None = None,
        strength: float = STRENGTH,
    ) -> np.ndarray:
        """Sample, and return what comes down on the way, too: (steps / every, count, *input_shape).

        Args:
            count, key, label, steps, strength: as for `sample`.
            every: number of steps between two that are shown; by default the last alone is.
        """
        every = steps if every is None else every
        if min(count, steps, every) < 1 or every > steps:
            raise FirsthandError(
                f"sample: count {count}, steps {steps}, every {every} found, expected 1 or more, and every up to steps"
            )
        return np.concatenate(
            list(self.dream(count, key=key, label=label, steps=steps, every=every, strength=strength))
        )

    def dream(
        self,
        count: int,
        *,
        key: Key,
        label: str | None = None,
        steps: int = STEPS,
        every: int = 1,
        strength: float = STRENGTH,
    ) -> Iterator[np.ndarray]:
        """Yield the `states` one at a time while they are drawn: (1, count, *input_shape) each."""
        program, clamped = _programs(self.network), self._label(label, strength)
        start_key, key = jax.random.split(as_key(key))
        top = program.begin(self.params, start_key, clamped, count)
        for done in range(0, steps - every + 1, every):
            top, seen = program.go_on(self.params, top, jax.random.fold_in(key, done), clamped, every)
            yield np.asarray(seen).reshape(1, count, *self.input_shape)

    def complete(
        self, x: np.ndarray, known: np.ndarray, *, key: Key, label: str | None = None, steps: int = 100
    ) -> np.ndarray:
        """Fill in what is not known of examples: up with what is known, one step at the top, down, and again.

        Args:
            x: (n, *input_shape), of which only what is known counts.
            known: booleans of the same shape, or of one example.
            key, label: as for `sample`.
            steps: how often.
        Returns:
            (n, *input_shape), as floats; what is known as it was given.
        """
        x = self._checked(x)
        known = np.broadcast_to(np.asarray(known, bool), x.shape)
        given = self.network.as_float(x, self.params)
        found = _programs(self.network).complete(
            self.params, given, jnp.asarray(known), as_key(key), self._label(label), steps
        )
        return np.asarray(found).reshape(x.shape)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return how likely each label is, by the free energy of the machine at the top: (n, labels)."""
        if not _machines(self.network)[-1].labels:
            raise FirsthandError("model: no label units found, expected some")
        return np.asarray(_programs(self.network).label(self.params, self._checked(x)))

    def _label(self, name: str | None, strength: float = STRENGTH) -> Array:
        """The label units as they are kept, (labels,), or not a number where they are free."""
        units = _machines(self.network)[-1].labels
        if name is None:
            return jnp.full(units, jnp.nan)
        if name not in self.classes:
            names = ", ".join(self.classes) or "none, the model has no label units"
            raise FirsthandError(f"sample: label {name!r} found, expected one of {names}")
        return strength * jax.nn.one_hot(self.classes.index(name), units)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape or not len(x):
            raise FirsthandError(f"model: examples have shape {x.shape}, expected (n, *{self.input_shape})")
        return x


def _machines(network: Network) -> tuple[RBM, ...]:
    return tuple(layer for layer in network.layers if isinstance(layer, RBM))


class _Programs(NamedTuple):
    """The compiled programs of a network; all take its parameters first."""

    encode: Any
    reconstruct: Any
    begin: Any  # (key, label units, count) -> visible units of the machine at the top
    go_on: Any  # (those, key, label units, steps) -> those, and what they look like below
    complete: Any
    label: Any


@lru_cache(maxsize=16)
def _programs(network: Network) -> _Programs:
    machines = _machines(network)
    top = machines[-1]
    inputs = [int(np.prod(shape)) for shape in network.shapes[:-1]]

    def up(params: Any, x: Array) -> Array:
        """Means of the units that the machine at the top sees, without labels."""
        for layer, p in zip(machines[:-1], params, strict=False):
            x = layer.apply(p, x)
        return x

    def down(params: Any, means: Array) -> Array:
        """Means of the units at the bottom."""
        for layer, p in zip(machines[-2::-1], params[-2::-1], strict=True):
            means = layer.visible_means(p, means)
        return means

    def kept(v: Array, clamped: Array) -> Array:
        """The visible units at the top, with the labels as they are kept."""
        if not top.labels:
            return v
        own, free = jnp.split(v, [inputs[-1]], axis=1)
        return jnp.concatenate([own, jnp.where(jnp.isnan(clamped), free, clamped)], axis=1)

    def step(params: Any, clamped: Array, key: Array, v: Array) -> tuple[Array, Array]:
        upward, downward = jax.random.split(key)
        means = top.visible_means(params[-1], top.draw_hidden(params[-1], v, upward))
        return kept(top.draw_visible(means, downward), clamped), means[:, : inputs[-1]]

    def encode(params: Any, x: Array) -> Array:
        return in_chunks(lambda part: network.apply(params, part), x)

    def reconstruct(params: Any, x: Array) -> Array:
        def part(x: Array) -> Array:
            h = network.apply(params, x)
            return down(params, top.visible_means(params[-1], h)[:, : inputs[-1]])

        return in_chunks(part, x)

    def begin(params: Any, key: Array, clamped: Array, count: int) -> Array:
        # anywhere: from units that are all off a machine gets away only slowly
        shape = count, inputs[-1] + top.labels
        return kept(jax.random.bernoulli(key, 0.5, shape).astype(jnp.float32), clamped)

    def go_on(params: Any, v: Array, key: Array, clamped: Array, steps: int) -> tuple[Array, Array]:
        def once(i: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
            return step(params, clamped, jax.random.fold_in(key, i), at[0])

        v, means = lax.fori_loop(0, steps, once, (v, v[:, : inputs[-1]]))
        return v, down(params, means)

    def complete(params: Any, given: Array, known: Array, key: Array, clamped: Array, steps: int) -> Array:
        given, known = given.reshape(len(given), -1), known.reshape(len(given), -1)
        labels = jnp.full((len(given), top.labels), 1 / max(1, top.labels), given.dtype)

        def once(i: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
            x, labels = at
            v = kept(jnp.concatenate([up(params, x), labels], axis=1), clamped)
            v, means = step(params, clamped, jax.random.fold_in(key, i), v)
            return jnp.where(known, given, down(params, means)), v[:, inputs[-1] :]

        return lax.fori_loop(0, steps, once, (jnp.where(known, given, 0.0), labels))[0]

    def label(params: Any, x: Array) -> Array:
        def part(x: Array) -> Array:
            seen = up(params, network.as_float(x, params))
            on = [jnp.full(len(x), number) for number in range(top.labels)]
            energies = [top.free_energy(params[-1], top.seen_with(seen, labels)) for labels in on]
            return jax.nn.softmax(-jnp.stack(energies, axis=1), axis=1)

        return in_chunks(part, x)

    return _Programs(
        jax.jit(encode),
        jax.jit(reconstruct),
        jax.jit(begin, static_argnums=3),
        jax.jit(go_on, static_argnums=4),
        jax.jit(complete, static_argnums=5),
        jax.jit(label),
    )
