"""Chapter 6, networks that play: Q-learning from the pixels, with and without replay memory and target network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from firsthand.environments import show
from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.models import Policy
from firsthand.zoo import NamedRecipe
from firsthand.zoo.games import BREAKOUT, CATCH, FREEWAY

from .common import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "PIXELS", "drawings", "epoch_steps", "learned", "one_game", "smoothed"]

PIXELS = Source(
    "Nielsen",
    "chapter 6, 'On the future of neural networks' and 'Other approaches'; Mnih et al. 2013, 'Playing Atari with Deep "
    "Reinforcement Learning'",
)
EPISODES = 100
SMOOTH = 10  # epochs in a point of the curves
SHOWN = 12  # pictures of a game
GROUND = 8  # of 255: as far as a grey may be from the usual one at its place to be no thing

WITHOUT: dict[str, dict[str, Any]] = {
    "both": {},
    "no_target": {"renewed": 0},
    "no_replay": {"capacity": 0},
}
NAMES = {"both": "replay and target network", "no_target": "no target network", "no_replay": "no replay"}


def learned(run: Run, recipe: NamedRecipe, name: str, **settings: Any) -> tuple[Policy, list[float]]:
    """A policy, and its score while it was learning."""
    experience = {**recipe.experience, **settings}
    if settings.get("capacity") == 0:
        experience["count"] = experience.get("games", 16) * experience.get("steps", 64)
    played = replace(recipe, experience=experience).played()
    chosen = recipe.recipe.changed(shuffle=experience.get("capacity") != 0)
    training = trained(run, recipe.layers, chosen, data=played, name=name)
    return training.model, training.history["training_score"]


def _numbers(model: Policy, key: jax.Array, name: str, episodes: int) -> dict[str, float]:
    played = model.play(episodes, key=key)
    return {f"score_{name}": float(played.rewards.mean()), f"deviation_{name}": float(played.rewards.std())}


def smoothed(scores: list[float]) -> list[float]:
    """Scores as a short curve, each point the mean of ten epochs."""
    whole = scores[: len(scores) // SMOOTH * SMOOTH] or scores
    return np.round(np.mean(np.reshape(whole, (-1, min(SMOOTH, len(whole)))), axis=1), 2).tolist()


def _measure(recipe: NamedRecipe, variants: Mapping[str, Mapping[str, Any]], run: Run) -> Measured:
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    play_key = jax.random.fold_in(run.key, 1)
    episodes = run.shortened(EPISODES, 3)
    for name, settings in variants.items():
        model, scores = learned(run, recipe, name, **settings)
        numbers |= _numbers(model, play_key, name, episodes)
        arrays[f"curve_{name}"] = smoothed(scores)
        if name == "both":
            at_random = model.play(episodes, key=play_key, epsilon=1.0).rewards
            numbers["score_at_random"] = float(at_random.mean())
            if run.seed == 0:
                arrays |= one_game(model, play_key)
    numbers["steps_of_the_game"] = float(epoch_steps(recipe) * run.shortened(recipe.recipe.epochs, 2))
    return Measured(numbers, arrays)


def epoch_steps(recipe: NamedRecipe) -> int:
    """Steps of the game in an epoch, of all games together."""
    return int(recipe.experience.get("games", 16)) * int(recipe.experience.get("steps", 64))


def one_game(model: Policy, key: jax.Array) -> dict[str, Any]:
    """One game: pictures of it, and what the policy thought it was worth."""
    film = model.film(key=key, limit=200)
    values = model.values(film.observations)
    rewarded = np.flatnonzero(film.rewards != 0)
    # the steps before the first rewards
    last = int(rewarded[min(1, len(rewarded) - 1)]) + 2 if len(rewarded) else SHOWN
    first = max(0, last - SHOWN)
    bits = _as_bits(film.observations)[first : first + SHOWN]
    return {
        "values": np.round(values.max(axis=1), 3).tolist(),
        "rewards": film.rewards.tolist(),
        "first": first,
        "shape": list(bits.shape),
        "pictures": np.packbits(bits).tolist(),
    }


def _as_bits(seen: np.ndarray) -> np.ndarray:
    """The observations of a game as bits, (steps, height, width, channels): of grey pictures what is not the ground."""
    if seen.dtype == bool:
        return seen
    newest = seen[..., -1:].astype(np.int16)
    return np.abs(newest - np.median(newest, axis=0)) > GROUND


def _far_above_chance(game: str, least: float, runs: Sequence[Measured]) -> Finding:
    scores = [run.numbers["score_both"] for run in runs]
    chance, steps = mean_of(runs, "score_at_random"), mean_of(runs, "steps_of_the_game")
    each = ", ".join(f"{score:.2f}" for score in scores)
    return Finding(
        min(scores) >= least,
        Text(
            f"{np.mean(scores):.2f} after {steps:,.0f} steps ({each}; {EPISODES} games each, none at random), "
            f"{chance:.2f} by chance",
            f"{steps:,.0f} 步之后为 {np.mean(scores):.2f}（各次 {each}；每次 {EPISODES} 局，动作不随机），随机为 "
            f"{chance:.2f}",
        ),
    )


def _matters(name: str, runs: Sequence[Measured]) -> Finding:
    with_both, without = ([run.numbers[f"score_{each}"] for run in runs] for each in ("both", name))
    pairs = ", ".join(f"{a:.1f} / {b:.1f}" for a, b in zip(with_both, without, strict=True))
    return Finding(
        min(with_both) > max(without),
        Text(
            f"with and without, run by run: {pairs} (asked for: every run with it better than every run without)",
            f"各次有/无：{pairs}（判定：每次有都好于每次无）",
        ),
    )


def _draw_curves(recipe: NamedRecipe, result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=5.4)
    axes = grid[0, 0]
    for colour, name in zip(COLOURS, NAMES, strict=False):
        for number, run in enumerate(result.runs):
            curve = run["arrays"].get(f"curve_{name}")
            if curve is not None:
                steps = epoch_steps(recipe) * min(SMOOTH, recipe.recipe.epochs) * np.arange(1, len(curve) + 1)
                axes.plot(steps / 1e3, curve, color=colour, linewidth=1, label=None if number else NAMES[name])
    axes.axhline(result.mean("score_at_random"), color="grey", linestyle="--", linewidth=1, label="by chance")
    axes.set(xlabel="steps of the game, in thousands", ylabel="score of an episode, while learning")
    axes.legend(frameon=False)
    return figure


def _draw_game(result: Result, needed: Mapping[str, Result]) -> "Figure":
    """Above, pictures of a game; below, the value of the best action at every step, and the rewards."""
    from matplotlib.figure import Figure

    arrays = result.runs[0]["arrays"]
    shape = arrays["shape"]
    bits = np.unpackbits(np.array(arrays["pictures"], np.uint8), count=int(np.prod(shape))).reshape(shape).astype(bool)
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[1, 2])
    above, below = parts
    for number, axes in enumerate(above.subplots(1, SHOWN)):
        if number < len(bits):
            axes.imshow(show(bits[number], 8))
            axes.set_title(str(arrays["first"] + number), fontsize=7)
        axes.axis("off")
    axes = below.subplots()
    rewards = np.array(arrays["rewards"])
    values = np.array(arrays["values"])[: len(rewards)]  # what is seen after the end is worth nothing
    axes.plot(values, color=COLOURS[0], linewidth=1, label="max Q(s, a)")
    at = np.flatnonzero(rewards)
    axes.plot(at, values[at], ".", color=COLOURS[1], label="a reward follows")
    axes.axvspan(arrays["first"], arrays["first"] + len(bits) - 1, color="grey", alpha=0.15)
    axes.set(xlabel="step of the game", ylabel="value")
    axes.legend(frameon=False)
    return figure


def drawings(recipe: NamedRecipe) -> tuple[Drawing, ...]:
    """The figures of a study of a game: the score while learning, and one game."""
    return (
        Drawing(
            "learning",
            Text(
                "The score while learning, a mean of ten epochs a point; every line is a run.",
                "学习过程中的得分，每点为十个回合的平均；每条线是一次运行。",
            ),
            partial(_draw_curves, recipe),
        ),
        Drawing(
            "game",
            Text(
                "One game of the policy: above, some of its steps; below, what it expects of its best action at every "
                "step (discounted by 0.99 a step), which rises as a reward comes nearer.",
                "策略的一局：上面是其中若干步；下面是每一步它对最好动作的期望（每步折扣 0.99），奖励临近时上升。",
            ),
            _draw_game,
        ),
    )


OWN_RULES = Text(
    "The game follows MinAtar's published description (a board of 10 by 10, a channel of bits for each kind of thing); "
    "the rules are our own program, so that no number of its authors is compared. Their network and rate; 16 games "
    "side by side, 256 mini-batches of 32 for every 1,024 steps, Adam.",
    "游戏依照 MinAtar 发表的描述（10x10 的棋盘，每类物体一个比特通道），规则由我们自己编程，因此不与其作者的数字比较。"
    "网络和学习率与之相同；16 局同时进行，每 1,024 步训练 256 个 32 例的小批量，Adam。",
)

EXPERIMENTS = (
    Experiment(
        "catch",
        Text("A ball falls, a paddle catches it: Q-learning from pixels", "接球：从像素出发的 Q 学习"),
        PIXELS,
        partial(_measure, CATCH, {"both": {}}),
        claims=(
            Claim(
                Text(
                    "From raw pixels and rewards, without knowing the rules, a network learns to catch the ball.",
                    "网络不知道规则，只凭像素和奖励就学会接球。",
                ),
                partial(_far_above_chance, "catch", 0.9),
            ),
        ),
        deviations=(
            Text(
                "The game is the small one of DeepMind's behaviour suite, 10 by 5, not an Atari game.",
                "游戏是 DeepMind 行为测试集中的小游戏，10x5，不是 Atari 游戏。",
            ),
        ),
        drawings=drawings(CATCH),
        minutes=1,
    ),
    Experiment(
        "minatar-breakout",
        Text("Breakout on a board of 10 by 10, learned by playing", "在 10x10 的棋盘上通过玩学会打砖块"),
        PIXELS,
        partial(_measure, BREAKOUT, WITHOUT),
        claims=(
            Claim(
                Text(
                    "From raw pixels and rewards alone, a network learns to play: twenty times chance and more.",
                    "只凭像素和奖励，网络就学会了玩：得分是随机的二十倍以上。",
                ),
                partial(_far_above_chance, "breakout", 10.0),
            ),
            Claim(
                Text("Experience replay matters (Mnih et al. 2013).", "经验回放很重要（Mnih 等，2013）。"),
                partial(_matters, "no_replay"),
            ),
            Claim(
                Text(
                    "A separate target network matters (Mnih et al. 2015).", "单独的目标网络很重要（Mnih 等，2015）。"
                ),
                partial(_matters, "no_target"),
            ),
        ),
        deviations=(
            OWN_RULES,
            Text(
                "Without replay every step is learned from once, in order, so that there are fewer mini-batches: the "
                "steps of the game are the same in number.",
                "没有经验回放时，每一步只按顺序学一次，因此小批量较少；游戏的步数是一样的。",
            ),
        ),
        drawings=drawings(BREAKOUT),
        minutes=6,
    ),
    Experiment(
        "minatar-freeway",
        Text("Across eight lanes of traffic, learned by playing", "通过玩学会横穿八条车道"),
        PIXELS,
        partial(_measure, FREEWAY, {"both": {}}),
        claims=(
            Claim(
                Text(
                    "The same network and settings learn another game: ten crossings and more, where chance makes "
                    "nearly none.",
                    "同样的网络和设置学会了另一个游戏：横穿十次以上，而随机几乎一次也没有。",
                ),
                partial(_far_above_chance, "freeway", 10.0),
            ),
        ),
        deviations=(OWN_RULES,),
        drawings=drawings(FREEWAY),
        minutes=4,
    ),
)
