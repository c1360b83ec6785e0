"""Chapter 5's opening: what depth gives a network, in regions of a piecewise linear function and in parity learned."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run, mean_of
from firsthand.experiments.result import Finding, Result, Source, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "Region", "folding", "most_regions_of_one_layer", "regions"]

REGIONS = Source("Nielsen", "chapter 5, opening; Pascanu, Montúfar and Bengio 2014, Montúfar et al. 2014")
PARITY = Source("Nielsen", "chapter 5, opening: parity, and how such deep networks are trained")

Layers = list[tuple[np.ndarray, np.ndarray]]

# --- linear regions of ReLU networks of two inputs ----------------------------------------------------------------


class Region(NamedTuple):
    """A part of the plane in which the hidden units are affine: its corners, and A, c in h = A x + c there."""

    corners: np.ndarray  # (n, 2), in order
    slope: np.ndarray  # (units, 2)
    offset: np.ndarray  # (units,)


def regions(layers: Layers, reach: float = 1.0) -> list[Region]:
    """All parts of the square [-reach, reach]^2 that a network of rectified linear units maps by one affine map each.

    Every unit cuts the parts that it divides along its line; layer after layer, this finds each part, however small.

    Args:
        layers: weights (units, inputs) and biases (units,) of the hidden layers.
        reach: half the side of the square.
    """
    square = reach * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    found = [Region(square, np.eye(2), np.zeros(2))]
    for w, b in layers:
        after = []
        for corners, slope, offset in found:
            lines, at_zero = w @ slope, w @ offset + b  # z = lines x + at_zero in all of this part
            parts = [corners]
            for line, height in zip(lines, at_zero, strict=True):
                parts = [piece for part in parts for piece in _cut(part, line, height)]
            for part in parts:
                on = lines @ part.mean(axis=0) + at_zero > 0
                after.append(Region(part, lines * on[:, None], at_zero * on))
        found = after
    return found


def _cut(corners: np.ndarray, line: np.ndarray, height: float) -> list[np.ndarray]:
    """A convex polygon cut along line . x + height = 0: one part or two."""
    z = corners @ line + height
    tiny = 1e-9 * (1 + np.abs(z).max())
    if z.min() >= -tiny or z.max() <= tiny:
        return [corners]
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for i in range(len(corners)):
        a, b, za, zb = corners[i], corners[i - 1], z[i], z[i - 1]
        if (za > tiny and zb < -tiny) or (za < -tiny and zb > tiny):
            between = b + (a - b) * zb / (zb - za)
            for side in sides:
                side.append(between)
        for side, sign in zip(sides, (1, -1), strict=True):
            if sign * za >= -tiny:
                side.append(a)
    return [np.array(side) for side in sides if len(side) > 2]


def most_regions_of_one_layer(units: int) -> int:
    """1 + n + n (n - 1)/2: n lines cut the plane into no more parts (Zaslavsky 1975)."""
    return 1 + units + comb(units, 2)


def folding(depth: int, width: int, rng: np.random.Generator) -> Layers:
    """A network that folds the square onto itself, depth - 1 times, and cuts the last copy by `width` lines.

    Every layer but the last gives each coordinate width/2 units, whose sum is a zigzag of width/2 strokes from -1 to 1
    and back: all these strips see the same picture in the layers above.

    References:
        Montúfar, Pascanu, Cho and Bengio 2014, 'On the Number of Linear Regions of Deep Neural Networks'.
    """
    strokes = width // 2
    starts = -1 + 2 * np.arange(strokes) / strokes
    turns = np.array([1.0] + [2.0 * (-1) ** i for i in range(1, strokes)]) * strokes  # the slope turns at every start
    layers: Layers = []
    join, shift = np.eye(2), np.zeros(2)
    for _ in range(depth - 1):
        weights = np.repeat(np.eye(2), strokes, axis=0)
        layers.append((weights @ join, weights @ shift - np.tile(starts, 2)))
        join, shift = np.kron(np.eye(2), turns), np.full(2, -1.0)
    angles = np.pi * (np.arange(width) + 0.3 * rng.random(width)) / width  # nearly through the middle: all cross inside
    lines = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    layers.append((lines @ join, lines @ shift + 0.05 * rng.standard_normal(width)))
    return layers


SHAPES = {12: ((12,), (6, 6), (4, 4, 4)), 16: ((16,), (8, 8), (4, 4, 4, 4))}


def _random(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    """He's start, with biases that place the lines about the square."""
    return [
        (rng.standard_normal((n, k)) * (2 / k) ** 0.5, 0.5 * rng.standard_normal(n)) for k, n in pairwise((2, *widths))
    ]


def _count_regions(run: Run) -> Measured:
    rng = np.random.default_rng(run.seed)
    numbers: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for units, shapes in SHAPES.items():
        for widths in shapes:
            name = "x".join(map(str, widths))
            networks = [_random(widths, rng) for _ in range(run.shortened(20, 2))]
            numbers[f"random_{name}"] = float(np.mean([len(regions(layers)) for layers in networks]))
            # some cuts by random lines miss another line: the best of several
            built = [folding(len(widths), widths[0], rng) for _ in range(run.shortened(20, 3))]
            numbers[f"folded_{name}"] = float(max(len(regions(layers)) for layers in built))
            run.say(f"{units} units, {name}: {numbers[f'folded_{name}']:.0f}")
    drawn = {"one layer of 12": [built12 := folding(1, 12, rng)], "random, 4-4-4": [_random((4, 4, 4), rng)]}
    drawn["folding, 4-4-4"] = [folding(3, 4, rng)]
    assert built12
    for title, (layers,) in drawn.items():
        arrays[title] = [each.corners.round(4).tolist() for each in regions(layers)]
    return Measured(numbers, arrays)


def _lower_bound(widths: Sequence[int]) -> int:
    """The regions that the folding network has: (n/2)^2 copies a layer, of the most that one layer cuts."""
    return (widths[0] // 2) ** (2 * (len(widths) - 1)) * most_regions_of_one_layer(widths[-1])


def _deep_has_more(runs: Sequence[Measured]) -> Finding:
    said, holds = [], True
    for units, shapes in SHAPES.items():
        counts = [max(run.numbers[f"folded_{'x'.join(map(str, widths))}"] for run in runs) for widths in shapes]
        holds &= counts[-1] > most_regions_of_one_layer(units) >= counts[0]
        holds &= all(count == _lower_bound(widths) for count, widths in zip(counts, shapes, strict=True))
        said.append(f"{units}: {', '.join(f'{count:.0f}' for count in counts)}")
    return Finding(
        holds,
        Text(
            f"regions with as many units in 1, 2 and more layers (3 of 4, 4 of 4): {'; '.join(said)}, as the formula "
            f"of Montúfar et al. has it; one layer can have {most_regions_of_one_layer(12)} and "
            f"{most_regions_of_one_layer(16)} at most",
            f"神经元数相同，分成 1 层、2 层和更多层（每层 4 个）时的区域数：{'；'.join(said)}，与 Montúfar "
            "等人的公式一致；"
            f"单层至多 {most_regions_of_one_layer(12)} 和 {most_regions_of_one_layer(16)} 个",
        ),
    )


def _at_random(runs: Sequence[Measured]) -> Finding:
    found = {
        units: [mean_of(runs, f"random_{'x'.join(map(str, widths))}") for widths in shapes]
        for units, shapes in SHAPES.items()
    }
    said = [f"{units}: {', '.join(f'{count:.0f}' for count in counts)}" for units, counts in found.items()]
    return Finding(
        all(counts[-1] > counts[0] for counts in found.values()),
        Text(
            f"means of random networks, in the same order: {'; '.join(said)}; what depth can do has to be built or "
            "learned, it is not there at the start",
            f"随机网络的平均值，顺序相同：{'；'.join(said)}；深度的能力要靠构造或学习，并非一开始就有",
        ),
    )


def _draw_regions(result: Result, needed: Mapping[str, Result]) -> "Figure":
    from matplotlib.collections import PolyCollection

    arrays = result.runs[0]["arrays"]
    figure, (axes,) = panels(1, 3, width=3.2, height=3.4)
    for each, (title, polygons) in zip(axes, arrays.items(), strict=True):
        tones = np.random.default_rng(0).permutation(len(polygons)) / len(polygons)
        each.add_collection(
            PolyCollection(polygons, array=tones, cmap="Blues", edgecolor="0.2", linewidth=0.4, clim=(-0.3, 1.4))
        )
        each.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", title=f"{title}: {len(polygons)}")
        each.grid(visible=False)
    return figure


# --- parity, learned ----------------------------------------------------------------------------------------------

LEARNED = (4, 6, 8)
LEARNING_STEPS = 2_000
SEEDS = 3  # networks of each kind and size in a run; a run has its own


def _sizes(n: int) -> dict[str, tuple[int, ...]]:
    """A shallow network of 4n hidden units, and a deep one of about as many parameters."""
    shallow = (n, 4 * n, 1)
    wanted = _parameters(shallow)
    width = min(range(2, 4 * n), key=lambda w: abs(_parameters((n, w, w, w, 1)) - wanted))
    return {"shallow": shallow, "deep": (n, width, width, width, 1)}


def _parameters(sizes: Sequence[int]) -> int:
    return sum((n + 1) * m for n, m in pairwise(sizes))


def _learn(sizes: tuple[int, ...], x: Array, y: Array, steps: int, key: Array) -> Array:
    """The share of all inputs that a tanh network ends with the right parity of, after Adam on all of them."""
    keys = jax.random.split(key, len(sizes) - 1)
    params = [
        (jax.random.normal(k, (n, m)) / n**0.5, jnp.zeros(m)) for (n, m), k in zip(pairwise(sizes), keys, strict=True)
    ]

    def output(params: Any) -> Array:
        a = x
        for w, b in params[:-1]:
            a = jnp.tanh(a @ w + b)
        w, b = params[-1]
        return (a @ w + b)[:, 0]

    def cost(params: Any) -> Array:
        return jnp.mean(optax.sigmoid_binary_cross_entropy(output(params), y))

    adam = optax.adam(0.01)

    def step(carry: Any, _: None) -> tuple[Any, None]:
        params, state = carry
        change, state = adam.update(jax.grad(cost)(params), state)
        return (optax.apply_updates(params, change), state), None

    (params, _), _ = jax.lax.scan(step, (params, adam.init(params)), None, length=steps)
    return jnp.mean((output(params) > 0) == (y > 0.5))


def _parity_learned(run: Run) -> Measured:
    numbers: dict[str, float] = {}
    steps = run.shortened(LEARNING_STEPS, 20)
    for n in LEARNED[: run.shortened(len(LEARNED), 1)]:
        every = np.arange(2**n)[:, None] >> np.arange(n) & 1
        x, y = jnp.asarray(2.0 * every - 1, jnp.float32), jnp.asarray(every.sum(axis=1) % 2, jnp.float32)
        for kind, sizes in _sizes(n).items():
            keys = jax.random.split(run.key, SEEDS)
            right = jax.jit(jax.vmap(lambda k, s=sizes, x=x, y=y: _learn(s, x, y, steps, k)))(keys)
            numbers |= {
                f"{kind}_{n}": float(jnp.mean(right)),
                f"{kind}_{n}_whole": float(jnp.mean(right == 1)),
                f"{kind}_{n}_parameters": float(_parameters(sizes)),
            }
            run.say(f"{n} bits, {kind}: {float(jnp.mean(right)):.3f}")
    return Measured(numbers)


def _deep_learns(runs: Sequence[Measured]) -> Finding:
    shares = {kind: [mean_of(runs, f"{kind}_{n}_whole") for n in LEARNED] for kind in ("shallow", "deep")}
    said = {kind: ", ".join(f"{share:.0%}" for share in values) for kind, values in shares.items()}
    sizes = [f"{mean_of(runs, f'{kind}_{LEARNED[-1]}_parameters'):.0f}" for kind in ("shallow", "deep")]
    return Finding(
        sum(shares["deep"]) > sum(shares["shallow"]),
        Text(
            f"networks that end with every parity right, for {', '.join(map(str, LEARNED))} bits: shallow "
            f"{said['shallow']}; deep {said['deep']}; at {LEARNED[-1]} bits with {sizes[0]} and {sizes[1]} parameters",
            f"最后学会全部奇偶性的网络所占比例，比特数为 {'、'.join(map(str, LEARNED))}：浅层 {said['shallow']}；"
            f"深层 {said['deep']}；{LEARNED[-1]} 比特时参数为 {sizes[0]} 和 {sizes[1]} 个",
        ),
    )


def _draw_parity(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, ((axes,),) = panels(1, 1, width=5.2)
    bits = [n for n in LEARNED if f"deep_{n}" in result.runs[0]["numbers"]]
    for kind, colour, line in (("shallow", COLOURS[1], "s--"), ("deep", COLOURS[0], "o-")):
        values = np.array([result.values(f"{kind}_{n}") for n in bits])
        axes.plot(bits, values.mean(axis=1), line, color=colour, label=f"{kind}, mean")
        axes.plot(bits, values, ".", color=colour, alpha=0.5)
    axes.axhline(0.5, color="0.5", linestyle=":")
    axes.set(xlabel="bits", ylabel="share of inputs with the right parity", ylim=(0.45, 1.02), xticks=bits)
    axes.legend(frameon=False)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="linear-regions",
        title=Text(
            "Linear regions of small ReLU networks, counted: one layer against several of as many units",
            "小 ReLU 网络的线性区域数：同样多的神经元，单层与多层",
        ),
        source=REGIONS,
        measure=_count_regions,
        claims=(
            Claim(
                Text(
                    "Deep networks are intrinsically more powerful: there are some with more linear regions than any "
                    "shallow one of as many units.",
                    "深度网络在本质上更强大：有些深度网络的线性区域比同样多神经元的任何浅层网络都多。",
                ),
                _deep_has_more,
            ),
            Claim(
                Text(
                    "With random weights as well, more layers have more regions (our question).",
                    "随机权重时，层数越多区域也越多（我们的问题）。",
                ),
                _at_random,
            ),
        ),
        deviations=(
            Text(
                "The text only names the theorem. Here regions of two inputs in the square [-1, 1]² are counted "
                "exactly, by cutting polygons.",
                "书中只提到定理。这里对两个输入、正方形 [-1, 1]² 内的区域用切割多边形的方法精确计数。",
            ),
        ),
        drawings=(
            Drawing(
                "regions",
                Text(
                    "12 units each. The folding network repeats one picture in every fold.",
                    "各有 12 个神经元。折叠网络在每一折里重复同一幅图。",
                ),
                _draw_regions,
            ),
        ),
        minutes=0.2,
    ),
    Experiment(
        id="parity-learned",
        title=Text(
            "The parity of n bits learned by gradient descent: shallow against deep",
            "用梯度下降学习 n 个比特的奇偶性：浅层与深层",
        ),
        source=PARITY,
        measure=_parity_learned,
        claims=(
            Claim(
                Text(
                    "A deep network learns parity more often than a shallow one of as many parameters.",
                    "参数同样多时，深层网络比浅层网络更常学会奇偶性。",
                ),
                _deep_learns,
            ),
        ),
        deviations=(
            Text(
                f"The text counts gates and trains nothing. Here tanh networks of one and of three hidden layers learn "
                f"all 2ⁿ inputs with Adam at 0.01, {LEARNING_STEPS:,} steps, {SEEDS} networks a run. A neuron adds and "
                "compares, which AND and OR cannot: n hidden neurons suffice for parity in one layer.",
                f"书中只数门，不训练。这里用一个和三个隐藏层的 tanh 网络，以 Adam（0.01）在全部 2ⁿ 个输入上训练 "
                f"{LEARNING_STEPS:,} 步，每次运行 {SEEDS} 个网络。神经元能求和再比较，与门、或门不能：单层 n "
                "个神经元就够。",
            ),
        ),
        drawings=(
            Drawing(
                "share",
                Text(
                    "Dotted: guessing. Points are runs, each the mean of its networks.",
                    "虚线为瞎猜。每个点是一次运行中各网络的平均。",
                ),
                _draw_parity,
            ),
        ),
        minutes=0.3,
    ),
)
