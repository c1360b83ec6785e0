"""A network as an estimator of scikit-learn, for its pipelines, its cross-validation and its searches."""

import dataclasses
import math
from typing import Any, cast

import jax
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from firsthand import nn
from firsthand.data import Splits, Vectors
from firsthand.errors import FirsthandError, reading
from firsthand.learning import Classification, Cosine, Recipe, train
from firsthand.zoo import RECIPES, NamedRecipe

__all__ = ["DigitClassifier"]


class DigitClassifier(ClassifierMixin, BaseEstimator):
    """A network that classifies images or vectors, with the interface of scikit-learn.

    X is (n, features), or images (n, height, width) or (n, height, width, channels).  Vectors go into a fully connected
    network with one hidden layer; images, and vectors of which `image_shape` says that they are images, into two
    ConvPool layers and a hidden one.  All X are divided by the largest absolute value in the X of `fit`, so that pixels
    0..1, 0..16 and 0..255 train alike; features that differ in scale want a `StandardScaler` before.

    It passes scikit-learn's `check_estimator` without exception (tests/interop/test_estimator.py).

    Args:
        recipe: None for the networks above; one of `firsthand summary`'s names, or a
            `firsthand.zoo.NamedRecipe` of your own, for its network and training.  The output layer gets as
            many units as y has classes.
        image_shape: (height, width) or (height, width, channels) of the images that X holds as vectors.
        epochs, batch_size, learning_rate, l2: of `firsthand.Recipe`, instead of the recipe's own.
        validation_fraction: share of X that is held out, to choose the epoch of best accuracy and to fit the
            temperature; 0 learns from all of X, keeps the last epoch, and leaves probabilities as they are.
        random_state: initial parameters, order of the data, and what is held out.
    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        n_features_in_: numbers in one x; feature_names_in_ where X had names.
        model_: the `firsthand.Model`, of X as floats.  `model_.save(path)` writes safetensors, which holds no code,
            unlike a pickle of the estimator.
        history_: the `firsthand.learning.History`.
    Raises:
        ValueError: in `fit`: an argument out of its range, images that do not fit, fewer images than needed to hold
            some out.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> reader = DigitClassifier(epochs=10, random_state=0).fit(X[:1000], y[:1000])
        >>> reader.score(X[1000:], y[1000:]) > 0.9
        True
    """

    def __init__(
        self,
        recipe: str | NamedRecipe | None = None,
        *,
        image_shape: tuple[int, ...] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        l2: float | None = None,
        validation_fraction: float = 0.0,
        random_state: Any = None,
    ):
        self.recipe = recipe
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.l2 = l2
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "DigitClassifier":
        """Train a fresh network on X and the labels y, (n,), which may be numbers or strings."""
        shape = self._input_shape(X)
        X, y = validate_data(self, _flat(X), y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if shape is None:
            shape = (X.shape[1],)
        elif math.prod(shape) != X.shape[1]:
            raise FirsthandError(f"image_shape: {shape} found for X with {X.shape[1]} features")
        largest = float(np.max(np.abs(X)))
        # smaller numbers cannot be inverted in single precision
        scale = 1 / largest if largest > 1e-30 else 1.0
        chosen = self._recipe(shape)
        if not isinstance(self.validation_fraction, int | float | np.number) or not 0 <= self.validation_fraction < 1:
            raise FirsthandError(f"validation_fraction: found {self.validation_fraction!r}, expected 0 <= share < 1")

        random = check_random_state(self.random_state)
        values = (X * np.float32(scale)).reshape(-1, *shape)
        whole = Vectors(values, labels.astype(np.int32), tuple(map(str, self.classes_)))
        learned, held_out = whole, None
        if self.validation_fraction:
            share = float(self.validation_fraction)
            with reading("validation_fraction", f"of {len(labels)} examples {share:g} cannot be held out"):
                rows = train_test_split(np.arange(len(labels)), test_size=share, random_state=random, stratify=labels)
            learned, held_out = whole[rows[0]], whole[rows[1]]
        monitor = ("validation_accuracy",) if held_out else ()
        if not isinstance(chosen.layers[-1], nn.FullyConnected):
            raise FirsthandError(f"recipe: its last layer is {chosen.layers[-1]}, expected FullyConnected or Softmax")
        network = chosen.network(whole)
        model, self.history_ = train(
            network,
            Splits(learned, held_out, None),
            dataclasses.replace(chosen.recipe, monitor=monitor),
            key=jax.random.key(random.randint(2**31 - 1)),
        )
        if held_out is not None:
            model, _ = chosen.recipe.objective.finish(model, held_out)  # of a few that are all right, nothing follows
        # from here on the model takes X as it is
        layers = (nn.Rescale(scale), *network.layers)
        self.model_ = dataclasses.replace(
            model, network=nn.Network(layers, shape), params=cast(tuple[nn.Params, ...], ({}, *model.params))
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each of `classes_`, (n, classes), float32."""
        images = self._checked(X)
        return self.model_.probabilities(images)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest of `classes_`, (n,)."""
        images = self._checked(X)
        return self.classes_[self.model_.predict(images)]

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, _flat(X), reset=False, dtype=np.float32)
        return X.reshape(len(X), *self.model_.input_shape)

    def _input_shape(self, X: Any) -> nn.Shape | None:
        """The shape of one image, with channels; None where X is of vectors."""
        found = self.image_shape if self.image_shape is not None else np.shape(X)[1:] if _axes(X) > 2 else None
        if found is None:
            return None
        sides = found.tolist() if isinstance(found, np.ndarray) else found
        is_shape = isinstance(sides, list | tuple) and all(isinstance(side, int | np.integer) for side in sides)
        if not is_shape or len(sides) not in (2, 3) or min(sides) < 1:
            raise FirsthandError(f"image_shape: found {found!r}, expected (height, width) or (height, width, channels)")
        shape = tuple(map(int, sides))
        return shape if len(shape) == 3 else (*shape, 1)

    def _recipe(self, shape: nn.Shape) -> NamedRecipe:
        given = {name: getattr(self, name) for name in ("epochs", "batch_size", "learning_rate", "l2")}
        # searches and NumPy's functions give numbers of NumPy's
        given = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in given.items()
            if value is not None
        }
        readers = [name for name, each in RECIPES.items() if isinstance(each.recipe.objective, Classification)]
        if self.recipe is None:
            chosen = _default(shape)
        elif isinstance(self.recipe, NamedRecipe):
            chosen = self.recipe
        elif isinstance(self.recipe, str) and self.recipe in readers:
            chosen = RECIPES[self.recipe]
        else:
            names = ", ".join(readers)
            raise FirsthandError(f"recipe: found {self.recipe!r}, expected None, a NamedRecipe or one of {names}")
        return chosen.changed(**given)


def _default(shape: nn.Shape) -> NamedRecipe:
    """The recipe where none is named: ConvPool layers as far as an image is large enough, then a hidden layer."""
    layers: list[nn.Layer] = []
    if len(shape) == 3:
        side = min(shape[:2])
        halvings = min(2, side.bit_length() - 1)
        for filters in (20, 40)[:halvings]:
            # chapter 6's where they fit
            size, padding = (5, 0) if side >= 16 else (3, 1)
            layers.append(nn.ConvPool(filters, size, padding=padding, weights_init=nn.he))
    layers += [nn.FullyConnected(100, nn.relu, weights_init=nn.he), nn.Softmax(2)]
    epochs, rate = (20, 0.1) if len(shape) == 3 else (50, 0.2)
    return NamedRecipe("default", "", tuple(layers), Recipe(epochs, learning_rate=Cosine(rate, epochs), l2=1e-4))


def _axes(X: Any) -> int:
    return getattr(X, "ndim", 2)


def _flat(X: Any) -> Any:
    return np.asarray(X).reshape(len(X), -1) if _axes(X) > 2 else X
