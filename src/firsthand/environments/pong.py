"""Pong on the emulator of Atari's console."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .gymnasium import Facts, Gymnasium

__all__ = ["Pong"]

# every picture is seen, in grey, and no action is repeated by chance: skipping is done here
_OPTIONS = (("frameskip", 1), ("obs_type", "grayscale"), ("repeat_action_probability", 0.0))


@dataclass(frozen=True)
class Pong(Gymnasium):
    """Pong on Atari's console (ale-py): 1 for a ball that the opponent misses, -1 for one's own miss, up to 21.

    Every action is held for four pictures, of the last two of which the larger value is seen.  Of 5 x 4 points the one
    that differs most from the ground is seen, and by its difference: in the mean of so many a ball of 4 x 2 nearly goes
    under.  Four moments of 42 x 40 are seen.  An episode begins after up to thirty pictures and has 4,500 steps at
    most, five minutes of the console.  All but the pictures, there 84 x 84 and grey, is as in Mnih et al. 2015.

    References:
        Bellemare et al. 2013, 'The Arcade Learning Environment'; Mnih et al. 2015, 'Human-Level Control through Deep
        Reinforcement Learning', methods: 18.9 on average for their network, 9.3 for a human tester.
    """

    name: ClassVar[str] = "pong"

    id: str = "ALE/Pong-v5"
    options: Mapping[str, Any] | tuple[tuple[str, Any], ...] = _OPTIONS
    frames: int = 4
    skip: int = 4
    shrink: tuple[int, int] = (5, 4)
    contrast: bool = True
    waits: int = 30
    seeded: bool = False
    limit: int = 4_500

    def facts(self) -> Facts:
        # known without the emulator, so that a model is read and looked into where it is not installed
        return Facts(("noop", "fire", "right", "left", "rightfire", "leftfire"), (42, 40, 1), True)
