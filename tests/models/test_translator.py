"""Networks that write about what they are given: pairs, the objective, beam search against a full search, files."""

import itertools
from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Answers, DataError, Splits, Translations, alphabet_of
from firsthand.data.translations import BEGIN, END, SIGNS
from firsthand.errors import FirsthandError
from firsthand.learning import Recipe, Translating, evaluate, train
from firsthand.models import Translator, load

pytestmark = pytest.mark.usefixtures("compiled_quickly")

SYMBOLS = alphabet_of("ab")
PAIRS = [("ab", "ba"), ("b", "b"), ("aab", "b"), ("ba", "ab")]
DATA = Translations.of_pairs(PAIRS, 3, 4, SYMBOLS)
NETWORK = nn.Network((nn.EncoderDecoder(5, 3, 4, attention=3, source=3), nn.Softmax(5)), (7,))


def model(seed=0, scale=3.0):
    """A network that prefers something, by weights larger than at the start of a training."""
    params = jax.tree.map(lambda p: scale * p, NETWORK.init(key=jax.random.key(seed)))
    return Translator(NETWORK, params, SYMBOLS)


@pytest.mark.tiny
def test_pairs_are_given_and_written():
    assert DATA.inputs.tolist()[0] == [3, 4, 0, 1, 4, 3, 2]
    assert DATA.targets.tolist()[0] == [4, 3, 2, 0]
    assert DATA.asked.tolist()[1] == [True, True, False, False]
    assert DATA.references == [list(written) for _, written in PAIRS]
    assert DATA[1:].given.tolist()[0] == [4, 0, 0]
    assert (*SIGNS, "a", "b") == SYMBOLS
    assert alphabet_of("ba", "cab") == (*SIGNS, "a", "b", "c")


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Translations.of_pairs([], 3, 4, SYMBOLS), "none found"),
        (lambda: Translations.of_pairs([("abab", "a")], 3, 4, SYMBOLS), "4 symbols given"),
        (lambda: Translations.of_pairs([("a", "abab")], 3, 4, SYMBOLS), "4 symbols to be written"),
        (lambda: Translations.of_pairs([("c", "a")], 3, 4, SYMBOLS), "'c' found"),
        (lambda: Translations.of_pairs(PAIRS, 3, 4, "ab"), "expected"),
        (lambda: Translations.of_pairs(PAIRS, 3, 4, SYMBOLS, writable=4), "no symbol to be written"),
        (lambda: replace(DATA, targets=DATA.targets[:2]), "beside inputs"),
        (lambda: replace(DATA, asked=np.zeros((4, 4), bool)), "at least one true"),
    ],
)
def test_pairs_that_cannot_be_used_are_one_line(made, message):
    with pytest.raises(DataError, match=message):
        made()


def log_p(translator, row, written):
    """The sum of ln p of symbols after what is given, by the network on all of them at once."""
    before = np.array([[SIGNS.index(BEGIN), *written[:-1]]])
    x = np.concatenate([DATA.given[row : row + 1], before], axis=1)
    found = np.asarray(program(x.shape[1])(translator.params, x.astype(np.int32)))[0]
    return float(sum(found[t, symbol] for t, symbol in enumerate(written)))


@lru_cache
def program(length):
    network = nn.Network(NETWORK.layers, (length,))
    return jax.jit(lambda params, x: jax.nn.log_softmax(network.weighted_input(params, x)))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_beam_as_wide_as_the_tree_finds_the_likeliest_of_all(seed):
    """All that can be written in three symbols, 5 at each: 1, 4 and 16 beginnings that have not ended."""
    translator, end = model(seed), SIGNS.index(END)
    for row, found in enumerate(translator.write(DATA.given, beams=25, longest=3)):
        others = [n for n in range(5) if n != end]
        ended = [(*rest, end) for length in range(3) for rest in itertools.product(others, repeat=length)]
        best = max(ended, key=lambda each: log_p(translator, row, each) / len(each))
        assert found.symbols == tuple(SYMBOLS[n] for n in best[:-1])
        assert found.log_p == pytest.approx(log_p(translator, row, best), abs=1e-4)


def test_one_beam_takes_the_likeliest_symbol_each_time():
    translator = model(2)
    for row, found in enumerate(translator.write(DATA.given)):
        written: list[int] = []
        while len(written) < 4 and (not written or written[-1] != SIGNS.index(END)):
            scores = [log_p(translator, row, [*written, n]) for n in range(5)]
            written.append(int(np.argmax(scores)))
        kept = [SYMBOLS[n] for n in written if n != SIGNS.index(END)]
        assert list(found.symbols) == kept


def test_rows_do_not_see_each_other():
    together = model(1).write(DATA.given, beams=3)
    apart = [model(1).write(DATA.given[row : row + 1], beams=3)[0] for row in range(4)]
    assert [each.symbols for each in together] == [each.symbols for each in apart]


def test_what_is_learned_is_written_and_comes_back_from_its_file(tmp_path):
    recipe = Recipe(300, 4, 0.3, momentum=0.5, objective=Translating(), clip=1.0)
    training = train(NETWORK, Splits(DATA, DATA, None), recipe, key=jax.random.key(0))
    scores = evaluate(NETWORK, training.model.params, tuple(map(jnp.asarray, DATA.arrays)), Translating())
    assert scores["whole"] == 1.0
    found = load(training.model.save(tmp_path / "model.safetensors"))
    assert isinstance(found, Translator)
    assert ["".join(each.symbols) for each in found.write(DATA.given, beams=2)] == [written for _, written in PAIRS]
    np.testing.assert_allclose(found.looks(DATA.inputs).sum(-1), 1, rtol=1e-5)


def test_networks_and_questions_that_do_not_fit_are_one_line():
    answers = Answers.of_pairs([("a", "b")], 4, "ab")
    with pytest.raises(FirsthandError, match="Answers found, pairs of given and written expected"):
        Translating().check(NETWORK, answers, "training data")
    plain = nn.Network((nn.Embedding(5, 3), nn.Softmax(5)), (7,))
    with pytest.raises(FirsthandError, match=r"its first layer is Embedding.*; expected one that reads and writes"):
        Translating().check(plain, DATA, "training data")
    small = nn.Network((nn.EncoderDecoder(4, 3, 4, source=3), nn.Softmax(5)), (7,))
    with pytest.raises(FirsthandError, match="knows 4 symbols, expected 5"):
        Translating().check(small, DATA, "training data")
    assert Translating().outputs(DATA) == 5
    with pytest.raises(FirsthandError, match=r"\(4, 7\) found, \(n, 3\) expected"):
        model().write(DATA.inputs)
    with pytest.raises(FirsthandError, match="0 beams"):
        model().write(DATA.given, beams=0)
