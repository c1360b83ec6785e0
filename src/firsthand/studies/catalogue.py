"""All experiments, in the order of the texts."""

from firsthand.experiments.experiment import Experiment

from . import (
    as_recorded,
    backpropagation,
    convolution,
    cost_functions,
    deep_networks,
    expanded_data,
    first_networks,
    googlenet,
    grokking,
    ksh,
    more_data,
    overfitting,
    polynomial,
    regularization,
    softmax,
    wide_networks,
)

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *first_networks.EXPERIMENTS,
    *backpropagation.EXPERIMENTS,
    *cost_functions.EXPERIMENTS,
    *softmax.EXPERIMENTS,
    *overfitting.EXPERIMENTS,
    *regularization.EXPERIMENTS,
    *as_recorded.EXPERIMENTS,
    *polynomial.EXPERIMENTS,
    *more_data.EXPERIMENTS,
    *wide_networks.EXPERIMENTS,
    *deep_networks.EXPERIMENTS,
    *convolution.EXPERIMENTS,
    *expanded_data.EXPERIMENTS,
    *ksh.EXPERIMENTS,
    *googlenet.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
