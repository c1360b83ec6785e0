"""Chapter 5's opening: circuits built of smaller circuits, as networks of neurons, and what two layers would need."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.reference.fully_connected import feedforward
from firsthand.reference.functions import sigmoid

from .gates import Circuit, multiplier, parity_in_stages, parity_tree, prime_implicants

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

CIRCUITS = Source("Nielsen", "chapter 5, opening: logical circuits of two layers and of many, multiplication, parity")

LARGEST = 6  # bits of each factor; 4,096 products
SHARP = 10.0  # what weights and biases are multiplied by where perceptrons become sigmoid neurons


def _columns(n: int) -> tuple[np.ndarray, np.ndarray]:
    """All numbers of n bits, and their bits as columns, lowest first."""
    numbers = np.arange(2**n)
    return numbers, (numbers >> np.arange(n)[:, None] & 1).astype(float)


def _multiply(run: Run) -> Measured:
    widths = list(range(1, run.shortened(LARGEST, 3) + 1))
    arrays: dict[str, list[float]] = {name: [] for name in ("bits", "gates", "depth", "neurons", "two_layers")}
    wrong = wrong_sigmoid = tried = 0
    for n in widths:
        circuit = multiplier(n)
        numbers, bits = _columns(2 * n)
        product = (numbers & 2**n - 1) * (numbers >> n)
        powers = 2 ** np.arange(len(circuit.outputs))
        wrong += int(np.sum(powers @ circuit(bits) != product))
        weights, biases = circuit.layers()
        soft = feedforward([SHARP * w for w in weights], [SHARP * b for b in biases], bits, sigmoid)
        wrong_sigmoid += int(np.sum(powers @ (soft > 0.5) != product))
        tried += len(numbers)
        # two layers without sharing: an AND for every row of the truth table of every output bit, merged where possible
        terms = sum(_cover(np.flatnonzero(product >> bit & 1), 2 * n) for bit in range(2 * n)) if n <= 5 else 0
        arrays["bits"].append(n)
        arrays["gates"].append(len(circuit.gates))
        arrays["depth"].append(circuit.depth)
        arrays["neurons"].append(sum(len(b) for b in biases))
        arrays["two_layers"].append(terms)
        run.say(f"{n} bits: {len(circuit.gates)} gates")
    numbers = {
        "products_tried": tried,
        "products_wrong": wrong,
        "products_wrong_with_sigmoids": wrong_sigmoid,
        "gates_of_4_bits": arrays["gates"][min(3, len(widths) - 1)],
        "depth_of_4_bits": arrays["depth"][min(3, len(widths) - 1)],
    }
    return Measured(numbers, arrays)


def _cover(true: np.ndarray, n: int) -> int:
    """The number of ANDs that a two-layer circuit needs at most: prime implicants, the one that covers most first."""
    left, count = set(true.tolist()), 0
    covers: list[set[int]] = []
    for value, mask in prime_implicants(left, n):
        free = [1 << i for i in range(n) if mask >> i & 1]
        subsets = (chosen for k in range(len(free) + 1) for chosen in combinations(free, k))
        covers.append({value | sum(chosen) for chosen in subsets})
    while left:
        best = max(covers, key=lambda cover: len(cover & left))
        left -= best
        count += 1
    return count


def _multiplies(runs: Sequence[Measured]) -> Finding:
    n, arrays = runs[0].numbers, runs[0].arrays
    return Finding(
        n["products_wrong"] == 0 and n["products_wrong_with_sigmoids"] == 0,
        Text(
            f"{n['products_tried']:,.0f} products of numbers of 1 to {arrays['bits'][-1]} bits: "
            f"{n['products_wrong']:.0f} wrong with perceptrons, {n['products_wrong_with_sigmoids']:.0f} with sigmoid "
            f"neurons of weights {SHARP:g} times as large; 4 bits take {n['gates_of_4_bits']:.0f} NANDs",
            f"1 到 {arrays['bits'][-1]} 比特的 {n['products_tried']:,.0f} 个乘积：感知器错 {n['products_wrong']:.0f} "
            "个，"
            f"权重放大 {SHARP:g} 倍的 sigmoid 神经元错 {n['products_wrong_with_sigmoids']:.0f} 个；"
            f"4 比特需要 {n['gates_of_4_bits']:.0f} 个与非门",
        ),
    )


def _more_than_three(runs: Sequence[Measured]) -> Finding:
    depths = runs[0].arrays["depth"][1:]
    return Finding(
        min(depths) >= 3,
        Text(
            f"from 2 bits on the depth in NANDs is {', '.join(map(str, depths))}",
            f"从 2 比特起，以与非门计的深度依次为 {'、'.join(map(str, depths))}",
        ),
    )


def _two_layers_are_wide(runs: Sequence[Measured]) -> Finding:
    arrays = runs[0].arrays
    known = [(gates, terms) for gates, terms in zip(arrays["gates"], arrays["two_layers"], strict=True) if terms]
    shares = [terms / gates for gates, terms in known]
    pairs = [f"{terms}/{gates}" for gates, terms in known]
    return Finding(
        shares[-1] > shares[-2] > shares[-3],
        Text(
            f"ANDs of two layers, merged as far as a greedy cover does, against NANDs of the deep circuit, for 1, 2 "
            f"... bits: {', '.join(pairs)}; the ratio grows to {shares[-1]:.1f}",
            f"两层电路中的与门数（贪心合并后）与深电路的与非门数之比，1、2……比特依次为 {'、'.join(pairs)}；"
            f"比值升到 {shares[-1]:.1f}",
        ),
    )


def _draw_multiplier(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, ((left, right),) = panels(1, 2)
    left.plot(arrays["bits"], arrays["gates"], "o-", color=COLOURS[0], label="NANDs, any depth")
    two = [(n, terms) for n, terms in zip(arrays["bits"], arrays["two_layers"], strict=True) if terms]
    left.plot(*zip(*two, strict=True), "s--", color=COLOURS[1], label="ANDs, two layers")
    left.set(xlabel="bits of each factor", ylabel="gates", yscale="log")
    left.legend(frameon=False)
    right.plot(arrays["bits"], arrays["depth"], "o-", color=COLOURS[0])
    right.set(xlabel="bits of each factor", ylabel="depth of the NAND circuit", ylim=(0, None))
    return figure


STAGES = (1, 2, 3)
BITS = (2, 4, 6, 8, 9, 10, 12, 14)


def _parity(run: Run) -> Measured:
    bits = [n for n in BITS if n <= run.shortened(max(BITS), 8)]
    builders: dict[str, Callable[[int], Circuit]] = {
        f"stages_{stages}": lambda n, stages=stages: parity_in_stages(n, stages) for stages in STAGES
    }
    builders["tree"] = parity_tree
    arrays: dict[str, list[int]] = {"bits": bits}
    wrong = 0
    for name, build in builders.items():
        circuits = [build(n) for n in bits]
        for n, circuit in zip(bits, circuits, strict=True):
            if n <= 10:
                numbers, columns = _columns(n)
                expected = np.array([int(number).bit_count() % 2 for number in numbers])
                wrong += int(np.sum(circuit(columns)[0] != expected))
        arrays[f"{name}_gates"] = [len(circuit.gates) for circuit in circuits]
        arrays[f"{name}_depth"] = [circuit.depth for circuit in circuits]
        run.say(name)
    odd = {n: {number for number in range(2**n) if number.bit_count() % 2} for n in range(2, 9)}
    primes = [len(prime_implicants(odd[n], n)) for n in odd]
    return Measured(
        {
            "wrong": wrong,
            "two_layers_least": float(primes[-1]),
            "sets_that_merge": float(sum(found != 2 ** (n - 1) for n, found in zip(odd, primes, strict=True))),
        },
        {**arrays, "prime_implicants": primes},
    )


def _shallow_is_exponential(runs: Sequence[Measured]) -> Finding:
    n, primes = runs[0].numbers, runs[0].arrays["prime_implicants"]
    return Finding(
        n["wrong"] == 0 and n["sets_that_merge"] == 0,
        Text(
            f"every odd set of inputs is a prime implicant, so that none of the {' '.join(map(str, primes))} ANDs of "
            f"2 to 8 bits can be spared: 2^(n-1); all circuits are right on all inputs ({n['wrong']:.0f} mistakes)",
            f"每个奇数集合都是素蕴涵项，2 到 8 比特所需的 {' '.join(map(str, primes))} 个与门一个也省不掉，即 2^(n-1)；"
            f"所有电路在所有输入上都正确（{n['wrong']:.0f} 个错误）",
        ),
    )


def _deep_is_small(runs: Sequence[Measured]) -> Finding:
    arrays = runs[0].arrays
    n, gates, depth = (arrays[name][-1] for name in ("bits", "tree_gates", "tree_depth"))
    shallow, middle = arrays["stages_1_gates"][-1], arrays["stages_2_gates"][-1]
    return Finding(
        all(count == 4 * (bits - 1) for bits, count in zip(arrays["bits"], arrays["tree_gates"], strict=True)),
        Text(
            f"pairs of pairs take 4 (n - 1) NANDs: {gates} for {n} bits at depth {depth}; two layers take {shallow:,}, "
            f"four layers {middle}",
            f"逐对计算需要 4 (n - 1) 个与非门：{n} 比特为 {gates} 个，深度 {depth}；两层需要 {shallow:,} 个，四层 "
            f"{middle} 个",
        ),
    )


def _draw_parity(result: Result, needed: Mapping[str, Result]) -> "Figure":
    arrays = result.runs[0]["arrays"]
    figure, ((axes,),) = panels(1, 1, width=6, height=3.6)
    for (name, label), colour, line in zip(
        (*((f"stages_{s}", f"{2 * s} layers of AND and OR") for s in STAGES), ("tree", "pairs of pairs, NANDs")),
        (COLOURS[1], COLOURS[4], COLOURS[2], COLOURS[0]),
        ("s--", "^-.", "v:", "o-"),
        strict=True,
    ):
        axes.plot(arrays["bits"], arrays[f"{name}_gates"], line, color=colour, label=label)
    axes.set(xlabel="bits", ylabel="gates that compute their parity", yscale="log")
    axes.legend(frameon=False)
    return figure


# --- the list -----------------------------------------------------------------------------------------------------

EXPERIMENTS = (
    Experiment(
        id="nand-multiplier",
        title=Text(
            "A multiplier built of adders, of bit adders, of NANDs, as a network of neurons",
            "由加法器、比特加法器、与非门逐层搭成的乘法器，作为神经网络",
        ),
        source=CIRCUITS,
        measure=_multiply,
        claims=(
            Claim(
                Text(
                    "Bit adders make adders, and adders a multiplier: a network of neurons that multiplies.",
                    "比特加法器组成加法器，加法器组成乘法器：一个会做乘法的神经网络。",
                ),
                _multiplies,
            ),
            Claim(
                Text("The circuit has at least three layers, probably more.", "线路至少有三层，很可能更多。"),
                _more_than_three,
            ),
            Claim(
                Text(
                    "Two layers of gates with many inputs compute it as well, with more and more gates.",
                    "多输入的门只用两层也能计算它，但需要的门越来越多。",
                ),
                _two_layers_are_wide,
            ),
        ),
        deviations=(
            Text(
                "The text draws adders as boxes; here they are ripple-carry adders of 5 and 9 NANDs a bit, and the "
                "NAND "
                "is the perceptron of chapter 1. A bit that is needed layers above is passed on by a neuron.",
                "书中的加法器只画成方框；这里是逐位进位加法器，每位用 5 个或 9 个与非门，与非门即第一章的感知器。"
                "需要跨层使用的比特由一个神经元逐层传递。",
            ),
        ),
        drawings=(
            Drawing(
                "gates",
                Text(
                    "In two layers the number of gates multiplies with every bit; with depth it grows as the square.",
                    "只用两层时，每多一位门数成倍增加；深电路的门数只按平方增长。",
                ),
                _draw_multiplier,
            ),
        ),
        runs=1,
        minutes=0.2,
    ),
    Experiment(
        id="parity-gates",
        title=Text("The parity of n bits: gates by depth", "n 个比特的奇偶性：不同深度所需的门数"),
        source=CIRCUITS,
        measure=_parity,
        claims=(
            Claim(
                Text(
                    "Shallow circuits need exponentially many gates to compute parity.",
                    "用浅的线路计算奇偶性需要指数级的门。",
                ),
                _shallow_is_exponential,
            ),
            Claim(
                Text(
                    "Deeper circuits are small: parity of pairs, of pairs of pairs, and so on.",
                    "较深的线路规模很小：先算每对比特的奇偶性，再算对的对，依此类推。",
                ),
                _deep_is_small,
            ),
        ),
        deviations=(
            Text(
                "Counted for two layers, AND and OR with any number of inputs, negated ones included. For more layers "
                "the circuits are those built here: they bound the number from above.",
                "两层的数目是精确的（与门、或门可有任意多个输入，可取反）；更多层的数目来自这里搭建的线路，是上界。",
            ),
        ),
        drawings=(
            Drawing(
                "gates",
                Text(
                    "A straight line on this scale is exponential. Four layers bend it, a tree is nearly flat.",
                    "在此坐标下直线即指数增长。四层使它变弯，树形线路几乎水平。",
                ),
                _draw_parity,
            ),
        ),
        runs=1,
        minutes=0.1,
    ),
)
