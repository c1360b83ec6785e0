"""Routes: a neural Turing machine that says a sequence again, and what its heads and its memory do meanwhile."""

from functools import cache
from typing import Annotated, Any

import jax
import numpy as np
from fastapi import APIRouter
from jax import Array
from pydantic import BaseModel, ConfigDict, Field

from firsthand import nn
from firsthand.data.tasks import BITS
from firsthand.models import Regressor
from firsthand.nn import Network
from firsthand.nn.layers.memory import Heads
from firsthand.studies.neural_turing import busiest
from firsthand.zoo.box import boxed_copier

from .lab import REFUSALS, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api/memory", responses=REFUSALS)

LONGEST = 140  # vectors: more than the memory has slots, so that one can see what comes of it
STEPS = 2 * LONGEST + 1  # of every sequence: one program serves all lengths
FEWEST, ROOM = 16, 8  # slots that are shown: at least, and besides those that are written to

Vector = Annotated[str, Field(pattern=rf"^[01]{{{BITS}}}$", description="Bits, such as 10110010.")]


class Sequence(BaseModel):
    """The sequence to copy."""

    model_config = ConfigDict(extra="forbid")

    vectors: Annotated[list[Vector], Field(min_length=1, max_length=LONGEST)]


class Scores(BaseModel):
    """The quality of copies of one length."""

    length: int
    wrong: float  # share of the bits
    whole: float  # share of the sequences of which no bit is wrong


class MachineAbout(BaseModel):
    """The machine, and the quality of its copies."""

    slots: int
    width: int  # numbers in a slot
    bits: int  # of a vector
    trained: list[int]  # the shortest and the longest sequence that it was trained on
    longest: int  # sequence that may be asked for
    parameters: int
    tested_on: str
    scores: list[Scores]


class Copied(BaseModel):
    """The answer of the machine, and each step towards it.

    Step by step: the vectors are given, then a mark, then as many steps in which they are to be said.
    """

    said: list[list[float]]  # of every vector, the probability that a bit is 1
    wrong: int  # bits
    slots: list[int]  # those that are shown: neighbours, round about
    reading: str  # bytes in base64, (steps, slots): where the reading head looks; 255 is all of its weight
    writing: str  # of the writing head
    memory: str  # bytes in base64, (steps, slots, width), after every step: 128 is 0, 1 and 255 are -/+ largest
    largest: float


@router.get("")
def about() -> MachineAbout:
    """The machine, and the quality of its copies of held-out sequences."""
    model, machine = boxed_copier(), _machine(boxed_copier())
    found: Any = model.provenance
    return MachineAbout(
        slots=machine.slots,
        width=machine.width,
        bits=BITS,
        trained=found["lengths"],
        longest=LONGEST,
        parameters=model.parameter_count,
        tested_on=found["tested_on"],
        scores=[Scores(length=int(length), **scores) for length, scores in found["scores"].items()],
    )


@router.post("")
async def copy(sequence: Sequence, lab: TheLab) -> Copied:
    """Give the machine a sequence, and have it said again."""
    return await lab.compute(_copied, sequence.vectors)


def _copied(vectors: list[str]) -> Copied:
    model, length = boxed_copier(), len(vectors)
    bits = np.array([list(vector) for vector in vectors], np.float32)  # (length, bits)
    x = np.zeros((1, STEPS, BITS + 1), np.float32)
    x[0, :length, :BITS], x[0, length, BITS] = bits, 1
    heads, outputs = _program()(model.params, x)
    steps = 2 * length + 1
    said = np.asarray(outputs)[0, length + 1 : steps]  # (length, bits)
    weightings, memory = (np.asarray(each)[0, :steps] for each in (heads.weightings, heads.memory))
    slots = busiest(weightings, max(FEWEST, length + ROOM))
    shown = memory[:, :, slots].transpose(0, 2, 1)  # (steps, slots, width)
    largest = float(np.abs(shown).max())
    reading, writing = np.rint(255 * weightings[..., slots]).astype(np.uint8).transpose(1, 0, 2)
    return Copied(
        said=rounded(said, 4),
        wrong=int(np.sum((said > 0.5) != (bits > 0.5))),
        slots=slots.tolist(),
        reading=base64_of(reading),
        writing=base64_of(writing),
        memory=base64_of(np.rint(128 + 127 * shown / largest).astype(np.uint8)),
        largest=largest,
    )


@cache
def _program():
    model = boxed_copier()
    machine, network = _machine(model), Network(model.network.layers, (STEPS, BITS + 1))

    def run(params: Any, x: Array) -> tuple[Heads, Array]:
        return machine.watch(params[0], x), network.apply(params, x)

    return jax.jit(run)


def _machine(model: Regressor) -> nn.NeuralTuringMachine:
    machine = model.network.layers[0]
    assert isinstance(machine, nn.NeuralTuringMachine)
    return machine
