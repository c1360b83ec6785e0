"""Little stories with questions, made by program, of five of the kinds that Weston et al. 2015 ask for.

The words and the program are our own: none of the data that were released with the paper are used, and nothing that is
measured here can be compared with what is published of those.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..examples import DataError
from ..questions import Questions
from .held_out import Part, part_of

__all__ = ["STORY_ANSWERS", "STORY_KINDS", "STORY_LENGTHS", "STORY_SYMBOLS", "STORY_WORDS", "Story", "stories", "told"]

PEOPLE = ("anna", "ben", "carla", "david")
PLACES = ("kitchen", "garden", "office", "attic", "cellar", "hall")
THINGS = ("ball", "book", "lamp")
MOVES = ("went to", "walked to", "moved to")
KINDS_OF_ANIMALS = {"mouse": "mice", "cat": "cats", "wolf": "wolves", "sheep": "sheep"}
NAMES = ("emily", "felix", "greta", "hugo")
STORY_KINDS = (1, 2, 3, 6, 15)
STORY_LENGTHS = {1: 10, 2: 14, 3: 20, 6: 10, 15: 8}  # sentences at most
STORY_WORDS = 8
STORY_ANSWERS = (*PLACES, "yes", "no", *KINDS_OF_ANIMALS)
_ALL = (
    *(*PEOPLE, *NAMES, *PLACES, *THINGS, *KINDS_OF_ANIMALS, *KINDS_OF_ANIMALS.values()),
    *("went", "walked", "moved", "to", "the", "took", "dropped", "is", "was", "in", "a", "are", "afraid", "of"),
    *("where", "what", "before"),
)
STORY_SYMBOLS = ("", *dict.fromkeys(_ALL))

Random = np.random.Generator


class Story(NamedTuple):
    """A story with a question.

    Args:
        sentences: words parted by spaces.
        question, answer: of one word.
        support: numbers of the sentences that the answer follows from, in the order in which one finds them.
    """

    sentences: tuple[str, ...]
    question: str
    answer: str
    support: tuple[int, ...]


def stories(kind: int, count: int, part: Part = "training", *, seed: int | Sequence[int]) -> list[Story]:
    """Make stories of one kind.

        1    where somebody is: one fact
        2    where a thing is: who has taken it last, and where that one went last
        3    where a thing was before it was somewhere: three facts in their order
        6    yes or no: is somebody somewhere
        15   deduction: who is afraid of whom, if this one is a mouse and mice are afraid of cats

    Args:
        kind: one of `STORY_KINDS`, the numbers of Weston et al.
        count: number of stories.
        part: of the data; a story with its question belongs to one part, see `part_of`.
        seed: of all randomness; the same gives the same stories.
    Raises:
        DataError: another kind.
    References:
        Weston et al. 2015, 'Towards AI-Complete Question Answering: A Set of Prerequisite Toy Tasks', section 4.

    Examples:
        >>> story = stories(1, 1, seed=3)[0]
        >>> story.sentences[story.support[0]], story.question, story.answer
        ('anna walked to the office', 'where is anna', 'office')
    """
    if kind not in STORY_KINDS:
        raise DataError(f"stories: kind {kind} found, one of {', '.join(map(str, STORY_KINDS))} expected")
    random, found = np.random.default_rng(seed), []
    while len(found) < count:
        story = _MAKERS[kind](random)
        if story is not None and part_of(" ".join((*story.sentences, story.question))) == part:
            found.append(story)
    return found


def told(made: Sequence[Story], kind: int) -> Questions:
    """Stories of a kind as examples, in as many sentences as the longest may have."""
    triples = [(story.sentences, story.question, story.answer) for story in made]
    return Questions.of_stories(triples, STORY_LENGTHS[kind], STORY_WORDS, STORY_ANSWERS, STORY_SYMBOLS)


def _one_of(things: Sequence[str], random: Random) -> str:
    return things[int(random.integers(len(things)))]


class _World:
    """People who walk about and carry things; remembers which sentence said what."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sentences: list[str] = []
        self.place: dict[str, tuple[str, int]] = {}  # of a person, and the sentence that said so
        self.holder: dict[str, tuple[str, int]] = {}  # of a thing that has been taken
        # of a thing: its places in time, each with the sentences it follows from: where, who had it, since when
        self.track: dict[str, list[tuple[str, tuple[int, ...]]]] = {thing: [] for thing in THINGS}

    def move(self) -> None:
        who = _one_of(PEOPLE, self.random)
        now = self.place.get(who, ("", 0))[0]
        where = _one_of([place for place in PLACES if place != now], self.random)
        at = self.say(f"{who} {_one_of(MOVES, self.random)} the {where}")
        self.place[who] = where, at
        for thing, (holder, taken) in self.holder.items():
            if holder == who:
                self.track[thing].append((where, (taken, at)))

    def take(self) -> None:
        free = [thing for thing in THINGS if thing not in self.holder]
        able = [who for who in PEOPLE if who in self.place]
        if not free or not able:
            self.move()
            return
        who, thing = _one_of(able, self.random), _one_of(free, self.random)
        where, since = self.place[who]
        if self.track[thing] and self.track[thing][-1][0] != where:
            self.move()  # it lies elsewhere
            return
        at = self.say(f"{who} took the {thing}")
        self.holder[thing] = who, at
        self.track[thing].append((where, (at, since)))

    def drop(self) -> None:
        if not self.holder:
            self.take()
            return
        thing = _one_of(sorted(self.holder), self.random)
        self.say(f"{self.holder.pop(thing)[0]} dropped the {thing}")

    def say(self, sentence: str) -> int:
        self.sentences.append(sentence)
        return len(self.sentences) - 1

    def go_on(self, length: int) -> None:
        while len(self.sentences) < length:
            chosen = self.random.random()
            (self.move if chosen < 0.55 else self.take if chosen < 0.85 else self.drop)()


def _one_fact(random: Random) -> Story:
    world = _World(random)
    for _ in range(int(random.integers(2, STORY_LENGTHS[1] + 1))):
        world.move()
    who = _one_of(sorted(world.place), random)
    where, at = world.place[who]
    return Story(tuple(world.sentences), f"where is {who}", where, (at,))


def _yes_or_no(random: Random) -> Story:
    story = _one_fact(random)
    asked = story.answer if random.random() < 0.5 else _one_of([p for p in PLACES if p != story.answer], random)
    who = story.question.split()[-1]
    return story._replace(question=f"is {who} in the {asked}", answer="yes" if asked == story.answer else "no")


def _two_facts(random: Random) -> Story | None:
    world = _World(random)
    world.go_on(int(random.integers(3, STORY_LENGTHS[2] + 1)))
    known = [thing for thing in THINGS if world.track[thing]]
    if not known:
        return None
    thing = _one_of(known, random)
    where, support = world.track[thing][-1]
    return Story(tuple(world.sentences), f"where is the {thing}", where, support)


def _three_facts(random: Random) -> Story | None:
    world = _World(random)
    world.go_on(int(random.integers(6, STORY_LENGTHS[3] + 1)))
    known = [thing for thing in THINGS if len(_changes(world.track[thing])) > 1]
    if not known:
        return None
    thing = _one_of(known, random)
    (before, first), (now, second) = _changes(world.track[thing])[-2:]
    if now in [place for place, _ in _changes(world.track[thing])[:-2]]:
        return None  # it had been there twice: the question would not say which time
    question = f"where was the {thing} before the {now}"
    return Story(tuple(world.sentences), question, before, tuple(dict.fromkeys((*second, *first))))


def _changes(track: list[tuple[str, tuple[int, ...]]]) -> list[tuple[str, tuple[int, ...]]]:
    """The places of a thing without those that repeat the one before, the latest sentences kept."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for place, support in track:
        if found and found[-1][0] == place:
            continue
        found.append((place, support))
    return found


def _deduction(random: Random) -> Story:
    animals = list(KINDS_OF_ANIMALS)
    feared = {animal: _one_of([other for other in animals if other != animal], random) for animal in animals}
    is_a = {name: _one_of(animals, random) for name in NAMES}
    facts = [f"{KINDS_OF_ANIMALS[animal]} are afraid of {KINDS_OF_ANIMALS[other]}" for animal, other in feared.items()]
    facts += [f"{name} is a {animal}" for name, animal in is_a.items()]
    order = random.permutation(len(facts))
    sentences = [facts[i] for i in order]
    name = _one_of(NAMES, random)
    animal = is_a[name]
    support = [f"{name} is a {animal}", facts[animals.index(animal)]]
    return Story(
        tuple(sentences),
        f"what is {name} afraid of",
        feared[animal],
        tuple(sentences.index(sentence) for sentence in support),
    )


_MAKERS: dict[int, Callable[[Random], Story | None]] = {
    1: _one_fact,
    2: _two_facts,
    3: _three_facts,
    6: _yes_or_no,
    15: _deduction,
}
