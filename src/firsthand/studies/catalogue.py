"""All experiments, in the order of the texts."""

from firsthand.experiments.experiment import Experiment

from . import (
    as_recorded,
    backpropagation,
    circuits,
    conv_choices,
    convolution,
    cost_functions,
    deep_networks,
    depth_power,
    dropout_inside,
    entropy,
    expanded_data,
    first_networks,
    grokking,
    grokking_more,
    more_data,
    obstacles,
    overfitting,
    paths,
    polynomial,
    regularization,
    regularized_runs,
    review,
    softmax,
    wide_networks,
)

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *first_networks.EXPERIMENTS,
    *backpropagation.EXPERIMENTS,
    *paths.EXPERIMENTS,
    *cost_functions.EXPERIMENTS,
    *entropy.EXPERIMENTS,
    *softmax.EXPERIMENTS,
    *overfitting.EXPERIMENTS,
    *regularization.EXPERIMENTS,
    *regularized_runs.EXPERIMENTS,
    *as_recorded.EXPERIMENTS,
    *polynomial.EXPERIMENTS,
    *more_data.EXPERIMENTS,
    *wide_networks.EXPERIMENTS,
    *dropout_inside.EXPERIMENTS,
    *circuits.EXPERIMENTS,
    *depth_power.EXPERIMENTS,
    *deep_networks.EXPERIMENTS,
    *obstacles.EXPERIMENTS,
    *convolution.EXPERIMENTS,
    *conv_choices.EXPERIMENTS,
    *expanded_data.EXPERIMENTS,
    *grokking.EXPERIMENTS,
    *grokking_more.EXPERIMENTS,
    *review.EXPERIMENTS,
)
