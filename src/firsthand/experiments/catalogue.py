"""All experiments, in the order of the texts."""

from . import backpropagation, grokking
from .experiment import Experiment

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *backpropagation.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
