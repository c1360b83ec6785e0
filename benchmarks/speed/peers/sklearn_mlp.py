"""scikit-learn's MLPClassifier, which has fully connected networks of this kind.

Ten independent sigmoid outputs with cross-entropy are what it makes of labels given as indicator rows.
"""

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.speed.nets import Problem

PACKAGES = ("scikit-learn",)


class Peer:
    """MLPClassifier with plain gradient descent, one call of partial_fit for all steps."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        if problem.net.output != "sigmoid":
            raise ValueError("scikit-learn's network would have another cost")
        self.problem = problem
        # already in the order of the steps: generous, since its own way would gather here
        self.x = problem.floats().reshape(len(problem.labels), -1)[problem.order]
        self.y = np.eye(10, dtype=np.int64)[problem.labels[problem.order]]
        self.reset()

    def reset(self) -> None:
        first, size = self.problem.net.layers[0], self.problem.batch_size
        self.model = MLPClassifier(
            hidden_layer_sizes=(first.units,),  # type: ignore[union-attr]
            activation="logistic",
            solver="sgd",
            alpha=0.0,
            batch_size=size,
            learning_rate_init=self.problem.net.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
        )
        # its first call makes the parameters, which are then overwritten in place: its optimizer holds the arrays
        self.model.partial_fit(self.x[:size], self.y[:size], classes=np.arange(10))
        self._overwrite()

    def _overwrite(self) -> None:
        for target, source in zip(self._arrays(), self.problem.params, strict=True):
            target[...] = source

    def _arrays(self) -> list[np.ndarray]:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [array for pair in pairs for array in pair]

    def run(self, start: int, steps: int) -> None:
        size = self.problem.batch_size
        part = slice(start * size, (start + steps) * size)
        self.model.partial_fit(self.x[part], self.y[part])

    def params(self) -> list[np.ndarray]:
        return [array.copy() for array in self._arrays()]
