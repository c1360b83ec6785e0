"""Bits that are asked for at some steps of a sequence: the cost by hand, what counts, and what does not fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Arrays, Splits
from firsthand.data.tasks import copy_task
from firsthand.errors import FirsthandError
from firsthand.learning import Bits, Recipe, evaluate, train
from firsthand.models import Regressor

DATA = copy_task(6, (1, 3), seed=1)
NETWORK = nn.Network((nn.SimpleRNN(5), nn.FullyConnected(8)), (7, 9))


def test_the_cost_is_the_cross_entropy_of_what_is_asked_for(float64):
    params = NETWORK.init(jnp.float64, key=jax.random.key(0))
    x, y, asked = DATA.arrays[0].astype(np.float64), *DATA.arrays[1:]
    costs, _ = Bits().costs(NETWORK, params, tuple(map(jnp.asarray, (x, y, asked))))
    a = np.asarray(NETWORK.apply(params, x))
    for row in range(6):
        of_bits = -np.where(y[row] > 0, np.log(a[row]), np.log(1 - a[row]))[asked[row]]
        assert costs[row] == pytest.approx(of_bits.mean(), rel=1e-9)


def test_bits_are_counted_where_they_are_asked_for():
    params = NETWORK.init(key=jax.random.key(0))
    x, y, asked = DATA.arrays
    found = evaluate(NETWORK, params, tuple(map(jnp.asarray, DATA.arrays)), Bits())
    wrong = (np.asarray(NETWORK.apply(params, x)) > 0.5) != (y > 0.5)
    assert found["wrong"] == pytest.approx(wrong[asked].mean())
    assert found["whole"] == pytest.approx(np.mean([not wrong[row][asked[row]].any() for row in range(6)]))
    # what is said elsewhere is free
    idle = Arrays((x, np.where(asked[..., None], y, 1 - y), asked))
    assert evaluate(NETWORK, params, tuple(map(jnp.asarray, idle.arrays)), Bits()) == found


def test_a_training_with_bits_ends_with_a_model_of_numbers():
    recipe = Recipe(3, 2, 0.5, objective=Bits(), clip=1.0)
    model, history = train(NETWORK, Splits(DATA, DATA, None), recipe, key=jax.random.key(0))
    assert isinstance(model, Regressor)
    assert len(history["validation_wrong"]) == 3
    assert Bits().outputs(DATA) == 8
    assert Bits().quantities[0].improves(0.1, 0.2)  # fewer are better


@pytest.mark.tiny
def test_what_does_not_fit_is_one_line():
    with pytest.raises(FirsthandError, match=r"inputs, bits \(n, time, bits\) and booleans \(n, time\) expected"):
        Bits().check(NETWORK, Arrays(DATA.arrays[:2]), "training data")
    linear = nn.Network((nn.SimpleRNN(5), nn.FullyConnected(8, nn.linear)), (7, 9))
    with pytest.raises(
        FirsthandError, match=r"its output is linear of shape \(7, 8\), expected sigmoid of shape \(7, 8\)"
    ):
        Bits().check(linear, DATA, "training data")
