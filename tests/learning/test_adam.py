"""Adam: Optax's, with the recipe's learning rate."""

import jax
import numpy as np
import optax
import pytest

from firsthand import nn
from firsthand.data import Splits, Vectors
from firsthand.learning import Adam, Cosine, Recipe, RecipeError, train

NETWORK = nn.Network((nn.FullyConnected(3, nn.tanh), nn.Softmax(2)), (4,))
X = np.random.default_rng(0).standard_normal((20, 4), np.float32)
DATA = Splits(Vectors(X, (X.sum(1) > 0).astype(np.int32), ("no", "yes")), None, None)


def trained(**settings):
    recipe = Recipe(3, 5, monitor=(), **settings)
    return train(NETWORK, DATA, recipe, key=jax.random.key(0)).model.params


def test_its_steps_are_those_of_optax():
    ours = trained(optimizer=Adam(b2=0.99), learning_rate=0.01)
    with jax.numpy_dtype_promotion("standard"):  # Optax itself relies on promotion
        theirs = trained(optimizer=optax.adam(0.01, b2=0.99))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), ours, theirs)


def test_the_recipe_scales_its_steps():
    slow, fast = (trained(optimizer=Adam(), learning_rate=Cosine(rate, 3)) for rate in (1e-9, 0.1))
    assert np.abs(slow[0]["weights"] - fast[0]["weights"]).max() > 0.05


def test_the_recipe_says_which_it_is():
    recipe = Recipe(1, optimizer=Adam(), learning_rate=0.01)
    assert recipe.to_json()["optimizer"] == "Adam(b1=0.9, b2=0.999, eps=1e-08)"
    assert recipe.changed(learning_rate=0.1).learning_rate == 0.1
    with pytest.raises(RecipeError, match="expected no momentum beside it"):
        Recipe(1, optimizer=Adam(), learning_rate=0.01, momentum=0.9)
    with pytest.raises(RecipeError, match="learning_rate is None, expected a number or a function"):
        Recipe(1, optimizer=Adam())
    with pytest.raises(RecipeError, match="no learning_rate beside it"):
        Recipe(1, optimizer=optax.adam(0.1), learning_rate=0.01)
