"""The contenders: one file each, all with the same four functions, each run by `worker` in a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.speed.nets import Net

__all__ = ["ABOUT", "PEERS", "VARIANTS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """A way of using a framework that may be its best on some network.

    Args:
        name: what the peer's file calls it.
        about: what it is, for the results.
        fits: which networks it can train.
    """

    name: str
    about: str
    fits: Callable[[Net], bool] = field(default=lambda net: True)


def _images(net: Net) -> bool:
    return net.convolutional


def _rows(net: Net) -> bool:
    return not net.convolutional


_TORCH = "float32 data resident as one tensor, no DataLoader, functional, autograd.grad and one _foreach update"
VARIANTS: dict[str, tuple[Variant, ...]] = {
    "firsthand": (Variant("train", "the very program that train() runs: gather, gradient and update of many steps"),),
    "torch_eager": (
        Variant("contiguous", _TORCH + "; NCHW"),
        Variant("channels_last", _TORCH + "; channels_last, so that flattening copies nothing", _images),
    ),
    "torch_compile": (
        Variant("loss", _TORCH + "; forward and backward compiled; NCHW"),
        Variant("loss channels_last", _TORCH + "; forward and backward compiled; channels_last", _images),
        Variant("step", "gather, gradient and update compiled as one graph, with the C++ wrapper", _rows),
    ),
    # XLA's convolution is about eight times slower inside a compiled loop than as a program of its own: for networks
    # with convolutions the loop is not a contender's best
    "keras_jax": (
        Variant("fit", "model.fit as documented, jit_compile=True"),
        Variant("scan", "Keras's stateless functions in a compiled loop over data on the device", _rows),
    ),
    "plain_jax": (
        Variant(
            "step", "lax.conv and reduce_window; one compiled program per step, buffers donated, data on the device"
        ),
        Variant("scan", "the same program in a compiled loop over the mini-batches", _rows),
    ),
    "sklearn_mlp": (Variant("partial_fit", "MLPClassifier, one pass over data already in order", _rows),),
}
PEERS = tuple(VARIANTS)

ABOUT: dict[str, dict[str, Any]] = {
    "torch_compile": {
        # two OpenMP teams (PyTorch's kernels', Inductor's loops') that spin for each other's cores: with two threads a
        # step took 10 to 100 times as long without this
        "environment": {"OMP_WAIT_POLICY": "passive"},
    },
}
