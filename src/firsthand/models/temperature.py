"""Temperature scaling: one number, found on validation data, that makes probabilities mean what they say."""

import dataclasses
from typing import Any, TypeVar

import numpy as np
from scipy.special import softmax

from firsthand.data import Labelled
from firsthand.errors import FirsthandError

from .classifier import Classifier

__all__ = ["CalibrationError", "best_temperature", "fit_temperature"]

C = TypeVar("C", bound=Classifier)

# beyond these a temperature says that there is nothing to measure, not how sure a network is
LOWEST, HIGHEST = 0.01, 100.0


class CalibrationError(FirsthandError):
    """The validation data do not determine a temperature."""


def best_temperature(z: np.ndarray, labels: np.ndarray) -> float:
    """The T > 0 of least cost C(T) = -1/n sum_i ln softmax(z_i / T)_{label_i}.

    In b = 1/T the cost is convex, because it is a mean of log-sum-exps of linear functions, less linear ones.
    Its one minimum is where the slope is zero, which is found by bracketing:

        dC/db = 1/n sum_i sum_k p_ik (z_ik - z_{i, label_i})  with  p_i = softmax(b z_i)

    Args:
        z: weighted inputs of the output layer, (n, classes).
        labels: integers, (n,).
    Returns:
        T, from 0.01 to 100.
    Raises:
        CalibrationError: the least cost is not within these limits.  Below, every label has the largest z (or all but
            every), so that ever more confidence costs ever less; above, z says nothing about the labels.
    References:
        Guo, Pleiss, Sun and Weinberger 2017, 'On Calibration of Modern Neural Networks', equation (9).

    Examples:
        >>> z = np.array([[4.0, 0.0]] * 4)  # probability 0.982 of the first class, which is right 3 times of 4
        >>> T = best_temperature(z, np.array([0, 0, 0, 1]))
        >>> np.round(softmax(z[0] / T), 4).tolist()
        [0.75, 0.25]
    """
    from scipy.optimize import root_scalar  # takes a fifth of a second to import, and only this needs it

    z = np.asarray(z, np.float64)
    # the label's own z is subtracted first: where all labels are right no term is positive, and rounding adds none
    ahead = z - z[np.arange(len(z)), labels][:, None]

    def slope(log_b: float) -> float:
        return float(np.mean(np.sum(softmax(np.exp(log_b) * ahead, axis=1) * ahead, axis=1)))

    low, high = -np.log(HIGHEST), -np.log(LOWEST)
    if slope(high) <= 0:
        raise CalibrationError(
            f"temperature: not determined by these {len(z)} validation images, of which "
            f"{np.mean(z.argmax(axis=1) == labels):.2%} are right (more confidence is always better)"
        )
    if slope(low) >= 0:
        raise CalibrationError(
            f"temperature: not determined by these {len(z)} validation images (less confidence is always better)"
        )
    return float(np.exp(-root_scalar(slope, bracket=(low, high), xtol=1e-9).root))


def fit_temperature(model: C, validation: Labelled) -> C:
    """The model or ensemble with the temperature that suits validation data: labels stay, probabilities change.

    Afterwards probabilities are softmax(z/T) of the output layer's weighted inputs z, whatever its activation.  For a
    softmax layer that is what it has learned, made more or less sure.  For a layer of sigmoids, whose outputs are
    answers to one question per class, it replaces dividing them by their sum; z_j is then the log-odds of class j.

    Args:
        model: trained on other data than these.
        validation: images and labels; a few hundred are enough for one number.
    Returns:
        The model with `temperature` set.  Its provenance has a new entry 'calibration' with the temperature, the
        number of images n, and their negative log-likelihood before and after.
    Raises:
        FirsthandError: the images or classes are not the model's.
        CalibrationError: the data do not determine a temperature (see `best_temperature`).
    """
    model.check_fits(validation)
    z = model.weighted_inputs(validation.arrays[0])
    temperature = best_temperature(z, validation.labels)
    kept: Any = model  # a dataclass, whichever it is
    after = dataclasses.replace(kept, temperature=temperature)
    about = {
        "temperature": temperature,
        "n": len(validation),
        "nll_before": _cost(model.probabilities_at(z), validation.labels),
        "nll_after": _cost(after.probabilities_at(z), validation.labels),
    }
    return dataclasses.replace(after, provenance=model.provenance | {"calibration": about})


def _cost(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """-1/n sum ln p at the label, in nats; see `firsthand.inspect.negative_log_likelihood`."""
    p = probabilities[np.arange(len(labels)), labels]
    return -float(np.mean(np.log(np.maximum(p, np.finfo(p.dtype).tiny), dtype=np.float64)))
