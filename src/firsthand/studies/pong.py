"""Chapter 6, networks that play: Pong on the emulator of Atari's console, learned from its pictures."""

from collections.abc import Sequence

import jax
import numpy as np

from firsthand.experiments.experiment import Claim, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Published, Text
from firsthand.zoo.games import PONG

from .games import PIXELS, drawings, epoch_steps, learned, one_game, smoothed

__all__ = ["EXPERIMENTS"]

EPISODES = 30
EPSILON = 0.05  # as the published scores were measured
HUMAN, AT_RANDOM, NETWORK = 9.3, -20.7, 18.9  # Mnih et al. 2015, extended data table 2


def _measure(run: Run) -> Measured:
    model, scores = learned(run, PONG, "both")
    key = jax.random.fold_in(run.key, 1)
    episodes, limit = run.shortened(EPISODES, 2), run.shortened(10_000, 60)
    played, chance = (model.play(episodes, key=key, epsilon=share, limit=limit).rewards for share in (EPSILON, 1.0))
    numbers = {
        "score": played.mean(),
        "deviation": played.std(),
        "least": played.min(),
        "most": played.max(),
        "score_at_random": chance.mean(),
        "steps_of_the_game": epoch_steps(PONG) * run.shortened(PONG.recipe.epochs, 2),
    }
    arrays = {"curve_both": smoothed(scores), "scores": played.tolist()}
    if run.seed == 0:
        arrays |= one_game(model, key)
    return Measured({name: float(value) for name, value in numbers.items()}, arrays)


def _better_than_a_human(runs: Sequence[Measured]) -> Finding:
    scores = np.concatenate([run.arrays["scores"] for run in runs])
    won, steps, chance = np.mean(scores > 0), mean_of(runs, "steps_of_the_game"), mean_of(runs, "score_at_random")
    each = ", ".join(f"{run.numbers['score']:.1f} ± {run.numbers['deviation']:.1f}" for run in runs)
    return Finding(
        min(run.numbers["score"] for run in runs) > HUMAN,
        Text(
            f"{each} in {EPISODES} games (± between games) after {steps:,.0f} steps, {won:.0%} of them won; at random "
            f"{chance:.1f}",
            f"{steps:,.0f} 步之后，{EPISODES} 局得分 {each}（± 为各局之间），赢了 {won:.0%}；随机为 {chance:.1f}",
        ),
    )


EXPERIMENTS = (
    Experiment(
        "pong",
        Text("Pong on Atari's console, learned from the screen", "Atari 主机上的 Pong，从屏幕画面学会"),
        PIXELS,
        _measure,
        published=(
            Published("score", NETWORK, "value", 1.3, better="higher"),
            Published("score_at_random", AT_RANDOM, "value", 0.5),
        ),
        claims=(
            Claim(
                Text(
                    f"It plays better than the human tester of Mnih et al. 2015, whose score was {HUMAN}.",
                    f"它玩得比 Mnih 等（2015）的人类测试者好，后者得分 {HUMAN}。",
                ),
                _better_than_a_human,
            ),
        ),
        deviations=(
            Text(
                "As in Mnih et al. 2015: four pictures an action, of the last two the larger value, four moments seen, "
                "up to thirty pictures of waiting, an action at random once in twenty steps while it is judged, and "
                "five minutes of the console a game. Otherwise than there: pictures of 42 by 40 instead of 84 by 84, "
                "as contrasts, a smaller network, a mini-batch for every step instead of every fourth, rewards of five "
                "steps before the target network says what follows, which is renewed every 512 mini-batches, Adam.",
                "与 Mnih 等（2015）相同：每个动作持续四帧画面，取最后两帧的较大值，看四个时刻，开局最多等待三十帧，评测"
                "时每二十步有一个随机动作，每局至多主机的五分钟。不同之处：画面为 42x40 而不是 84x84，取与背景的对比，"
                "网络较小，每一步（而不是每四步）一个小批量，先累计五步的奖励再由目标网络估计后续，目标网络每 512 个"
                "小批量更新一次，使用 Adam。",
            ),
            Text(
                "An hour and a half of a core and one training, where the published network saw 50 million steps.",
                "一个核心一个半小时、一次训练；发表的网络看过五千万步。",
            ),
        ),
        drawings=drawings(PONG),
        runs=1,
        minutes=95,
    ),
)
