"""The hot path: convolutions in the form that is fast on each kind of device."""

from .conv_pool import conv_pool, conv_pool_plain, rectified_convolution
from .convolution import convolution
from .dense import THINNED, SteppedWeights, can_step
from .native import Status, limit_threads, status, threads
from .pooling import max_pool
from .recurrent import gru, lstm, simple
from .tied_conv_pool import tied_conv_pool

__all__ = [
    "THINNED",
    "Status",
    "SteppedWeights",
    "can_step",
    "conv_pool",
    "conv_pool_plain",
    "convolution",
    "gru",
    "limit_threads",
    "lstm",
    "max_pool",
    "rectified_convolution",
    "simple",
    "status",
    "threads",
    "tied_conv_pool",
]
