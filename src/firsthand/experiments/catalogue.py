"""All experiments, in the order of the texts."""

from . import (
    backpropagation,
    cost_functions,
    grokking,
    more_data,
    overfitting,
    polynomial,
    regularization,
    softmax,
    wide_networks,
)
from .experiment import Experiment

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *backpropagation.EXPERIMENTS,
    *cost_functions.EXPERIMENTS,
    *softmax.EXPERIMENTS,
    *overfitting.EXPERIMENTS,
    *regularization.EXPERIMENTS,
    *polynomial.EXPERIMENTS,
    *more_data.EXPERIMENTS,
    *wide_networks.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
