"""Chapter 5's circuits: built of NANDs, right on all inputs, and the same as layered networks."""

import numpy as np
import pytest

from firsthand.studies.gates import Circuit, adder, multiplier, parity_in_stages, parity_tree, prime_implicants

pytestmark = pytest.mark.tiny


def columns(n):
    numbers = np.arange(2**n)
    return numbers, (numbers >> np.arange(n)[:, None] & 1).astype(float)


def test_nand_is_the_perceptron_of_chapter_1():
    circuit = Circuit(2)
    circuit.outputs = [circuit.nand(0, 1), circuit.nand(1, 1)]
    assert circuit(columns(2)[1]).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0]]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 3), (2, 4), (4, 1)])
def test_adders_add(m, n):
    circuit = Circuit(m + n)
    circuit.outputs = adder(circuit, range(m), range(m, m + n))
    numbers, bits = columns(m + n)
    assert np.array_equal(2 ** np.arange(len(circuit.outputs)) @ circuit(bits), (numbers & 2**m - 1) + (numbers >> m))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_multipliers_multiply(n):
    circuit = multiplier(n)
    numbers, bits = columns(2 * n)
    assert np.array_equal(2 ** np.arange(len(circuit.outputs)) @ circuit(bits), (numbers & 2**n - 1) * (numbers >> n))


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_parity_circuits_tell_the_parity(n):
    numbers, bits = columns(n)
    wanted = [int(number).bit_count() % 2 for number in numbers]
    for circuit in (parity_tree(n), *(parity_in_stages(n, stages) for stages in (1, 2, 3))):
        assert circuit(bits)[0].tolist() == wanted
    assert len(parity_tree(n).gates) == 4 * (n - 1)
    assert len(parity_in_stages(n, 1).gates) == 2 ** (n - 1) + 1


def test_prime_implicants_of_known_functions():
    assert prime_implicants({3}, 2) == {(3, 0)}
    assert prime_implicants({1, 2, 3}, 2) == {(1, 2), (2, 1)}  # OR
    assert prime_implicants({1, 2}, 2) == {(1, 0), (2, 0)}  # XOR cannot be merged
    assert prime_implicants(range(8), 3) == {(0, 7)}
