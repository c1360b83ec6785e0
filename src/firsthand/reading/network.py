"""The page network: of every pixel of a photo, whether it is paper, a digit, other writing, a rule, or no paper at all.

A small U (Ronneberger, Fischer and Brox 2015, 'U-Net'): blocks of 4x4 pixels become channels, three times the picture
is halved to see further, and every size is joined again with what was seen at it.  It is fully convolutional, so that
it is trained on scenes of 512x512 pixels and reads a page of any size (tools/box/train_page.py).
"""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from jax import Array, lax

__all__ = ["BLOCK", "CLASSES", "boxed_page_network", "init", "load", "multiple", "weighted_inputs", "with_blocks"]

CLASSES = ("paper", "digit", "other writing", "rule", "beyond")
BLOCK = 4  # pixels of a side that become channels
SIZES = (24, 40, 56, 56)  # channels at 1/4, 1/8, 1/16 and 1/32 of the picture
FILE = Path(__file__).parent / "page.safetensors"

Params = dict[str, Array]


def multiple() -> int:
    """The number of pixels that the sides of a picture must be a multiple of."""
    return BLOCK * 2 ** (len(SIZES) - 1)


def init(key: Array) -> Params:
    """Fresh parameters: He's weights and biases of zero."""
    shapes: dict[str, tuple[int, int, int]] = {}  # size of the kernel, channels in, channels out
    channels = BLOCK * BLOCK + 1
    for level, filters in enumerate(SIZES):
        shapes[f"down{level}a"], shapes[f"down{level}b"] = (3, channels, filters), (3, filters, filters)
        channels = filters
    for level in range(len(SIZES) - 2, -1, -1):
        filters = SIZES[level]
        shapes[f"up{level}a"], shapes[f"up{level}b"] = (1, channels + filters, filters), (3, filters, filters)
        channels = filters
    shapes["out"] = (1, channels, BLOCK * BLOCK * len(CLASSES))
    params: Params = {}
    for name, (size, inside, outside) in shapes.items():
        key, one = jax.random.split(key)
        scale = np.sqrt((2 if name != "out" else 0.1) / (size * size * inside))
        params[f"{name}.weights"] = scale * jax.random.normal(one, (size, size, inside, outside))
        params[f"{name}.bias"] = jnp.zeros(outside)
    return params


def with_blocks(ink: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """The input of the network: blocks of ink as channels, and the mean grey level of each.

    Args:
        ink: (..., height, width), as `background.flatten` gives it; sides that are multiples of `multiple()`.
        grey: of the same shape, 0 to 1, dark strokes on light paper.
    Returns:
        float32 (..., height / 4, width / 4, 17).
    """
    high, wide = ink.shape[-2] // BLOCK, ink.shape[-1] // BLOCK

    def blocks(image: np.ndarray) -> np.ndarray:
        parts = image.reshape(*image.shape[:-2], high, BLOCK, wide, BLOCK)
        return np.moveaxis(parts, -3, -2).reshape(*image.shape[:-2], high, wide, BLOCK * BLOCK)

    shown = np.clip(blocks(ink), -0.2, 1.0)
    return np.concatenate([shown, blocks(grey).mean(-1, keepdims=True)], -1).astype(np.float32)


def weighted_inputs(params: Params, x: Array) -> Array:
    """The logits of the last softmax: (n, height / 4, width / 4, 17) -> (n, height, width, classes)."""
    a, seen = x, []
    for level in range(len(SIZES)):
        if level:
            a = lax.reduce_window(a, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        a = _relu(params, f"down{level}b", _relu(params, f"down{level}a", a))
        seen.append(a)
    for level in range(len(SIZES) - 2, -1, -1):
        larger = jnp.repeat(jnp.repeat(a, 2, axis=1), 2, axis=2)
        a = _relu(params, f"up{level}a", jnp.concatenate([larger, seen[level]], -1))
        a = _relu(params, f"up{level}b", a)
    z = _convolution(params, "out", a)
    n, high, wide, _ = z.shape
    z = z.reshape(n, high, wide, BLOCK, BLOCK, len(CLASSES)).transpose(0, 1, 3, 2, 4, 5)
    return z.reshape(n, high * BLOCK, wide * BLOCK, len(CLASSES))


def _relu(params: Params, name: str, x: Array) -> Array:
    return jax.nn.relu(_convolution(params, name, x))


def _convolution(params: Params, name: str, x: Array) -> Array:
    # XLA's own: outside of a compiled loop it is the fastest on a CPU
    form = ("NHWC", "HWIO", "NHWC")
    return (
        lax.conv_general_dilated(x, params[f"{name}.weights"], (1, 1), "SAME", dimension_numbers=form)
        + params[f"{name}.bias"]
    )


def load(path: Path) -> Params:
    """Parameters of a file; kept as float16, computed with as float32."""
    arrays = safetensors.numpy.load_file(path)
    return {name: jax.device_put(array.astype(np.float32)) for name, array in arrays.items()}


@cache
def boxed_page_network() -> Params:
    """The bundled parameters."""
    return load(FILE)
