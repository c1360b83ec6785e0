"""The hot path: convolutions in the form that is fast on each kind of device."""

from .conv_pool import conv_pool, conv_pool_plain, rectified_convolution
from .convolution import convolution
from .dense import SteppedWeights, can_step
from .native import Status, limit_threads, status, threads

__all__ = [
    "Status",
    "SteppedWeights",
    "can_step",
    "conv_pool",
    "conv_pool_plain",
    "convolution",
    "limit_threads",
    "rectified_convolution",
    "status",
    "threads",
]
