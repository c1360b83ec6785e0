"""The images that a network takes for most alike: nearest to each other in its last hidden layer."""

from dataclasses import dataclass

import numpy as np

from firsthand.data import Dataset
from firsthand.errors import FirsthandError
from firsthand.models import Ensemble, Model

from .parts import layer_outputs

__all__ = ["Nearest", "Neighbours", "last_hidden"]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The neighbours of n images, nearest first.

    Args:
        index: in the data set, (n, count).
        distance: Euclidean, between the activations of the last hidden layer, (n, count).
    """

    index: np.ndarray
    distance: np.ndarray


def last_hidden(model: Model | Ensemble, images: np.ndarray) -> np.ndarray:
    """The output layer's input for images, (n, units): the activations before it, or the images if there are none.

    Of an ensemble, those of all members in a row.
    """
    if isinstance(model, Ensemble):
        return np.concatenate([last_hidden(member, images) for member in model.members], axis=1)
    if len(model.network.layers) == 1:
        hidden = np.asarray(model.network.as_float(model.checked(images), model.params))
    else:
        (hidden,) = layer_outputs(model, images, [-2]).values()
    return hidden.reshape(len(hidden), -1)


class Neighbours:
    """A data set as the last hidden layer sees it, in which neighbours are looked up.

    It is made once; looking up takes one matrix product.

    Args:
        model: any, or an ensemble.
        data: usually the training data.
    Raises:
        FirsthandError: data that do not fit the model.

    Examples:
        >>> import jax
        >>> from firsthand import Model, Network, mnist, nn
        >>> network = Network((nn.FullyConnected(30), nn.Softmax(10)))
        >>> data = mnist().train[:100]
        >>> model = Model(network, network.init(key=jax.random.key(0)), data.classes)
        >>> Neighbours(model, data).nearest(data.images[7:8], count=3).index[0, 0]
        np.int64(7)
    """

    def __init__(self, model: Model | Ensemble, data: Dataset):
        model.check_fits(data)
        self.model, self.data = model, data
        self._hidden = last_hidden(model, data.images)  # (n, units)
        self._squares = np.sum(self._hidden.astype(np.float64) ** 2, axis=1)

    def nearest(self, images: np.ndarray, count: int = 9) -> Nearest:
        """The `count` images of the data set that are nearest to each of these, (n, *input_shape).

        Raises:
            FirsthandError: images of another shape, or a count below 1 or above the size of the data set.
        """
        if not 1 <= count <= len(self.data):
            raise FirsthandError(f"nearest: count is {count}, expected 1 to {len(self.data)}")
        h = last_hidden(self.model, self.model.checked(images))
        # |h - g|^2 without its |h|^2, which changes no order
        order = self._squares - 2 * (h @ self._hidden.T)  # (n, data)
        index = np.argsort(order, axis=1, kind="stable")[:, :count]
        # differences of the few: what is left of large squares that nearly cancel is rounding
        distance = np.linalg.norm(self._hidden[index] - h[:, None], axis=2)
        nearest = np.argsort(distance, axis=1, kind="stable")
        return Nearest(np.take_along_axis(index, nearest, 1), np.take_along_axis(distance, nearest, 1))
