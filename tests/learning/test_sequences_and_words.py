"""Objectives of numbers, answers and words: right values against sums by hand, gradients, one line for misfits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import models, nn
from firsthand.data import Answers, Arrays, Splits, WordPairs, WordText, word_pairs
from firsthand.errors import FirsthandError
from firsthand.learning import Answering, Recipe, Regression, SkipGram, evaluate, train

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(5)
SUMS = Answers.of_pairs([("1+2=", "3."), ("9+8=", "17."), ("4+4=", "8.")], 6, "0123456789+=.")
READER = nn.Network((nn.Embedding(13, 4), nn.LSTM(6), nn.Softmax(13)), (6,))
NUMBERS = Arrays((np.eye(4, dtype=np.float32), np.arange(8, dtype=np.float32).reshape(4, 2) / 8))
LINE = nn.Network((nn.FullyConnected(3, nn.tanh), nn.FullyConnected(2, nn.linear)), (4,))
WORDS = word_pairs(
    WordText.of(["the cat sat on the mat", "the dog sat on the cat"] * 9, at_least=1), 40, keep=10.0, seed=0
)
COUNT = len(WORDS.words)
VECTORS = nn.Network((nn.Embedding(COUNT, 5), nn.Flatten(), nn.FullyConnected(COUNT, nn.linear)), (1,))


def on_device(examples):
    return tuple(map(jnp.asarray, examples.arrays))


def test_regression_is_judged_by_its_squared_error():
    params = LINE.init(key=KEY)
    found = evaluate(LINE, params, on_device(NUMBERS), Regression())
    x, y = NUMBERS.arrays
    error = ((np.asarray(LINE.apply(params, x)) - y) ** 2).sum(1).mean()
    assert found == {"error": pytest.approx(error, rel=1e-5), "cost": pytest.approx(error / 2, rel=1e-5)}


def test_a_regression_trains_and_its_model_is_read_back(tmp_path):
    recipe = Recipe(60, 4, 0.5, objective=Regression())
    model, history = train(LINE, Splits(NUMBERS, NUMBERS, None), recipe, key=KEY)
    assert history["validation_error"][-1] < 0.2 * history["validation_error"][0]
    again = models.load(model.save(tmp_path / "model.safetensors"))
    assert isinstance(again, models.Regressor)
    np.testing.assert_array_equal(again.predict(NUMBERS.arrays[0]), model.predict(NUMBERS.arrays[0]))
    with pytest.raises(FirsthandError, match=r"shape \(2, 3\), expected \(n, \*\(4,\)\)"):
        model.predict(np.zeros((2, 3), np.float32))


def by_hand(params):
    """The -ln p of each symbol that is asked for, by example, and whether it was the likeliest."""
    a = np.asarray(READER.apply(params, SUMS.inputs), np.float64)
    for outputs, targets, asked in zip(a, SUMS.targets, SUMS.asked, strict=True):
        at = np.flatnonzero(asked)
        yield -np.log(outputs[at, targets[at]]), outputs[at].argmax(-1) == targets[at]


def test_answers_are_judged_where_they_are_asked_for():
    params = READER.init(key=KEY)
    found = evaluate(READER, params, on_device(SUMS), Answering())
    nats, right = zip(*by_hand(params), strict=True)
    assert found["cost"] == pytest.approx(np.mean([each.mean() for each in nats]), rel=1e-5)
    assert found["right"] == pytest.approx(np.concatenate(right).mean())
    assert found["whole"] == pytest.approx(np.mean([each.all() for each in right]))


def test_what_is_not_asked_for_costs_nothing():
    params = READER.init(key=KEY)
    other = np.where(SUMS.asked, SUMS.targets, 0)
    without = Answers(SUMS.inputs, other, SUMS.asked, SUMS.symbols)
    found, expected = (Answering().costs(READER, params, on_device(each))[0] for each in (without, SUMS))
    np.testing.assert_array_equal(found, expected)


def test_whole_answers_right_are_those_the_network_writes_itself():
    recipe = Recipe(150, 3, 0.5, momentum=0.9, objective=Answering(), monitor=(), clip=1.0)
    model = train(READER, Splits(SUMS, None, None), recipe, key=KEY).model
    assert evaluate(READER, model.params, on_device(SUMS), Answering())["whole"] == 1
    for question, answer in (("1+2=", "3."), ("9+8=", "17.")):
        assert model.sample(question, len(answer), key=KEY, temperature=1e-3) == answer


def words_by_hand(params):
    inner, outer, bias = (
        np.asarray(p, np.float64) for p in (params[0]["weights"], params[2]["weights"], params[2]["bias"])
    )
    z = inner[WORDS.centres[:, 0]] @ outer + bias  # of all words, (pairs, words)
    rows = np.arange(len(WORDS))
    return z[rows, WORDS.neighbours], z[rows[:, None], WORDS.noise]


def test_skip_gram_is_the_sum_over_neighbour_and_noise():
    params = VECTORS.init(key=KEY)
    near, noise = words_by_hand(params)
    found = evaluate(VECTORS, params, on_device(WORDS), SkipGram())
    expected = -np.log(1 / (1 + np.exp(-near))) - np.log(1 / (1 + np.exp(noise))).sum(1)
    assert found["cost"] == pytest.approx(expected.mean(), rel=1e-5)
    assert found["near"] == pytest.approx(np.mean(near[:, None] > noise))


@pytest.mark.parametrize(
    ("network", "examples", "objective"),
    [(LINE, NUMBERS, Regression()), (READER, SUMS, Answering()), (VECTORS, WORDS, SkipGram())],
    ids=["regression", "answering", "skip-gram"],
)
def test_gradients_agree_with_finite_differences(network, examples, objective, float64):
    params = network.init(jnp.float64, key=KEY)
    batch = tuple(a.astype(jnp.float64) if a.dtype == jnp.float32 else a for a in on_device(examples))
    check_grads(
        lambda p: jnp.sum(objective.costs(network, p, batch)[0]),
        (params,),
        order=1,
        modes=("rev",),
        eps=1e-6,
        rtol=1e-5,
    )


def test_word_vectors_train_answer_and_are_read_back(tmp_path):
    recipe = Recipe(3, 10, 0.1, objective=SkipGram(), monitor=(), frozen=("2.bias",))
    model = train(VECTORS, Splits(WORDS, None, None), recipe, key=KEY).model
    assert not np.any(model.params[2]["bias"])
    again = models.load(model.save(tmp_path / "model.safetensors"))
    assert isinstance(again, models.WordVectors)
    assert again.analogy("cat", "dog", "mat") == model.analogy("cat", "dog", "mat")
    assert {"cat", "dog", "mat"}.isdisjoint(word for word, _ in model.analogy("cat", "dog", "mat"))
    with pytest.raises(FirsthandError, match="'cow' found"):
        model.vector("cow")


def test_an_analogy_is_the_nearest_word_to_the_sum():
    directions = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [-1, 0, 0]], float)
    words = ("man", "woman", "king", "queen", "stone")
    network = nn.Network((nn.Embedding(5, 3), nn.Flatten(), nn.FullyConnected(5, nn.linear)), (1,))
    model = models.WordVectors(network, ({"weights": directions}, {}, {}), words)
    assert model.analogy("man", "woman", "king", 1)[0][0] == "queen"
    assert model.nearest(model.vector("man"), 2)[0] == ("man", pytest.approx(1.0))


MISFITS = {
    "no answers": (READER, NUMBERS, Answering(), "Arrays found, questions with answers expected"),
    "outputs": (
        nn.Network((nn.Embedding(13, 4), nn.Softmax(5)), (6,)),
        SUMS,
        Answering(),
        r"softmax of shape \(6, 5\), expected softmax of shape \(6, 13\)",
    ),
    "no numbers": (LINE, Arrays((np.eye(4, dtype=np.float32),)), Regression(), "floats to be estimated expected"),
    "another number": (
        nn.Network((nn.FullyConnected(3),), (4,)),
        NUMBERS,
        Regression(),
        r"its output has shape \(3,\), expected \(2,\)",
    ),
    "no words": (VECTORS, SUMS, SkipGram(), "Answers found, pairs of words expected"),
    "softmax": (
        nn.Network((nn.Embedding(COUNT, 5), nn.Flatten(), nn.Softmax(COUNT)), (1,)),
        WORDS,
        SkipGram(),
        f"expected a linear one of {COUNT} units",
    ),
    "a layer less": (
        nn.Network((nn.Embedding(COUNT, 5), nn.FullyConnected(COUNT, nn.linear)), (1,)),
        WORDS,
        SkipGram(),
        "Flatten and one more expected",
    ),
}


@pytest.mark.parametrize(("network", "examples", "objective", "message"), MISFITS.values(), ids=list(MISFITS))
def test_what_does_not_fit_is_one_line(network, examples, objective, message):
    with pytest.raises(FirsthandError, match=message) as error:
        train(network, Splits(examples, None, None), Recipe(1, 2, 0.1, objective=objective, monitor=()), key=KEY)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("examples", "objective", "outputs"),
    [(NUMBERS, Regression(), 2), (SUMS, Answering(), 13), (WORDS, SkipGram(), COUNT), (NUMBERS, SkipGram(), None)],
)
def test_objectives_say_how_many_outputs_are_needed(examples, objective, outputs):
    assert objective.outputs(examples) == outputs


def test_pairs_of_words_stay_pairs_of_words():
    assert isinstance(WORDS[:3], WordPairs)
    assert len(WORDS[:3]) == 3
