"""Language models: a text read on with a memory, bits, and sampling that repeats."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.errors import FirsthandError
from firsthand.models import LanguageModel

ALPHABET = tuple("abcd")
NETWORK = nn.Network((nn.Embedding(4, 5), nn.LSTM(6), nn.Softmax(4, weights_init=nn.large)), (5,))
MODEL = LanguageModel(NETWORK, NETWORK.init(key=jax.random.key(1)), ALPHABET)
TEXT = "abcadbbacdabcaabdcab"


def whole(model, text):
    """log2 p of every symbol but the first, from one pass over the whole text."""
    numbers = np.array([model.symbols.index(symbol) for symbol in text])
    z = model.network.weighted_input(model.params, numbers[None, :-1])[0]
    return np.asarray(jax.nn.log_softmax(z))[np.arange(len(numbers) - 1), numbers[1:]] / np.log(2)


@pytest.mark.parametrize("length", [1, 4, 5, 6, 20])
def test_a_prompt_of_any_length_is_remembered_whole(length):
    expected = 2 ** whole(MODEL, TEXT[:length] + "c")[-1]
    assert MODEL.probabilities(TEXT[:length])[2] == pytest.approx(expected, rel=1e-5)


def test_a_place_goes_on_and_stays_as_it_was():
    place = MODEL.begin("abc")
    before = place.probabilities
    on = place.then("adb").then("b")
    np.testing.assert_allclose(on.probabilities, MODEL.probabilities("abcadbb"), rtol=1e-5)
    np.testing.assert_array_equal(place.probabilities, before)
    assert [len(state) for state in on.state] == [0, 2, 0]


def test_surprises_are_those_of_the_whole_text():
    np.testing.assert_allclose(MODEL.surprises(TEXT), -whole(MODEL, TEXT), rtol=1e-5)
    assert MODEL.bits(TEXT) == pytest.approx(-whole(MODEL, TEXT).mean(), rel=1e-5)


def test_rows_of_a_long_text_begin_without_a_memory(monkeypatch):
    monkeypatch.setattr("firsthand.models.language.ROW", 10)
    text = TEXT + "d"
    expected = np.append(-whole(MODEL, text[:11]), -whole(MODEL, text[10:]))
    np.testing.assert_allclose(MODEL.surprises(text), expected, rtol=1e-5)


def test_sampling_repeats_and_is_what_the_probabilities_say():
    options = {"key": jax.random.key(2), "temperature": 0.8}
    first = MODEL.sample("ab", 30, **options)
    assert first == MODEL.sample("ab", 30, **options)
    assert first != MODEL.sample("ab", 30, key=jax.random.key(3), temperature=0.8)
    coldest = MODEL.sample("ab", 1, key=jax.random.key(4), temperature=1e-6)
    assert coldest == ALPHABET[int(np.argmax(MODEL.probabilities("ab")))]
    drawn = [MODEL.begin("ab").draw(1.0, key=jax.random.key(seed)) for seed in range(300)]
    shares = [drawn.count(symbol) / 300 for symbol in ALPHABET]
    np.testing.assert_allclose(shares, MODEL.probabilities("ab"), atol=0.1)


@dataclass(frozen=True)
class LastTwo(nn.Layer):
    """A layer of a stranger, that says nothing of a state: the mean of this step and the one before."""

    def apply(self, params, x, *, key=None, train=False):
        return (x + jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]) / 2


def test_a_network_without_a_state_sees_as_much_as_it_takes_at_once():
    network = nn.Network((nn.Embedding(4, 5), LastTwo(), nn.Softmax(4)), (5,))
    model = LanguageModel(network, network.init(key=jax.random.key(5)), ALPHABET)
    expected = 2 ** whole(model, "cadbba")[-1]
    assert model.probabilities("abcadbb")[0] == pytest.approx(expected, rel=1e-5)
    expected = np.concatenate([-whole(model, TEXT[at : at + 6]) for at in (0, 5, 10)])
    np.testing.assert_allclose(model.surprises(TEXT[:16]), expected, rtol=1e-5)


def test_what_cannot_be_read_is_said():
    with pytest.raises(FirsthandError, match="nothing found, at least one symbol expected"):
        MODEL.begin("")
    with pytest.raises(FirsthandError, match="1 symbol found, at least 2 expected"):
        MODEL.bits("a")
    with pytest.raises(FirsthandError, match="'z' found at position 1"):
        MODEL.begin("a").then("bz")
    with pytest.raises(FirsthandError, match="temperature is 0, expected a positive number"):
        MODEL.sample("a", 1, key=jax.random.key(0), temperature=0)
