"""The n-gram model, against the equation written out with dictionaries."""

from collections import Counter

import numpy as np
import pytest

from firsthand.errors import FirsthandError
from firsthand.models import NGram

TEXT = "abracadabra, said the magician; abracadabra, said the rabbit"


def kneser_ney(text, order, alphabet, history, symbol):
    """p(symbol | history), with counts looked up anew in every call."""
    seen = {k: Counter(text[i : i + k] for i in range(len(text) - k + 1)) for k in range(1, order + 1)}
    counted = {order: seen[order]}
    for k in range(1, order):
        counted[k] = Counter(gram[1:] for gram in seen[k + 1])

    def p(k, history):
        if k == 0:
            return 1 / len(alphabet)
        before = history[len(history) - k + 1 :] if k > 1 else ""
        counts = Counter({gram: n for gram, n in counted[k].items() if gram[:-1] == before})
        once, twice = (sum(n == many for n in counted[k].values()) for many in (1, 2))
        D = once / (once + 2 * twice)
        if not counts:
            return p(k - 1, history)
        total = sum(counts.values())
        return max(counts[before + symbol] - D, 0) / total + D * len(counts) / total * p(k - 1, history)

    return p(min(order, len(history) + 1), history)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_surprises_are_those_of_the_equation(order):
    model, said = NGram.of(TEXT, order), "the said abra; magic rabbits"[:-1]
    alphabet = model.symbols
    expected = [-np.log2(kneser_ney(TEXT, order, alphabet, said[:i], said[i])) for i in range(1, len(said))]
    np.testing.assert_allclose(model.surprises(said), expected, rtol=1e-12)
    assert model.bits(said) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("history", ["", "a", "abra", "zz; the", "magician"])
def test_probabilities_sum_to_one_and_agree_with_the_surprises(history):
    alphabet = tuple(sorted(set(TEXT + "z")))
    model = NGram.of(TEXT, 4, alphabet)
    p = model.probabilities(history)
    assert p.sum() == pytest.approx(1)
    assert p.min() > 0
    if history:
        found = [2 ** -model.surprises(history + symbol)[-1] for symbol in alphabet]
        np.testing.assert_allclose(p, found, rtol=1e-12)


@pytest.mark.parametrize("order", [0, 61, 20])
def test_an_order_that_cannot_be_counted_is_refused(order):
    with pytest.raises(FirsthandError, match=f"n-gram: order is {order} for"):
        NGram.of(TEXT, order)
