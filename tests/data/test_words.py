"""Words and their neighbours, and Bibles in zText files."""

import struct
import zlib

import numpy as np
import pytest

from firsthand.data import DataError, WordPairs, WordText, bible, bibles, word_pairs

SENTENCES = ["The cat sat on the mat.", "The dog sat on the cat's mat!", "A rare word"]


def test_words_are_numbered_by_how_often_they_come():
    text = WordText.of(SENTENCES, at_least=2)
    assert text.words == ("the", "mat", "on", "sat")
    assert text.counts.tolist() == [4, 2, 2, 2]
    assert [text.words[n] for n in text.sentences[0]] == ["the", "sat", "on", "the", "mat"]
    with pytest.raises(DataError, match="0 words found that come 9 times"):
        WordText.of(SENTENCES, at_least=9)


def test_neighbours_stand_in_the_window_of_their_sentence():
    text = WordText.of(["a b c d", "e f"], at_least=1)
    found = word_pairs(text, 4000, window=2, keep=10.0, seed=0)
    pairs = {(text.words[c], text.words[n]) for c, n in zip(found.centres[:, 0], found.neighbours, strict=True)}
    near = {("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d"), ("e", "f")}
    assert pairs <= near | {(b, a) for a, b in near}
    assert {("e", "f"), ("f", "e")} <= pairs


def test_noise_is_drawn_by_the_three_quarters_power():
    text = WordText.of(["a a a a a a a a b"] * 4, at_least=1)
    noise = word_pairs(text, 4000, keep=10.0, seed=1).noise
    share = 8**0.75 / (8**0.75 + 1)
    assert np.mean(noise == text.words.index("a")) == pytest.approx(share, abs=0.01)


def test_frequent_words_are_left_out_at_times():
    text = WordText.of(["a b c a d e a f g a"] * 20, at_least=1)
    centres = {keep: word_pairs(text, 3000, keep=keep, seed=2).centres for keep in (10.0, 1e-2)}
    shares = [np.mean(found == text.words.index("a")) for found in centres.values()]
    assert shares[1] < shares[0]


def test_pairs_that_are_none_are_refused():
    with pytest.raises(DataError, match="no two words"):
        word_pairs(WordText.of(["a", "b"], at_least=1), 5, seed=0)
    with pytest.raises(DataError, match="no word's, 0 to 1 expected"):
        WordPairs(np.array([[2]]), np.array([0]), np.array([[0]]), ("a", "b"))
    with pytest.raises(DataError, match=r"neighbours: int64 of shape \(2,\) found"):
        WordPairs(np.array([[1]]), np.array([0, 1]), np.array([[0]]), ("a", "b"))


def written(folder, verses):
    """A module of two blocks in each testament."""
    for testament in ("ot", "nt"):
        packed, blocks, index = b"", b"", b""
        for number, part in enumerate((verses[:1], verses[1:])):
            block, place = b"", 0
            for verse in part:
                index += struct.pack("<IIH", number, place, len(verse.encode()))
                block += verse.encode()
                place = len(block)
            blocks += struct.pack("<III", len(packed), len(zlib.compress(block)), len(block))
            packed += zlib.compress(block)
        for suffix, content in (("bzz", packed), ("bzs", blocks), ("bzv", index)):
            (folder / f"{testament}.{suffix}").write_bytes(content)


def test_a_bible_is_read_without_its_markup(tmp_path):
    written(
        tmp_path, ['<title>Book</title>In the <w lemma="x">beginning</w>.', "<div/>", "Und es ward &amp; Licht,  ja"]
    )
    assert bible(folder=tmp_path) == ("In the beginning.", "Und es ward & Licht, ja") * 2


def test_a_damaged_bible_is_one_line(tmp_path):
    written(tmp_path, ["one", "two"])
    (tmp_path / "ot.bzz").write_bytes(b"nothing packed")
    with pytest.raises(DataError, match="not a Bible in zText files"):
        bible(folder=tmp_path)


def test_a_bible_that_is_not_there_names_its_package(monkeypatch, tmp_path):
    monkeypatch.setattr(bibles, "_FOLDER", tmp_path)
    with pytest.raises(DataError, match="comes with Debian's package sword-text-kjv"):
        bible()
    with pytest.raises(DataError, match="'vulgate' found, one of king-james, spanish"):
        bible("vulgate")
