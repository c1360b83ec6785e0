"""All experiments, in the order of the texts."""

from firsthand.experiments.experiment import Experiment

from . import (
    as_recorded,
    backpropagation,
    circuits,
    convolution,
    cost_functions,
    deep_networks,
    depth_power,
    expanded_data,
    first_networks,
    grokking,
    more_data,
    obstacles,
    overfitting,
    paths,
    polynomial,
    regularization,
    softmax,
    wide_networks,
)

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *first_networks.EXPERIMENTS,
    *backpropagation.EXPERIMENTS,
    *paths.EXPERIMENTS,
    *cost_functions.EXPERIMENTS,
    *softmax.EXPERIMENTS,
    *overfitting.EXPERIMENTS,
    *regularization.EXPERIMENTS,
    *as_recorded.EXPERIMENTS,
    *polynomial.EXPERIMENTS,
    *more_data.EXPERIMENTS,
    *wide_networks.EXPERIMENTS,
    *circuits.EXPERIMENTS,
    *depth_power.EXPERIMENTS,
    *deep_networks.EXPERIMENTS,
    *obstacles.EXPERIMENTS,
    *convolution.EXPERIMENTS,
    *expanded_data.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
