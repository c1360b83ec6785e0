"""Logic circuits of neurons: gates, adders, multipliers and parity, and what two layers would need (chapter 5)."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from firsthand.reference.fully_connected import feedforward

__all__ = ["Circuit", "adder", "multiplier", "parity_in_stages", "parity_tree", "prime_implicants"]


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
