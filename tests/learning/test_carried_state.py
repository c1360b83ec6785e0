"""The state of a network kept from one mini-batch to the next: against a plain loop, killed and resumed."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Sequences, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Adam, Made, NextSymbol, Recipe, train
from firsthand.models import LanguageModel
from firsthand.nn import Network
from tests.processes import kill_and_resume, running

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(6)
TEXT = "abcadbbacdabcaabdcabdacbbadcabbacdcbabdcabacbdabca"
DATA = Sequences.of_text(TEXT, 3)  # 16 pieces: 5 mini-batches of 3, and one piece that is left out
NETWORK = Network((nn.Embedding(4, 5), nn.LSTM(6), nn.LayerNorm(), nn.GRU(3), nn.Softmax(4)), (3,))
RECIPE = Recipe(2, 3, 0.3, objective=NextSymbol(), carry_state=True, keep_best=False, monitor=())


def trained(recipe, data=DATA, **options):
    return train(NETWORK, Splits(data, None, None), recipe, key=KEY, **options)


def test_every_row_goes_on_where_it_has_ended():
    params = NETWORK.init(key=jax.random.split(KEY)[0])
    start = jax.tree.map(jnp.array, params)
    for _ in range(2):
        state, before = NETWORK.start(3), DATA.inputs[::5][:3, 0]
        for step in range(5):
            rows = [5 * row + step for row in range(3)]
            x, y = DATA.inputs[rows], DATA.targets[rows]
            np.testing.assert_array_equal(x[:, 0], before)  # the next symbol of the text
            before = y[:, -1]

            def cost(params, x=x, y=y, state=state):
                z, after = NETWORK.run(params, x, state)
                return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], 2)), after

            gradient, state = jax.grad(cost, has_aux=True)(params)
            params = jax.tree.map(lambda w, g: w - 0.3 * g, params, gradient)
    found = trained(RECIPE, params=start).model.params
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), found, params)
    forgetful = trained(Recipe(2, 3, 0.3, objective=NextSymbol(), shuffle=False, keep_best=False, monitor=()))
    assert not np.allclose(forgetful.model.params[1]["recurrent_weights"], params[1]["recurrent_weights"], atol=1e-4)


def test_it_remembers_what_happened_in_the_piece_before():
    """Pieces of 4 of a period of 12: a row that begins without a memory cannot know where in it it is."""
    data = Sequences.of_text("aaaaaabbbbbb" * 60, 4)
    network = Network((nn.Embedding(2, 4), nn.LSTM(16), nn.Softmax(2)), (4,))
    options = {"optimizer": Adam(), "objective": NextSymbol(), "keep_best": False, "monitor": ()}
    recipes = [Recipe(60, 10, 0.02, carry_state=carried, **options) for carried in (False, True)]
    models = [train(network, Splits(data, None, None), recipe, key=KEY).model for recipe in recipes]
    bits = [model.bits("aaaaaabbbbbb" * 20) for model in models]
    assert bits[1] < 0.1 < bits[0]


def test_a_resumed_run_has_the_same_bits(tmp_path):
    path = tmp_path / "checkpoint"
    trained(RECIPE, checkpoint=path)
    longer = Recipe(4, 3, 0.3, objective=NextSymbol(), carry_state=True, keep_best=False, monitor=())
    resumed = trained(longer, checkpoint=path, resume=True).model
    jax.tree.map(np.testing.assert_array_equal, resumed.params, trained(longer).model.params)
    with pytest.raises(FirsthandError, match=r"this run had recipe\.carry_state = True, not None"):
        trained(longer.changed(carry_state=False), checkpoint=path, resume=True)
    two = trained(RECIPE, members=2)
    alone = train(NETWORK, Splits(DATA, None, None), RECIPE, key=jax.random.fold_in(KEY, 1)).model
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), two.model[1].params, alone.params)


RUN = """
import sys, jax, time
from pathlib import Path
from firsthand.data import Sequences, Splits, shakespeare_text
from firsthand.learning import train
from firsthand.zoo import SHAKESPEARE
text = shakespeare_text()
symbols = tuple(sorted(set("".join(text))))
data = Splits(*(Sequences.of_text(part[:4000], 20, symbols) for part in text))
chosen = SHAKESPEARE.changed(carry_state=True, epochs=6)
def slow(at):
    print(at.epoch, flush=True)
    time.sleep(float(sys.argv[2]))
model, history = train(chosen.network(data.train), data, chosen.recipe, key=jax.random.key(1),
                       checkpoint=Path(sys.argv[1]), resume=Path(sys.argv[1]).exists(), progress=slow)
model.save(sys.argv[3])
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
    def start(name, pause):
        arguments = (tmp_path / f"{name}.ckpt", pause, tmp_path / name)
        return running([sys.executable, "-c", RUN, *map(str, arguments)])

    kill_and_resume(start)
    one, two = (LanguageModel.load(tmp_path / name) for name in ("whole", "killed"))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)


def test_what_has_no_state_to_carry_is_one_line():
    bidirectional = Network((nn.Embedding(4, 5), nn.Bidirectional(nn.GRU(3)), nn.Softmax(4)), (3,))
    images = Network((nn.FullyConnected(4), nn.Softmax(10)))
    ragged = Sequences.of_texts(["abca", "ab", "adc"], "abcd")
    cases = {
        "its layer 2, .* takes sequences as a whole": (bidirectional, DATA, RECIPE),
        "carry_state is True, but the sequences differ in length": (NETWORK, ragged, RECIPE),
        "batch_size is 20, expected at most the 16 sequences": (
            NETWORK,
            Made(lambda key: DATA),
            RECIPE.changed(batch_size=20),
        ),
        "takes sequences as a whole": (images, mnist().train[:20], Recipe(1, 10, 0.1, carry_state=True, monitor=())),
    }
    for message, (network, data, recipe) in cases.items():
        with pytest.raises(FirsthandError, match=message):
            train(network, Splits(data, None, None), recipe, key=KEY)
