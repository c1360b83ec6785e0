"""The hot path: convolutions in the form that is fast on each kind of device."""

from .conv_pool import conv_pool, conv_pool_plain, rectified_convolution
from .convolution import convolution
from .dense import SteppedWeights, can_step
from .native import Status, limit_threads, status, threads
from .recurrent import gru, lstm, simple

__all__ = [
    "Status",
    "SteppedWeights",
    "can_step",
    "conv_pool",
    "conv_pool_plain",
    "convolution",
    "gru",
    "limit_threads",
    "lstm",
    "rectified_convolution",
    "simple",
    "status",
    "threads",
]
