"""Numbers read whole: the cost of the formula, the likeliest number, the scenes, and the file."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import FirsthandError, models, nn
from firsthand.data import Arrays, Splits, mnist
from firsthand.data.numbers import number_scenes
from firsthand.learning import Recipe, WholeNumber, train
from firsthand.models.numbers import NumberModel, number_log_likelihoods, outputs_of_numbers
from firsthand.studies.whole_numbers import coverage

pytestmark = pytest.mark.usefixtures("compiled_quickly")

OBJECTIVE = WholeNumber(longest=2)
NETWORK = nn.Network((nn.FullyConnected(outputs_of_numbers(2), nn.linear),), (3, 3, 1))


def logarithm(values):
    return values - np.log(np.sum(np.exp(values)))


def test_the_cost_is_the_log_likelihood_of_length_and_digits(float64):
    params = NETWORK.init(jnp.float64, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (3, 3, 3, 1), jnp.float64)
    lengths, digits = jnp.array([0, 1, 2]), jnp.array([[0, 0], [7, 0], [4, 9]])
    z = np.asarray(NETWORK.weighted_input(params, x))
    costs, _ = OBJECTIVE.costs(NETWORK, params, (x, lengths, digits))
    for row, length, values, cost in zip(z, [0, 1, 2], digits, costs, strict=True):
        expected = -logarithm(row[:3])[length]
        for place in range(length):
            expected -= logarithm(row[3 + 10 * place : 13 + 10 * place])[values[place]]
        assert float(cost) == pytest.approx(float(expected), rel=1e-9)
    total = jax.jit(lambda params: jnp.sum(OBJECTIVE.costs(NETWORK, params, (x, lengths, digits))[0]))
    check_grads(total, (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


def test_the_likeliest_number_is_read(tmp_path):
    params = jax.device_get(NETWORK.init(key=jax.random.key(0)))
    model = NumberModel(NETWORK, params, 2)
    x = np.random.default_rng(0).normal(size=(20, 3, 3, 1)).astype(np.float32)
    of_lengths, of_digits = (np.asarray(p) for p in number_log_likelihoods(NETWORK.weighted_input(params, x), 2))
    for row, (text, probability) in enumerate(model.read(x)):
        every = {"": of_lengths[row, 0]}
        every |= {f"{a}": of_lengths[row, 1] + of_digits[row, 0, a] for a in range(10)}
        first = {a: of_lengths[row, 2] + of_digits[row, 0, a] for a in range(10)}
        every |= {f"{a}{b}": first[a] + of_digits[row, 1, b] for a in range(10) for b in range(10)}
        assert text == max(every, key=lambda number: every[number])
        assert probability == pytest.approx(np.exp(every[text]), rel=1e-4)
    loaded = models.load(model.save(tmp_path / "numbers.safetensors"))
    assert isinstance(loaded, NumberModel)
    assert loaded.read(x) == model.read(x)
    with pytest.raises(FirsthandError, match=r"images have shape \(1, 2, 3, 1\), expected \(n, \*\(3, 3, 1\)\)"):
        model.read(np.zeros((1, 2, 3, 1), np.float32))


@pytest.mark.tiny
def test_scenes_are_made_anew_alike():
    scenes = number_scenes(mnist().test[:50], 40, seed=3)
    images, lengths, digits = scenes.arrays
    assert images.shape == (40, 54, 54, 1)
    assert images.dtype == np.uint8
    assert set(lengths) == {0, 1, 2, 3, 4, 5}
    assert all((row[length:] == 0).all() for row, length in zip(digits, lengths, strict=True))
    assert scenes.digest == number_scenes(mnist().test[:50], 40, seed=3).digest
    full, empty = images[lengths == 5], images[lengths == 0]
    assert (full > 150).mean() > (empty > 150).mean()


def test_it_trains_as_any_objective_does():
    digits = mnist()
    data = Splits(
        number_scenes(digits.train[:100], 30, seed=0), number_scenes(digits.validation[:100], 20, seed=1), None
    )
    network = nn.Network((nn.MaxPool(6), nn.FullyConnected(outputs_of_numbers(5), nn.linear)), (54, 54, 1))
    found = train(network, data, Recipe(2, 10, 0.1, objective=WholeNumber()), key=jax.random.key(0))
    assert set(found.model.provenance["scores"]["validation"]) == {"whole", "digits", "cost"}
    wrong = Splits(Arrays(data.train.arrays[:2]), data.validation, None)
    with pytest.raises(FirsthandError, match=r"inputs, lengths \(n,\) and digits \(n, 5\) expected"):
        train(network, wrong, Recipe(1, 10, 0.1, objective=WholeNumber()), key=jax.random.key(0))


@pytest.mark.tiny
def test_coverage_is_the_share_of_sure_answers_that_are_right_often_enough():
    sure, right = np.array([0.5, 0.9, 0.8, 0.7]), np.array([False, True, True, True])
    assert coverage(sure, right, 0.98) == 0.75
    assert coverage(sure, right, 0.75) == 1.0
    assert coverage(sure, ~right, 0.98) == 0.0
