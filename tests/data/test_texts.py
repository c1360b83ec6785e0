"""The plays in the box, and texts of one's own."""

import gzip

import pytest

from firsthand.data import DataError, load_text, shakespeare, shakespeare_text
from firsthand.data.texts import PLAYS, parts_of, read_plays


def test_the_plays_come_in_three_parts_without_a_line_of_the_lawyers():
    parts = shakespeare_text()
    assert [len(part) for part in parts] == [933_168, 51_992, 50_643]
    whole = "".join(parts)
    assert "gutenberg" not in whole.lower()
    assert "To be, or not to be,--that is the question:--" in parts.train
    assert set(parts.validation) | set(parts.test) <= set(parts.train)


def test_no_part_has_a_piece_of_another():
    plays = read_plays(PLAYS)
    assert len(plays) == 8
    for play in plays:
        pieces = parts_of([play])
        assert "\n\n".join(piece.rstrip("\n") for piece in pieces) + "\n" == play
        assert len(pieces.train) / len(play) == pytest.approx(0.9, abs=0.03)


def test_the_plays_as_sequences():
    splits = shakespeare(64)
    assert splits.train.inputs.shape == (14_580, 64)
    assert len(splits.train.symbols) == 76
    assert splits.test is not None
    assert splits.test.symbols == splits.train.symbols
    text = "".join(splits.train.symbols[number] for number in splits.train.inputs[0])
    assert shakespeare_text().train.startswith(text)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_box_is_refused(tmp_path, damage):
    path = tmp_path / "plays.txt.gz"
    if damage == "cut":
        path.write_bytes(PLAYS.read_bytes()[:1000])
    elif damage == "changed":
        path.write_bytes(gzip.compress(b"To be or not to be"))
    with pytest.raises(DataError, match="reinstall firsthand"):
        read_plays(path)


def test_a_text_of_ones_own_is_read_as_it_is_meant(tmp_path):
    path = tmp_path / "own.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "天地玄黃\r\n宇宙洪荒\r".encode())
    assert load_text(path) == "天地玄黃\n宇宙洪荒\n"
    path.write_bytes(b"\xef\xbb\xbfab\xff")
    with pytest.raises(DataError, match="byte 0xff found at byte 5"):
        load_text(path)
