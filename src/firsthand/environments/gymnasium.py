"""Environments of gymnasium, and of all that follows its interface."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jax import Array

from firsthand.errors import FirsthandError

from .environment import Environment, Step
from .live import stage

__all__ = ["Facts", "Gymnasium"]


class Facts(NamedTuple):
    """The facts about an environment that a network must fit."""

    actions: tuple[str, ...]
    moment: tuple[int, ...]  # the shape of what one step shows, as a player sees it
    pictures: bool  # bytes of grey or colours; otherwise numbers


class _State(NamedTuple):
    """The seed of an episode and the actions since its beginning: taken once more, they lead to the same place."""

    seed: np.ndarray
    steps: np.ndarray  # how many actions there are
    actions: np.ndarray  # (limit,), those that are to come 0


@dataclass(frozen=True)
class Gymnasium(Environment):
    """An environment of gymnasium with a few actions, of which pictures are seen, grey or coloured, or else numbers.

    Its functions are plain Python.  As of every environment, a step depends on the state alone, though an environment
    of gymnasium changes in place: the state is the seed of the episode and the actions since it began.  Behind the
    newest state of each game stands a live environment; for an older one, as where a training is resumed, an
    environment is seeded and takes the actions once more.

    An episode that gymnasium truncates, or that reaches `limit`, counts as ended.

    Args:
        id: as `gymnasium.make` takes it, 'CartPole-v1'; a module that registers others is imported before.
        options: of `gymnasium.make`, a mapping or pairs.
        frames: the last steps whose pictures or numbers a player sees together; those before an episode are 0.
        skip: how often an action is repeated before something is seen.  Of the last two pictures the larger value
            counts, because a console draws some things in every other picture alone.
        shrink: rows and columns of a picture that become one value: their mean, or with `contrast` the largest.
        contrast: whether a grey is seen by its distance from the most common one of the picture, so that the ground is
            0 and small things stand out from it; otherwise as it is.
        waits: how often action 0 is taken before an episode, at most; the seed draws the number.
        seeded: False where the environment itself draws nothing at random: it is seeded once and not for every episode,
            which takes an emulator a tenth of a second.
        limit: steps of an episode.
    Raises:
        FirsthandError: a setting that cannot be.  On use: gymnasium is not installed, it has no such environment or one
            that does not repeat itself, or its actions are not a few.
    References:
        Towers et al. 2024, 'Gymnasium: A Standard Interface for Reinforcement Learning Environments'; Mnih et al. 2015
        (skip, frames, waits).
    """

    name: ClassVar[str] = "gymnasium"
    compiled: ClassVar[bool] = False
    channels: ClassVar[tuple[str, ...]] = ()

    id: str
    options: Mapping[str, Any] | tuple[tuple[str, Any], ...] = ()
    frames: int = 1
    skip: int = 1
    shrink: tuple[int, int] = (1, 1)
    contrast: bool = False
    waits: int = 0
    seeded: bool = True
    limit: int = 5_000

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or ":" in self.id:
            raise FirsthandError(
                f"gymnasium: id is {self.id!r}, expected a name such as 'CartPole-v1', without a module before it"
            )
        # a file gives lists where tuples were
        object.__setattr__(
            self, "options", tuple(sorted((str(k), _hashable(v)) for k, v in dict(self.options).items()))
        )
        object.__setattr__(self, "shrink", tuple(self.shrink))
        for name in ("frames", "skip", "limit"):
            if getattr(self, name) < 1:
                raise FirsthandError(f"gymnasium {self.id}: {name} is {getattr(self, name)}, expected 1 or more")
        if len(self.shrink) != 2 or min(self.shrink) < 1 or self.waits < 0:
            raise FirsthandError(
                f"gymnasium {self.id}: shrink {self.shrink} and waits {self.waits} found, expected two numbers of 1 or "
                "more, and 0 or more"
            )

    @property
    def actions(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return _facts(self).actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        *rest, last = _facts(self).moment
        return *rest, last * self.frames

    @property
    def observation_type(self) -> np.dtype:
        return np.dtype(np.uint8 if _facts(self).pictures else np.float32)

    @property
    def moments(self) -> int:
        return self.frames

    def __str__(self) -> str:
        return self.id if type(self) is Gymnasium else self.name

    def reset(self, *, key: Array) -> _State:
        seed = np.asarray(jax.random.bits(key), np.uint32)
        return _State(seed, np.array(0, np.int32), np.zeros(self.limit, np.int16))

    def step(self, state: _State, action: Any, *, key: Array | None = None) -> Step:
        """Return what an action leads to; all chance comes from the seed of the episode."""
        live = stage(self).at(state)
        reward, ended = live.step(int(action))
        after = _State(np.asarray(state.seed), np.array(live.count, np.int32), live.taken.copy())
        return Step(after, np.float32(reward), np.bool_(ended))  # pyright: ignore[reportArgumentType] - NumPy's

    def observe(self, state: _State) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride] - NumPy's
        return stage(self).at(state).seen()

    def make(self) -> Any:
        """Return a new environment of gymnasium."""
        try:
            gymnasium = import_module("gymnasium")
            if self.id.startswith("ALE/"):
                import_module("ale_py")  # which registers its games
        except ImportError as error:
            missing = (error.name or "gymnasium").replace("_", "-")
            raise FirsthandError(f"{self}: {missing} not found: pip install 'firsthand[gym]'") from None
        try:
            made = gymnasium.make(self.id, disable_env_checker=True, **dict(self.options))
        except (gymnasium.error.Error, ImportError, TypeError, ValueError) as error:
            raise FirsthandError(f"gymnasium {self.id}: {' '.join(str(error).split())}") from None
        if made.spec is not None and made.spec.nondeterministic:
            raise FirsthandError(
                f"gymnasium {self.id}: it is nondeterministic, expected one in which a seed and the same actions lead "
                "to the same place"
            )
        return made

    def facts(self) -> Facts:
        """Ask an environment for what a network must fit."""
        made = self.make()
        try:
            space = made.action_space
            if type(space).__name__ != "Discrete":
                raise FirsthandError(f"gymnasium {self.id}: its actions are {space}, expected a few, Discrete(n)")
            meanings = getattr(made.unwrapped, "get_action_meanings", None)
            actions = tuple(map(str, range(space.n) if meanings is None else (each.lower() for each in meanings())))
            seen = made.observation_space
            pictures = type(seen).__name__ == "Box" and seen.dtype == np.uint8 and len(seen.shape) in (2, 3)
            if self.contrast and not (pictures and len(seen.shape) == 2):
                raise FirsthandError(
                    f"gymnasium {self.id}: contrast is for grey pictures, {seen} found: an option may make them grey"
                )
            if pictures and any(side % part for side, part in zip(seen.shape, self.shrink, strict=False)):
                raise FirsthandError(
                    f"gymnasium {self.id}: shrink is {self.shrink}, expected divisors of the picture's "
                    f"{seen.shape[0]} x {seen.shape[1]}"
                )
            moment = self.moment([np.zeros(seen.shape, np.uint8)] if pictures else [seen.sample()], made, pictures)
            return Facts(actions, moment.shape, pictures)
        finally:
            made.close()

    def moment(self, shown: Sequence[Any], made: Any, pictures: bool | None = None) -> np.ndarray:
        """Return what a player sees of one step.

        Args:
            shown: what the environment showed, in order; the last two count where they are pictures.
            made: the environment.
            pictures: whether they are; by default as `facts` has it.
        Returns:
            Bytes (height, width, colours), or numbers (n,).
        """
        if not (_facts(self).pictures if pictures is None else pictures):
            flatten = import_module("gymnasium").spaces.flatten
            return np.asarray(flatten(made.observation_space, shown[-1]), np.float32)
        picture = np.asarray(shown[-1]) if self.skip == 1 or len(shown) == 1 else np.maximum(*shown[-2:])
        height, width, *colours = picture.shape
        down, across = self.shrink
        if self.contrast:
            ground = int(np.bincount(picture.ravel(), minlength=256).argmax())
            picture = np.abs(picture.astype(np.int16) - ground).astype(np.uint8)
            return picture.reshape(height // down, down, width // across, across).max((1, 3))[..., None]
        # rows first, in the order of memory: four times as fast as the mean over both
        sums = picture.reshape(height // down, down, -1).sum(1, dtype=np.uint32)
        sums = sums.reshape(height // down, width // across, across, *(colours or (1,))).sum(2, dtype=np.uint32)
        return (sums // (down * across)).astype(np.uint8)


@lru_cache(maxsize=64)
def _facts(game: Gymnasium) -> Facts:
    return game.facts()


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
