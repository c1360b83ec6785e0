"""Routes: games, played by the bundled policies and by whoever takes over."""

from functools import cache
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from fastapi import APIRouter
from jax import Array, lax
from pydantic import BaseModel, ConfigDict, Field

from firsthand.environments import Environment
from firsthand.environments.playing import COLOURS
from firsthand.errors import FirsthandError
from firsthand.zoo.box import boxed_player

from .lab import REFUSALS, TheLab, base64_of, rounded

__all__ = ["router"]

router = APIRouter(prefix="/api/play", responses=REFUSALS)

STEPS = 400  # of a game at most
POLICY = -1  # in the place of an action


class Played(BaseModel):
    """A game, its chance, and what has been done so far; the policy goes on from there."""

    model_config = ConfigDict(extra="forbid")

    game: Literal["catch", "breakout", "freeway"] = "catch"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    actions: Annotated[list[Annotated[int, Field(ge=POLICY, le=9)]], Field(max_length=STEPS)] = Field(
        default=[], description="Of every step so far, the action's number, or -1 for the policy's own."
    )


class Game(BaseModel):
    """A whole game: of every step what was seen, what the actions were thought to be worth, and which was taken."""

    actions: list[str]
    channels: list[str]
    colours: list[list[int]]  # of the channels, red, green and blue
    height: int
    width: int
    cells: list[str]  # of every step, bytes in base64, row by row: 0 is empty, 1 the first channel
    values: list[list[float]]
    taken: list[int]  # one less than cells
    rewards: list[float]
    ended: bool  # otherwise it is cut off


@router.post("")
async def play(asked: Played, lab: TheLab) -> Game:
    """Play a game with the actions that are given, and on with the policy's, to its end."""
    return await lab.compute(_play, asked)


def _play(asked: Played) -> Game:
    model = boxed_player(asked.game)
    environment = model.environment
    if asked.actions and max(asked.actions) >= (count := len(environment.actions)):
        raise FirsthandError(f"actions: {max(asked.actions)} found, expected -1 to {count - 1}")
    wished = np.full(STEPS, POLICY, np.int32)
    wished[: len(asked.actions)] = asked.actions
    found = _program(asked.game)(model.params, jax.random.key(asked.seed), wished)
    cells, values, taken, rewards, over = map(np.asarray, found)
    steps = int(np.argmax(over)) + 1 if over.any() else STEPS
    height, width, _ = environment.observation_shape
    return Game(
        actions=list(environment.actions),
        channels=list(environment.channels),
        colours=[COLOURS[number % len(COLOURS)].tolist() for number in range(len(environment.channels))],
        height=height,
        width=width,
        cells=[base64_of(each) for each in cells[: steps + 1]],
        values=rounded(values[: steps + 1], 4),
        taken=taken[:steps].tolist(),
        rewards=rewards[:steps].tolist(),
        ended=bool(over.any()),
    )


@cache
def _program(name: str):
    model = boxed_player(name)
    environment, network = model.environment, model.network

    def seen_and_valued(params: Any, state: Any) -> tuple[Array, Array]:
        seen = environment.observe(state)
        return seen, network.apply(params, seen[None].astype(jnp.float32))[0]

    def run(params: Any, key: Array, wished: Array) -> tuple[Array, ...]:
        start_key, key = jax.random.split(key)

        def once(state: Any, at: tuple[Array, Array]) -> tuple[Any, tuple[Array, ...]]:
            number, wish = at
            seen, values = seen_and_valued(params, state)
            action = jnp.where(wish == POLICY, jnp.argmax(values).astype(jnp.int32), wish)
            step = environment.step(state, action, key=jax.random.fold_in(key, number))
            return step.state, (_top(environment, seen), values, action, step.reward, step.ended)

        last, (cells, values, taken, rewards, over) = lax.scan(
            once, environment.reset(key=start_key), (jnp.arange(STEPS), wished)
        )
        seen, value = seen_and_valued(params, last)
        cells = jnp.concatenate([cells, _top(environment, seen)[None]])
        return cells, jnp.concatenate([values, value[None]]), taken, rewards, over

    return jax.jit(run)


def _top(environment: Environment, seen: Array) -> Array:
    """The number of the first channel that is on at each place, from 1; 0 where none is: bytes (height, width)."""
    first = jnp.argmax(seen, axis=-1).astype(jnp.uint8)
    return jnp.where(seen.any(axis=-1), first + jnp.uint8(1), jnp.uint8(0))
