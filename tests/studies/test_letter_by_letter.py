"""The study of the language model: its parts on small models, its claims on numbers made up, and one short run."""

from pathlib import Path

import jax
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import TextParts
from firsthand.experiments.experiment import Measured, Run
from firsthand.experiments.records import check_measured, conclude, record_of
from firsthand.models import LanguageModel, NGram
from firsthand.studies import letter_by_letter as study

TEXT = "she sells\nsea shells\nby the sea shore.\n" * 40
SYMBOLS = tuple(sorted(set(TEXT)))
NETWORK = nn.Network((nn.Embedding(len(SYMBOLS), 3), nn.LSTM(4), nn.Softmax(len(SYMBOLS))), (8,))
MODEL = LanguageModel(NETWORK, NETWORK.init(key=jax.random.key(0)), SYMBOLS)
(EXPERIMENT,) = study.EXPERIMENTS


def test_places_are_counted_from_the_beginning_of_the_line():
    assert study._places("ab\n\nc").tolist() == [0, 1, 2, 0, 0]


def test_a_unit_that_counts_is_found():
    place = study._places(TEXT)
    states = np.stack([np.zeros_like(place), -place / 10, np.random.default_rng(0).random(len(place))], 1)
    found = study._correlations(states, place)
    assert found[0] == 0
    assert found[1] == pytest.approx(-1)
    assert abs(found[2]) < 0.2


def test_the_unit_is_chosen_on_other_text_than_it_is_judged_on():
    arrays = {}
    found = study._follow_a_unit(MODEL, TextParts("", TEXT, TEXT.replace("\n", "\n\n")), arrays)
    unit = int(np.argmax(np.abs(study._correlations(study._states(MODEL, TEXT), study._places(TEXT)))))
    assert found["unit"] == unit
    assert len(arrays["unit_text"]) == len(arrays["unit_activation"]) > 100


def test_of_two_phrases_the_one_that_was_read_costs_fewer_bits():
    counted = NGram.of(TEXT, 4)
    assert study._bits_more(counted, "sea shells", "sea sells") > 0
    assert study._bits_more(counted, "sea sells", "sea shells") < 0


NUMBERS = {
    "test_bits_lstm": 2.0,
    "pieces_bits_lstm": 2.1,
    "test_bits_rnn": 2.15,
    "pieces_bits_rnn": 2.2,
    "test_bits_ngram": 2.1,
    "ngram_order": 6,
    "pair_bits_lstm": 3.0,
    "pairs_right_lstm": 9,
    "pairs_right_rnn": 8,
    "pairs_right_ngram": 8,
}


@pytest.mark.parametrize(
    ("claim", "worse"),
    [(0, "test_bits_lstm"), (1, "test_bits_lstm"), (2, "test_bits_lstm"), (3, "pair_bits_lstm")],
)
def test_claims_hold_and_fail_by_the_numbers(claim, worse):
    good = Measured(NUMBERS)
    assert EXPERIMENT.claims[claim].finding([good, good], {}).holds
    bad = Measured(NUMBERS | {worse: -1.0 if worse.startswith("pair") else 2.5})
    assert not EXPERIMENT.claims[claim].finding([good, bad], {}).holds or claim == 0
    if claim == 0:  # of the mean, and not of every run
        assert not EXPERIMENT.claims[claim].finding([bad, bad], {}).holds


@pytest.mark.slow
def test_a_short_run_is_whole_and_can_be_drawn(tmp_path: Path):
    measured = EXPERIMENT.measure(Run(0, True, tmp_path))
    check_measured(measured)
    assert set(NUMBERS) <= set(measured.numbers)
    result = conclude(EXPERIMENT, [record_of(0, 1.0, measured, "a machine")], {}, quick=True)
    for drawing in EXPERIMENT.drawings:
        assert drawing.draw(result, {}).axes
