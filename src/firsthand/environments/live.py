"""Live environments: what stands behind the states of games that change in place."""

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .gymnasium import Gymnasium

__all__ = ["SIDE_BY_SIDE", "Live", "stage"]

MOST = 64  # live environments of a game
SIDE_BY_SIDE = 32  # episodes that are played at the same time: with a training's own games, fewer than there may be


class Live:
    """One environment of gymnasium in the middle of an episode.

    Args:
        game: says what is made, and how it is seen.
    """

    def __init__(self, game: "Gymnasium"):
        self.game, self.made = game, game.make()
        self.first = int(self.made.action_space.start)
        self.seeded = False
        self.seed, self.count, self.ended = -1, 0, False
        self.taken = np.zeros(game.limit, np.int16)  # the actions; those that are to come 0
        self.moments: deque[np.ndarray] = deque(maxlen=game.frames)

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        self.seed, self.count, self.ended = seed, -1, False
        self.taken[:] = 0
        shown, _ = self.made.reset(seed=None if self.seeded and not self.game.seeded else seed)
        self.seeded = True
        for _ in range(np.random.default_rng(seed).integers(self.game.waits + 1)):
            shown, _, terminated, truncated, _ = self.made.step(self.first)
            if terminated or truncated:
                shown, _ = self.made.reset()
        moment = self.game.moment([shown], self.made)
        self.moments.extend(np.zeros_like(moment) for _ in range(self.game.frames - 1))
        self.moments.append(moment)
        self.count = 0

    def step(self, action: int) -> tuple[float, bool]:
        """Take an action; return the reward, and whether the episode is over."""
        shown, reward, terminated, truncated = [], 0.0, False, False
        # who is interrupted in the middle stands nowhere
        count, self.count = self.count, -1
        for _ in range(self.game.skip):
            seen, gained, terminated, truncated, _ = self.made.step(self.first + action)
            shown.append(seen)
            reward += float(gained)
            if terminated or truncated:
                break
        self.moments.append(self.game.moment(shown, self.made))
        self.taken[count] = action
        self.count = count + 1
        self.ended = bool(terminated or truncated or self.count >= self.game.limit)
        return reward, self.ended

    def seen(self) -> np.ndarray:
        """Return what a player sees now."""
        return np.concatenate(self.moments, axis=-1)

    def stands_at(self, state: Any) -> bool:
        """Return whether it is where a state says."""
        same = self.seed == int(state.seed) and self.count == int(state.steps)
        return same and np.array_equal(self.taken, state.actions)


class _Stage:
    """The live environments of a game."""

    def __init__(self, game: "Gymnasium"):
        self.game, self.lives = game, []

    def at(self, state: Any) -> Live:
        """Return an environment that stands at a state: one that does already, or one that has been led there.

        The one that was used least recently stands last, and is the first to be taken elsewhere.
        """
        live = next((live for live in self.lives if live.stands_at(state)), None)
        if live is None:
            spare = next((live for live in reversed(self.lives) if live.ended), None)
            if spare is None and len(self.lives) >= MOST:
                spare = self.lives[-1]
            live = spare or Live(self.game)
            live.begin(int(state.seed))
            for action in np.asarray(state.actions)[: int(state.steps)].tolist():
                live.step(action)
        if live in self.lives:
            self.lives.remove(live)
        self.lives.insert(0, live)
        return live


@lru_cache(maxsize=8)
def stage(game: "Gymnasium") -> _Stage:
    """Return the live environments of a game, always the same ones."""
    return _Stage(game)
