"""Names in English and Chinese from the files of iso-codes, and verses of two Bibles side by side."""

import json
import struct

import pytest

from firsthand.data import DataError, bibles
from firsthand.data.names import chinese_names


def catalogue(path, messages):
    """A .mo file of these messages: GNU gettext's format, without a hash table."""
    entries = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    ids, texts = ([each[side].encode() + b"\0" for each in entries] for side in (0, 1))
    start = 28 + 16 * len(entries)
    table, place = b"", start
    for strings in (ids, texts):
        for string in strings:
            table += struct.pack("<II", len(string) - 1, place)
            place += len(string)
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, start)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + table + b"".join((*ids, *texts)))


def test_names_are_those_that_have_a_chinese_one(tmp_path):
    entries = [{"name": "China", "official_name": "People's Republic of China"}, {"name": "Nowhere"}]
    (tmp_path / "iso_3166-1.json").write_text(json.dumps({"3166-1": entries}))
    place = tmp_path / "locales" / "zh_CN" / "LC_MESSAGES" / "iso_3166-1.mo"
    catalogue(place, {"China": "中国", "People's Republic of China": "中华人民共和国"})
    found = chinese_names(tmp_path, tmp_path / "locales")
    assert found == (("China", "中国"), ("People's Republic of China", "中华人民共和国"))


def test_names_that_are_not_there_name_their_package(tmp_path):
    with pytest.raises(DataError, match="comes with Debian's package iso-codes"):
        chinese_names(tmp_path / "none")
    with pytest.raises(DataError, match="no Chinese names found"):
        chinese_names(tmp_path)
    (tmp_path / "iso_3166-1.json").write_text("no list")
    catalogue(tmp_path / "zh_CN" / "LC_MESSAGES" / "iso_3166_1.mo", {"a": "甲"})
    with pytest.raises(DataError, match="not a list of iso-codes"):
        chinese_names(tmp_path, tmp_path)


def test_verses_stand_side_by_side_where_both_have_one(monkeypatch):
    verses = {"king-james": ["one", "", "three"], "spanish": ["uno", "dos", "tres"]}
    monkeypatch.setattr(bibles, "_all_verses", lambda name, folder: verses[name])
    assert bibles.aligned_verses() == (("one", "uno"), ("three", "tres"))
    assert bibles.bible("king-james") == ("one", "three")
    verses["spanish"].pop()
    with pytest.raises(DataError, match="3 and 2 verses found"):
        bibles.aligned_verses()
