"""Making what has been seen likely: contrastive divergence, the gradient of a machine that runs backwards."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from firsthand.data import Examples, Labelled
from firsthand.errors import FirsthandError
from firsthand.models import Generator
from firsthand.nn import RBM, Network, Params, statistics_of

from ..objective import Batch, Objective, check_inputs
from ..quantity import Quantity
from ..step import PARTS

__all__ = ["ContrastiveDivergence", "divergence", "machine_of"]

ERROR = Quantity("error", "squared error of a reconstruction", "重构的平方误差", better="lower", digits=3)
PSEUDO = Quantity("pseudo_likelihood", "pseudo-likelihood", "伪似然", "nat")
FREE_ENERGY = Quantity("free_energy", "free energy", "自由能", "nat", better="lower")
PLACES = 2  # units of each example that the pseudo-likelihood flips


@dataclass(frozen=True)
class ContrastiveDivergence(Objective):
    """Raise the likelihood of the examples under the network's last layer, an `nn.RBM`; those below hand them up.

        dC/dW = -(<v h>_0 - <v h>_k),   dC/db = -(<h>_0 - <h>_k),   dC/dc = -(<v>_0 - <v>_k)

    <>_0 is the mean over a mini-batch, <>_k that after k steps of Gibbs sampling, h drawn given v and v given h, which
    begin at the mini-batch or, persistent, where those of the last step ended.  The exact gradient of -ln p(v) has the
    mean over the machine itself in the place of <>_k.

    With label units, the labels of the examples are seen beside them.  What a training reports as its cost is no cost
    that it descends: the squared error of the first reconstruction, or for persistent chains, which make none,
    ||<v>_0 - <v>_k||^2.  Quantities: that error for one step up and down without
    randomness; the free energy, of which the gap between validation and training data grows with overfitting; and, of
    binary visible units, the pseudo-likelihood sum_i ln p(v_i | all others), estimated from a few units of each
    example, always the same.

    Args:
        k: steps of Gibbs sampling.
        persistent: continue the layer's `chains`.
        states: draw the states of the visible units on the way, as the theory has it; otherwise their probabilities are
            handed on, which is less noisy (Hinton's guide, section 3.2).  Persistent chains always draw them.
    References:
        Hinton 2002; Tieleman 2008, 'Training Restricted Boltzmann Machines using Approximations to the Likelihood
        Gradient' (persistent); Hinton 2010, 'A Practical Guide to Training Restricted Boltzmann Machines'.
    """

    k: int = 1
    persistent: bool = False
    states: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise FirsthandError(f"recipe: k is {self.k!r}, expected a whole number of 1 or more")

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return ERROR, PSEUDO, FREE_ENERGY

    def gradient(
        self, network: Network, params: Any, batch: Batch, weights: Array, *, key: Array
    ) -> tuple[Array, list[Array], Any]:
        layer, own = machine_of(network), params[-1]
        v = _seen(network, params, batch)
        start, counts = self.start(layer, own, v, weights)
        end, first = gibbs(layer, own, start, self.k, key, states=self.states or self.persistent)
        gradient = divergence(layer, own, v, weights.astype(v.dtype), end, counts)
        updated: Params = dict(own)
        if self.persistent:
            updated["chains"] = end
            error = jnp.sum(gradient["visible_bias"] ** 2)
        else:
            error = jnp.sum(counts * jnp.sum((v - first) ** 2, axis=1))
        still = tuple(jax.tree.map(jnp.zeros_like, p) for p in params[:-1])
        return error, statistics_of((*params[:-1], updated)), (*still, gradient)

    def start(self, layer: RBM, params: Params, v: Array, weights: Array) -> tuple[Array, Array]:
        """The start of Gibbs sampling, (chains, visible units), and the weight of each chain, summing to 1."""
        if not self.persistent:
            return v, weights.astype(v.dtype)
        _alone()
        return params["chains"], jnp.full(layer.chains, 1 / layer.chains, v.dtype)

    def measure(self, network: Network, params: Any, batch: Batch) -> dict[str, Array]:
        layer, own = machine_of(network), params[-1]
        v = _seen(network, params, batch)
        again = layer.visible_means(own, layer.hidden(own, v))
        found = {"error": jnp.sum((v - again) ** 2, axis=1), "free_energy": layer.free_energy(own, v)}
        if layer.visible == "binary":
            found["pseudo_likelihood"] = pseudo_likelihood(layer, own, v)
        return found

    def check(self, network: Network, examples: Examples, name: str) -> None:
        check_inputs(network, examples, name)
        layer = machine_of(network)
        if self.persistent and not layer.chains:
            raise FirsthandError(f"network: {layer} has no chains, expected some for persistent contrastive divergence")
        if layer.labels and not (isinstance(examples, Labelled) and examples.num_classes <= layer.labels):
            raise FirsthandError(f"{name}: expected examples with labels below {layer.labels}, for {layer}")

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Generator:
        classes = examples.classes if isinstance(examples, Labelled) and machine_of(network).labels else ()
        return Generator(network, params, classes, provenance)


def machine_of(network: Network) -> RBM:
    """The network's last layer, as the machine that it must be."""
    last = network.layers[-1]
    if not isinstance(last, RBM):
        raise FirsthandError(f"network: its last layer is {last}, expected an RBM")
    return last


def gibbs(layer: RBM, params: Params, v: Array, k: int, key: Array, *, states: bool) -> tuple[Array, Array]:
    """Draw h given v and v given h, k times.

    Args:
        layer, params: the machine.
        v: where the chains begin, (chains, visible units).
        k: steps.
        key: step i draws its hidden units with `jax.random.split(jax.random.fold_in(key, i))[0]`, its visible ones with
            the other half.
        states: draw the visible units; otherwise hand on their means.
    Returns:
        The visible units at the end, and their means after the first step, a reconstruction.
    """

    def step(i: Array | int, v: Array) -> tuple[Array, Array]:
        up, down = jax.random.split(jax.random.fold_in(key, i))
        means = layer.visible_means(params, layer.draw_hidden(params, v, up))
        return (layer.draw_visible(means, down) if states else means), means

    v, first = step(0, v)
    return lax.fori_loop(1, k, lambda i, v: step(i, v)[0], v) if k > 1 else v, first


def divergence(layer: RBM, params: Params, data: Array, counts: Array, model: Array, of_model: Array) -> Params:
    """The gradient of the energy's mean over data less that over the machine's own visible units.

    Args:
        layer, params: the machine.
        data, model: visible units, (n, visible) and (m, visible).
        counts, of_model: what each row counts, (n,) and (m,), each summing to 1.
    """
    up, free = layer.hidden(params, data), layer.hidden(params, model)
    counted, freely = counts[:, None] * data, of_model[:, None] * model
    gradient = {name: jnp.zeros_like(value) for name, value in params.items()}
    gradient["weights"] = freely.T @ free - counted.T @ up
    # of Gaussian units dE/db is b - h, and b falls out of the difference
    gradient["bias"] = of_model @ free - counts @ up
    gradient["visible_bias"] = jnp.sum(freely, axis=0) - jnp.sum(counted, axis=0)
    return gradient


def pseudo_likelihood(layer: RBM, params: Params, v: Array) -> Array:
    """sum_i ln p(v_i | v without i) of binary visible units, estimated from a few i of each row: (batch,).

        ln p(v_i | others) = ln sigmoid(F(v with v_i flipped) - F(v))

    The units are drawn with a key that is always the same, so that the same data give the same number.
    """
    seen = v.shape[1] - layer.labels
    b, weights = params["bias"], params["weights"]
    z = v @ weights + b
    before = layer.log_sum(z, b)
    total = jnp.zeros(len(v), v.dtype)
    for key in jax.random.split(jax.random.key(0), PLACES):
        i = jax.random.randint(key, (len(v),), 0, seen)
        change = 1 - 2 * jnp.take_along_axis(v, i[:, None], axis=1)  # (batch, 1)
        after = layer.log_sum(z + change * weights[i], b)
        # F(flipped) - F(v)
        difference = -change[:, 0] * params["visible_bias"][i] - after + before
        total += jax.nn.log_sigmoid(difference)
    return total * seen / PLACES


def _seen(network: Network, params: Any, batch: Batch) -> Array:
    """The visible units of the last layer: examples handed up through those below, with their labels."""
    layer = machine_of(network)
    x = network.as_float(batch[0], params)
    for below, p in zip(network.layers[:-1], params[:-1], strict=True):
        x = below.apply(p, x)
    return layer.seen_with(x, batch[1] if layer.labels else None)


def _alone() -> None:
    """Refuse to divide persistent chains over devices: their mean would be no state of a chain."""
    try:
        lax.axis_index(PARTS)
    except NameError:
        return
    raise FirsthandError("train: persistent chains and devices found, expected one device")
