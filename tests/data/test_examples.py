"""Examples of every kind: arrays, vectors with labels, sequences; their slices, splits and digests."""

import numpy as np
import pytest

from firsthand.data import Arrays, DataError, Dataset, Sequences, Vectors, text_splits

pytestmark = pytest.mark.tiny
TEXT = "to be or not to be"


VALUES = np.arange(12, dtype=np.float32).reshape(6, 2)
LABELS = np.array([0, 1, 2, 0, 1, 2])
NAMES = ("a", "b", "c")
KINDS = [
    Arrays((VALUES, LABELS)),
    Vectors(VALUES, LABELS, NAMES),
    Dataset(np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1), LABELS, NAMES),
    Sequences(np.arange(12).reshape(6, 2) % 3, np.arange(12).reshape(6, 2) % 3, NAMES),
]


@pytest.mark.parametrize("examples", KINDS, ids=lambda e: type(e).__name__)
def test_slices_are_of_the_same_kind(examples):
    part = examples[[4, 1]]
    assert type(part) is type(examples)
    assert len(part) == 2
    for whole, piece in zip(examples.arrays, part.arrays, strict=True):
        assert np.array_equal(piece, whole[[4, 1]])
        assert not piece.flags.writeable
    assert part.example_shape == examples.example_shape == examples.arrays[0].shape[1:]
    with pytest.raises(IndexError, match="an integer, a slice, or a 1-D array"):
        examples[0, 1]


@pytest.mark.parametrize("examples", KINDS, ids=lambda e: type(e).__name__)
def test_a_split_holds_every_example_once(examples):
    first, second = examples.split(4, 2, seed=3)
    assert (len(first), len(second)) == (4, 2)
    rows = np.concatenate([first.arrays[0], second.arrays[0]]).reshape(6, -1)
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, examples.arrays[0].reshape(6, -1).tolist()))
    with pytest.raises(DataError, match="sizes that sum to 6"):
        examples.split(4, 3, seed=3)


@pytest.mark.parametrize("examples", KINDS, ids=lambda e: type(e).__name__)
def test_the_digest_is_of_the_content(examples):
    same = examples.with_arrays(*(array.copy() for array in examples.arrays))
    assert same.digest == examples.digest
    assert examples[::-1].digest != examples.digest


def test_arrays_have_one_length():
    with pytest.raises(DataError, match=r"lengths \[2, 3\] found"):
        Arrays((np.zeros((2, 1)), np.zeros(3)))
    with pytest.raises(DataError, match="at least one example"):
        Arrays(())


def test_vectors_are_finite_and_labelled():
    with pytest.raises(DataError, match="finite numbers expected"):
        Vectors(np.array([[np.nan]]), np.array([0]), ("a",))
    with pytest.raises(DataError, match="2 found at index 0"):
        Vectors(np.zeros((1, 3)), np.array([2]), ("a", "b"))
    with pytest.raises(DataError, match="int64 of shape"):
        Vectors(np.zeros((1, 3), np.int64), np.array([0]), ("a", "b"))


def test_every_symbol_is_followed_by_the_next():
    found = Sequences.of_text(TEXT, 5)
    assert found.symbols == tuple(" benort")
    text = "".join(found.symbols[number] for number in found.inputs.ravel())
    following = "".join(found.symbols[number] for number in found.targets.ravel())
    assert text == TEXT[:15]
    assert following == TEXT[1:16]


def test_what_is_no_text_is_refused():
    with pytest.raises(DataError, match="'z' found at position 2"):
        Sequences.of_text("tozbe", 2, tuple("tobe"))
    with pytest.raises(DataError, match="18 characters found, at least 101 expected"):
        Sequences.of_text(TEXT, 100)
    with pytest.raises(DataError, match="3 found, 0 to 2 expected"):
        Sequences(np.array([[3]]), np.array([[0]]), ("a", "b", "c"))


def test_the_parts_of_a_text_follow_each_other():
    splits = text_splits("abcdefghij" * 20, 9)
    assert [len(part) for part in splits] == [19, 1, 1]
    assert splits.train.symbols == splits.test.symbols
    assert splits.validation.inputs[0, 0] == 180 % 10
