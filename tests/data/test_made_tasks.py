"""Tasks by rule for machines that remember: what is right, checked by other means, and what is held out."""

import re
from datetime import date

import numpy as np
import pytest

from firsthand.data import DataError, Questions
from firsthand.data.tasks import (
    PARTS,
    STORY_ANSWERS,
    STORY_KINDS,
    STORY_SYMBOLS,
    copy_task,
    date_pairs,
    recall_task,
    repeat_task,
    sort_task,
    stories,
    told,
    written_dates,
)


def test_copies_follow_a_mark():
    x, y, asked = copy_task(50, (1, 6), seed=3).arrays
    assert x.shape == (50, 13, 9)
    for given, wanted, where in zip(x, y, asked, strict=True):
        [mark] = np.flatnonzero(given[:, 8])
        np.testing.assert_array_equal(np.flatnonzero(where), np.arange(mark + 1, 2 * mark + 1))
        np.testing.assert_array_equal(wanted[where], given[:mark, :8])
        assert not given[mark:, :8].any()


def test_repeats_are_as_many_as_the_number_says_and_then_an_end():
    x, y, asked = repeat_task(50, (1, 4), (1, 3), seed=3).arrays
    assert (x.shape, y.shape) == ((50, 18, 10), (50, 18, 9))
    seen = set()
    for given, wanted, where in zip(x, y, asked, strict=True):
        [mark] = np.flatnonzero(given[:, 8])
        [number] = np.flatnonzero(given[:, 9])
        times = round(10 * given[mark, 9])
        assert mark == number
        assert not given[mark:, :8].any()
        assert wanted[where].tolist() == [*[[*row, 0] for row in given[:mark, :8].tolist()] * times, [0] * 8 + [1]]
        np.testing.assert_array_equal(np.flatnonzero(where), np.arange(mark + 1, mark * (times + 1) + 2))
        seen.add((mark, times))
    assert len(seen) == 12


def test_the_item_behind_the_one_that_is_asked_for_is_recalled():
    x, y, asked = recall_task(50, (2, 4), seed=3).arrays
    for given, wanted, where in zip(x, y, asked, strict=True):
        starts = np.flatnonzero(given[:, 6])
        items = [given[at + 1 : at + 4, :6] for at in starts]
        first, last = np.flatnonzero(given[:, 7])
        query = given[first + 1 : last, :6]
        [at] = [n for n, item in enumerate(items) if np.array_equal(item, query)][:1]
        np.testing.assert_array_equal(wanted[where], items[at + 1])
        assert np.flatnonzero(where)[0] == last + 1


def test_the_highest_priorities_come_first():
    x, y, asked = sort_task(30, 6, 4, seed=3).arrays
    for given, wanted, where in zip(x, y, asked, strict=True):
        order = sorted(range(6), key=lambda i: -given[i, 8])
        np.testing.assert_array_equal(wanted[where], given[order[:4], :8])


@pytest.mark.parametrize(
    "made",
    [
        lambda part, seed: [
            row[row[:, 8].argmax() :: -1].tobytes() for row in copy_task(150, (1, 2), part, seed=seed).arrays[0]
        ],
        lambda part, seed: [written for _, written in date_pairs(3000, part, seed=seed)],
        lambda part, seed: [(s.sentences, s.question) for s in stories(1, 400, part, seed=seed)],
    ],
    ids=["copy", "dates", "stories"],
)
def test_what_is_held_out_is_never_trained_on(made):
    seen = {part: set(made(part, seed)) for seed, part in enumerate(PARTS)}
    assert not seen["training"] & (seen["validation"] | seen["test"])
    assert not seen["validation"] & seen["test"]


def test_the_same_seed_gives_the_same():
    for make in (
        lambda seed: copy_task(5, (1, 9), seed=seed).digest,
        lambda seed: written_dates(5, seed=seed).digest,
        lambda seed: told(stories(3, 5, seed=seed), 3).digest,
    ):
        assert make(1) == make(1) != make(2)


def test_dates_are_read_back_by_their_numbers():
    names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    for given, written in date_pairs(300, seed=2):
        day = date.fromisoformat(written)
        numbers = [int(n) for n in re.findall(r"\d+", given)]
        assert {day.year, day.day} <= set(numbers)
        assert day.month in numbers or names[day.month - 1] in given
        if "," in given and given[0].isalpha() and "day" in given:
            assert given.startswith(day.strftime("%A").lower())


# --- stories, told again by another reader ---


def retold(story):
    """The answer by going through the sentences once, with the places of people and things."""
    place, holder, track = {}, {}, {}
    for sentence in story.sentences:
        words = sentence.split()
        if words[1] in ("went", "walked", "moved"):
            place[words[0]] = words[-1]
            for thing, who in holder.items():
                if who == words[0]:
                    track.setdefault(thing, []).append(words[-1])
        elif words[1] == "took":
            holder[words[-1]] = words[0]
            track.setdefault(words[-1], []).append(place.get(words[0]))
        elif words[1] == "dropped":
            assert holder.pop(words[-1]) == words[0]
    asked = story.question.split()
    if asked[0] == "is":
        return "yes" if place[asked[1]] == asked[-1] else "no"
    if "before" in asked:
        places = [p for i, p in enumerate(track[asked[3]]) if i == 0 or p != track[asked[3]][i - 1]]
        assert places.count(asked[-1]) == 1
        return places[places.index(asked[-1]) - 1]
    return track[asked[-1]][-1] if asked[2] == "the" else place[asked[-1]]


@pytest.mark.parametrize("kind", [1, 2, 3, 6])
def test_answers_follow_from_the_stories(kind):
    for story in stories(kind, 200, seed=4):
        assert retold(story) == story.answer


@pytest.mark.parametrize("kind", [1, 2, 6])
def test_the_support_alone_gives_the_answer(kind):
    for story in stories(kind, 100, seed=4):
        alone = story._replace(sentences=tuple(story.sentences[i] for i in sorted(story.support)))
        assert retold(alone) == story.answer


def test_deductions_follow_from_their_two_facts():
    for story in stories(15, 100, seed=4):
        what, fact = (story.sentences[i].split() for i in story.support)
        assert what[0] == story.question.split()[2]
        assert told([story], 15).classes[told([story], 15).labels[0]] == story.answer
        singular = {"mice": "mouse", "cats": "cat", "wolves": "wolf", "sheep": "sheep"}
        assert singular[fact[0]] == what[-1]
        assert singular[fact[-1]] == story.answer


def test_stories_are_laid_out_with_the_question_last():
    made = stories(1, 3, seed=1)
    rows = told(made, 1).inputs.reshape(3, 11, 8)
    for row, story in zip(rows, made, strict=True):
        lines = [" ".join(STORY_SYMBOLS[n] for n in line if n) for line in row]
        assert lines[-1] == story.question
        assert lines[-1 - len(story.sentences) : -1] == list(story.sentences)
        assert not any(lines[: -1 - len(story.sentences)])
    assert set(STORY_KINDS) == {1, 2, 3, 6, 15}
    assert told(made, 1)[:2].classes == STORY_ANSWERS


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: copy_task(1, (0, 3), seed=0), "lengths 0 to 3 in 7 steps found"),
        (lambda: copy_task(1, (1, 3), seed=0, steps=5), "in 5 steps found"),
        (lambda: repeat_task(1, (1, 3), (0, 2), seed=0), "lengths 1 to 3, 0 to 2 times in 11 steps found"),
        (lambda: repeat_task(1, (1, 3), (1, 2), seed=0, steps=10), "in 10 steps found, 1 or more in 11 expected"),
        (lambda: recall_task(1, (1, 3), seed=0), "1 to 3 items in 20 steps found"),
        (lambda: sort_task(1, 3, 4, seed=0), "4 wanted of 3 found"),
        (lambda: stories(4, 1, seed=0), "kind 4 found, one of 1, 2, 3, 6, 15"),
        (lambda: Questions.of_stories([(["a"] * 3, "a", "yes")], 2, 3, ("yes",), ("", "a")), "3 sentences"),
        (lambda: Questions.of_stories([(["a a"], "a", "yes")], 2, 1, ("yes",), ("", "a")), "1 words at most"),
        (lambda: Questions.of_stories([], 2, 1, ("yes",), ("", "a")), "none found"),
    ],
)
def test_tasks_that_cannot_be_made_are_one_line(made, message):
    with pytest.raises(DataError, match=message):
        made()
