"""Routes: a memory network that answers a question about a story, and at which sentences it looks for that."""

import re
from functools import cache
from typing import Annotated, Any

import jax
import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from firsthand import nn
from firsthand.data import Questions
from firsthand.data.tasks import STORY_ANSWERS, STORY_SYMBOLS, STORY_WORDS, stories
from firsthand.errors import FirsthandError
from firsthand.models import Model
from firsthand.zoo.box import boxed_story_reader

from .lab import REFUSALS, TheLab, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api/story", responses=REFUSALS)

WORDS = STORY_SYMBOLS[1:]  # the first is no word
MAX_SENTENCE = 120  # characters

Sentence = Annotated[str, Field(max_length=MAX_SENTENCE)]


class Asked(BaseModel):
    """A story, and a question about it."""

    model_config = ConfigDict(extra="forbid")

    sentences: Annotated[list[Sentence], Field(max_length=100, description="Empty ones are left out.")]
    question: Sentence


class Kind(BaseModel):
    """A kind of story, by its number in Weston et al. 2015."""

    number: int
    right: float  # share of the test questions


class ReaderAbout(BaseModel):
    """The words of the network, and its share of right answers."""

    kinds: list[Kind]
    words: list[str]
    hops: int
    sentences: int  # of a story, at most
    length: int  # words of a sentence, at most
    parameters: int
    tested_on: str


class Example(BaseModel):
    """A story with a question and the right answer."""

    sentences: list[str]
    question: str
    answer: str
    support: list[int]  # numbers of the sentences that the answer follows from


class Answered(BaseModel):
    """The answer of the network, and the sentences at which it has looked."""

    sentences: list[str]  # as they were read
    question: str
    answers: list[tuple[str, float]]  # all that there are, likeliest first
    looks: list[list[float]]  # of each hop, the weights of the sentences


@router.get("")
def about() -> ReaderAbout:
    """The words of the network, and its share of right answers to held-out questions."""
    model, layer = boxed_story_reader(), _layer(boxed_story_reader())
    found: Any = model.provenance
    return ReaderAbout(
        kinds=[Kind(number=int(number), right=scores["right"]) for number, scores in found["scores"].items()],
        words=list(WORDS),
        hops=layer.hops,
        sentences=layer.sentences,
        length=layer.words,
        parameters=model.parameter_count,
        tested_on=found["tested_on"],
    )


@router.get("/example/{kind}")
def example(kind: int, seed: Annotated[int, Field(ge=0, lt=2**32)]) -> Example:
    """A story at random that was held out from training."""
    return Example(**stories(kind, 1, "test", seed=seed)[0]._asdict())


@router.post("")
async def ask(asked: Asked, lab: TheLab) -> Answered:
    """Read a story and answer the question."""
    return await lab.compute(_answered, asked)


def _answered(asked: Asked) -> Answered:
    model, layer = boxed_story_reader(), _layer(boxed_story_reader())
    told = [words for sentence in asked.sentences if (words := _words(sentence))]
    question = _words(asked.question)
    if not 1 <= len(told) <= layer.sentences:
        raise FirsthandError(f"story: {len(told)} sentences found, 1 to {layer.sentences} expected")
    if not question:
        raise FirsthandError("question: nothing found, one such as “where is anna” expected")
    for number, words in enumerate(told, 1):
        _check(words, f"sentence {number}")
    _check(question, "question")
    sentences, line = [" ".join(words) for words in told], " ".join(question)
    triple = sentences, line, STORY_ANSWERS[0]  # an answer has to be there, and is not looked at
    inputs = Questions.of_stories([triple], layer.sentences, STORY_WORDS, STORY_ANSWERS, STORY_SYMBOLS).inputs
    p, looks = model.probabilities(inputs)[0], np.asarray(_looks()(model.params[0], inputs))[0]
    return Answered(
        sentences=sentences,
        question=line,
        answers=[(model.classes[n], round(float(p[n]), 5)) for n in np.argsort(-p, kind="stable")],
        looks=rounded(looks[:, -len(sentences) :], 4),
    )


def _words(sentence: str) -> list[str]:
    """The words of what somebody writes: Anna went to the kitchen. has five."""
    return re.sub(r"[.,;:!?。，？！]", " ", sentence.lower()).split()


def _check(words: list[str], where: str) -> None:
    if len(words) > STORY_WORDS:
        raise FirsthandError(f"{where}: {len(words)} words found, {STORY_WORDS} at most expected")
    unknown = next((word for word in words if word not in WORDS), None)
    if unknown is not None:
        raise FirsthandError(f"{where}: {unknown!r} found, expected one of the words {', '.join(WORDS)}")


@cache
def _looks():
    return jax.jit(_layer(boxed_story_reader()).looks)


def _layer(model: Model) -> nn.MemoryNetwork:
    layer = model.network.layers[0]
    assert isinstance(layer, nn.MemoryNetwork)
    return layer
