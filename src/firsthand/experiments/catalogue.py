"""All experiments, in the order of the texts."""

from . import backpropagation, convolution, deep_networks, expanded_data, grokking
from .experiment import Experiment

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *backpropagation.EXPERIMENTS,
    *deep_networks.EXPERIMENTS,
    *convolution.EXPERIMENTS,
    *expanded_data.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
