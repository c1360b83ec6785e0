"""All experiments, in the order of the texts."""

from firsthand.experiments.experiment import Experiment

from . import (
    adding_problem,
    as_recorded,
    backpropagation,
    convolution,
    cost_functions,
    deep_networks,
    expanded_data,
    first_networks,
    grokking,
    learning_to_execute,
    more_data,
    overfitting,
    polynomial,
    regularization,
    rows_of_digits,
    softmax,
    vanishing_in_time,
    wide_networks,
    word_vectors,
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
    *rows_of_digits.EXPERIMENTS,
    *adding_problem.EXPERIMENTS,
    *vanishing_in_time.EXPERIMENTS,
    *learning_to_execute.EXPERIMENTS,
    *grokking.EXPERIMENTS,
    *word_vectors.EXPERIMENTS,
)
