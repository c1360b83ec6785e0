"""The plain convolution, in the form that is fast on each kind of device.

Inside a compiled loop, which a training is, XLA's own convolution is ten times and more slower on a CPU than the same
sum written as one matrix product (`python -m benchmarks convolutions`), so there the patches are laid out first
(im2col); a GPU or TPU has good convolutions of its own.
"""

import jax.numpy as jnp
from jax import Array, lax

__all__ = ["convolution"]


def convolution(x: Array, weights: Array, *, stride: int = 1, padding: int = 0, groups: int = 1) -> Array:
    """z[n, i, j, f] = sum_{l, m, c} x[n, i*stride + l, j*stride + m, c] W[l, m, c, f], equation (125) without b.

    Args:
        x: images, (batch, height, width, channels).
        weights: kernels, (kernel_height, kernel_width, channels / groups, filters).
        stride: distance between neighbouring positions, in pixels.
        padding: rows and columns of zeros put around each image.
        groups: number of independent parts of channels and filters.
    Returns:
        (batch, rows, columns, filters), with rows = (height + 2 padding - kernel_height) // stride + 1.
    """

    def by_matrix_product(x: Array, weights: Array) -> Array:
        return _as_matrix_product(x, weights, stride, padding, groups)

    def by_xla(x: Array, weights: Array) -> Array:
        return lax.conv_general_dilated(
            x,
            weights,
            (stride, stride),
            [(padding, padding)] * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=groups,
        )

    return lax.platform_dependent(x, weights, cpu=by_matrix_product, default=by_xla)


def _as_matrix_product(x: Array, weights: Array, stride: int, padding: int, groups: int) -> Array:
    kh, kw, channels, filters = weights.shape
    if padding:
        x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    batch, height, width, _ = x.shape
    rows, columns = (height - kh) // stride + 1, (width - kw) // stride + 1

    # one shifted copy of the image per weight of the kernel
    shifted = [
        x[:, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
        for i in range(kh)
        for j in range(kw)
    ]
    patches = jnp.stack(shifted, axis=3)  # (batch, rows, columns, kh*kw, groups*channels)

    def product(patches: Array, kernels: Array) -> Array:
        return patches.reshape(batch * rows * columns, kh * kw * channels) @ kernels.reshape(kh * kw * channels, -1)

    if groups == 1:
        z = product(patches, weights)
    else:
        # group by group: XLA has no fast product of many small matrices
        parts = zip(jnp.split(patches, groups, axis=-1), jnp.split(weights, groups, axis=-1), strict=True)
        z = jnp.concatenate([product(*part) for part in parts], axis=-1)
    return z.reshape(batch, rows, columns, filters)
