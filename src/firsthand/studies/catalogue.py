"""All experiments, in the order of the texts."""

from firsthand.experiments.experiment import Experiment

from . import (
    adversarial,
    adversarial_training,
    adversarial_why,
    as_recorded,
    backpropagation,
    convolution,
    cost_functions,
    deconvnet,
    deep_networks,
    expanded_data,
    first_networks,
    fooling,
    grokking,
    more_data,
    overfitting,
    polynomial,
    regularization,
    softmax,
    transfer,
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
    *adversarial.EXPERIMENTS,
    *adversarial_why.EXPERIMENTS,
    *adversarial_training.EXPERIMENTS,
    *fooling.EXPERIMENTS,
    *deconvnet.EXPERIMENTS,
    *transfer.EXPERIMENTS,
    *grokking.EXPERIMENTS,
)
