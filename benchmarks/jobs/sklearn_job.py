"""The job in scikit-learn; it takes validation data only as a share of the training data that it divides itself."""

import pickle
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("scikit-learn",)
warnings.filterwarnings("ignore")


def job(data, folder):
    model = MLPClassifier(
        (100,), solver="sgd", batch_size=BATCH, learning_rate_init=RATE, momentum=0, alpha=0, random_state=SEED
    )
    best, classes = 0.0, np.arange(10)
    for _ in range(EPOCHS):
        model.partial_fit(data.x, data.y, classes=classes)
        if (accuracy := model.score(data.x_val, data.y_val)) > best:
            best = accuracy
            (folder / "model.pkl").write_bytes(pickle.dumps(model))
    model = pickle.loads((folder / "model.pkl").read_bytes())
    return model.score(data.x_test, data.y_test)


def _train(data, activation="relu", x=None, y=None, test=None):
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    model = MLPClassifier((100,), activation=activation, solver="sgd", learning_rate_init=0.1, max_iter=1)
    model.fit(x, y)
    return f"{len(model.classes_)} classes, accuracy {model.score(x if test is None else test, y):.0%}"


MISTAKES = {
    "a misspelt activation": lambda data: _train(data, "rleu"),
    "inputs of another size": lambda data: _train(data, test=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _train(data, test=255 * data.x[:200]),
}
