"""Chapter 5's opening: circuits built of smaller circuits, as networks of neurons, and what two layers would need."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from firsthand.experiments.drawing import COLOURS, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Result, Source, Text
from firsthand.reference.fully_connected import feedforward
from firsthand.reference.functions import sigmoid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "Circuit", "adder", "multiplier", "parity_in_stages", "parity_tree", "prime_implicants"]

CIRCUITS = Source("Nielsen", "chapter 5, opening: logical circuits of two layers and of many, multiplication, parity")


class Circuit:
    """Gates over bits, each a neuron that fires where its weighted input is positive.

    Bits are numbered: the inputs first, then every gate as it is added.

    Args:
        inputs: how many input bits there are.
    """

    def __init__(self, inputs: int):
        self.inputs = inputs
        self.gates: list[tuple[dict[int, float], float]] = []  # weights by bit, and bias
        self.depths = [0] * inputs
        self.outputs: list[int] = []

    def gate(self, weights: Mapping[int, float], bias: float) -> int:
        """Add a neuron; its bit."""
        self.gates.append((dict(weights), bias))
        self.depths.append(1 + max(self.depths[bit] for bit in weights))
        return len(self.depths) - 1

    def nand(self, a: int, b: int) -> int:
        """NAND as chapter 1 has it: weights -2, -2 and bias 3."""
        return self.gate({a: -4.0} if a == b else {a: -2.0, b: -2.0}, 3.0)

    def all_of(self, bits: Iterable[tuple[int, bool]]) -> int:
        """An AND of as many inputs as wanted, each as it is (True) or negated."""
        wanted = list(bits)
        return self.gate(
            {bit: 2.0 if plain else -2.0 for bit, plain in wanted}, 1.0 - 2 * sum(plain for _, plain in wanted)
        )

    def any_of(self, bits: Iterable[int]) -> int:
        """An OR of as many inputs as wanted."""
        return self.gate(dict.fromkeys(bits, 2.0), -1.0)

    @property
    def depth(self) -> int:
        """Gates on the longest way from an input to an output."""
        return max(self.depths[bit] for bit in self.outputs)

    def layers(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The same as a network of fully connected layers: weights and biases, as `feedforward` takes them.

        A bit that is needed further up is passed on by a neuron of weight 2 and bias -1.
        """
        last = dict.fromkeys(self.outputs, self.depth)
        for number, (weights, _) in enumerate(self.gates):
            for bit in weights:
                last[bit] = max(last.get(bit, 0), self.depths[self.inputs + number] - 1)
        below, all_weights, all_biases = list(range(self.inputs)), [], []
        for depth in range(1, self.depth + 1):
            bits = [bit for bit, until in last.items() if self.depths[bit] <= depth <= until]
            if depth == self.depth:
                bits = list(self.outputs)
            place = {bit: i for i, bit in enumerate(below)}
            w, b = np.zeros((len(bits), len(below))), np.full((len(bits), 1), -1.0)
            for row, bit in enumerate(bits):
                if self.depths[bit] < depth:
                    w[row, place[bit]] = 2.0
                    continue
                weights, b[row] = self.gates[bit - self.inputs]
                for source, weight in weights.items():
                    w[row, place[source]] = weight
            below = bits
            all_weights.append(w)
            all_biases.append(b)
        return all_weights, all_biases

    def __call__(self, bits: np.ndarray) -> np.ndarray:
        """The outputs of the network of perceptrons for columns of bits, (inputs, m) -> (outputs, m)."""
        return feedforward(*self.layers(), bits, lambda z: (z > 0).astype(float))


def _add_bits(circuit: Circuit, a: int, b: int, carry: int | None) -> tuple[int, int]:
    """Sum and carry of two bits, or of three: a half adder of 5 NANDs, a full adder of 9."""
    none = circuit.nand(a, b)
    total = circuit.nand(circuit.nand(a, none), circuit.nand(b, none))  # a XOR b
    if carry is None:
        return total, circuit.nand(none, none)
    both = circuit.nand(total, carry)
    return circuit.nand(circuit.nand(total, both), circuit.nand(carry, both)), circuit.nand(both, none)


def adder(circuit: Circuit, a: Sequence[int], b: Sequence[int]) -> list[int]:
    """The bits of a + b, lowest first, one more than the longer of the two has."""
    carry, total = None, []
    shorter, longer = sorted((a, b), key=len)
    for place, bit in enumerate(longer):
        other = shorter[place] if place < len(shorter) else None
        if other is None and carry is None:
            total.append(bit)
            continue
        first, second = (bit, other) if other is not None else (bit, carry)
        assert first is not None
        assert second is not None
        one, carry = _add_bits(circuit, first, second, carry if other is not None else None)
        total.append(one)
    return total if carry is None else [*total, carry]


def multiplier(n: int) -> Circuit:
    """The product of two n-bit numbers: shifted rows of ANDs, added row by row; NANDs throughout."""
    circuit = Circuit(2 * n)
    a, b = range(n), range(n, 2 * n)
    rows = []
    for j in b:
        nots = [circuit.nand(i, j) for i in a]
        rows.append([circuit.nand(bit, bit) for bit in nots])
    total = rows[0]
    for place, row in enumerate(rows[1:], start=1):
        # the lower bits of the sum are finished: no later row reaches them
        total = [*total[:place], *adder(circuit, total[place:], row)]
    circuit.outputs = total
    return circuit


# --- parity -------------------------------------------------------------------------------------------------------


def parity_tree(n: int) -> Circuit:
    """The parity of pairs, then of pairs of pairs: 4 NANDs a pair."""
    circuit = Circuit(n)
    bits = list(range(n))
    while len(bits) > 1:
        pairs = zip(bits[::2], bits[1::2], strict=False)
        above = []
        for a, b in pairs:
            none = circuit.nand(a, b)
            above.append(circuit.nand(circuit.nand(a, none), circuit.nand(b, none)))
        bits = [*above, *([bits[-1]] if len(bits) % 2 else [])]
    circuit.outputs = bits
    return circuit


def _odd(circuit: Circuit, bits: Sequence[int]) -> int:
    """Parity in two layers: an AND for every set of inputs that is odd, and an OR of them."""
    if len(bits) == 1:
        return bits[0]
    sets = (chosen for size in range(1, len(bits) + 1, 2) for chosen in combinations(bits, size))
    return circuit.any_of([circuit.all_of((bit, bit in chosen) for bit in bits) for chosen in sets])


def parity_in_stages(n: int, stages: int) -> Circuit:
    """Parity of blocks, of blocks of blocks ...: `stages` times two layers of gates with any number of inputs."""
    circuit = Circuit(n)
    bits = list(range(n))
    for left in range(stages, 0, -1):
        blocks = math.ceil(len(bits) / math.ceil(round(len(bits) ** (1 / left), 9)))
        bits = [_odd(circuit, bits[i::blocks]) for i in range(blocks)]
    circuit.outputs = bits
    return circuit


def prime_implicants(true: Iterable[int], n: int) -> set[tuple[int, int]]:
    """All ANDs that imply a function and cannot be made shorter, as (value, mask of the inputs that do not matter).

    Args:
        true: the inputs, as numbers, where the function is 1.
        n: bits.
    References:
        Quine 1952; McCluskey 1956.
    """
    terms, prime = {(value, 0) for value in true}, set()
    while terms:
        merged, used = set(), set()
        for value, mask in terms:
            for bit in (1 << i for i in range(n)):
                other = (value ^ bit, mask)
                if not mask & bit and other in terms:
                    merged.add((value & ~bit, mask | bit))
                    used |= {(value, mask), other}
        prime |= terms - used
        terms = merged
    return prime


# --- the measurements ---------------------------------------------------------------------------------------------

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
    """How many ANDs a two-layer circuit needs at most: prime implicants, the one that covers most first."""
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
