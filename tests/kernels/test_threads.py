"""The kernels on several threads: the same bits as on one, whoever else is in a kernel."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest

from firsthand import kernels
from firsthand.errors import FirsthandError
from firsthand.kernels import SteppedWeights, conv_pool, gru, lstm, simple

needs_native = pytest.mark.skipif(
    kernels.status().active != "native", reason=f"no compiled kernels here: {kernels.status().reason}"
)

# every kernel, at shapes that are divided; prints the number of threads, and a hash of all bits
PROGRAM = """
import hashlib
import runpy
import sys
import jax
import numpy as np
from firsthand import kernels
everything = runpy.run_path(sys.argv[1])["everything"]
digest = hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in jax.tree.leaves(everything())))
print(kernels.threads(), digest.hexdigest())
"""


def everything():
    """Results of every kernel, forward and back."""
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.standard_normal(shape, np.float32)

    found = []
    for batch, side, channels, size, filters, pool in [
        (10, 28, 1, 5, 20, 2),  # direct
        (10, 12, 20, 5, 40, 2),  # fewer products
        (2, 14, 12, 5, 37, 2),  # few images
        (9, 13, 3, 3, 7, 3),  # fewer filters than lanes
        (40, 12, 1, 3, 6, 2),  # rows shorter than a vector
        (6, 12, 32, 3, 48, 1),  # no pooling
    ]:
        x, weights, bias = normal(batch, side, side, channels), normal(size, size, channels, filters), normal(filters)
        activation = "relu" if filters % 2 == 0 else "linear"

        @jax.jit
        def layer(x, weights, bias, pool=pool, activation=activation):
            y, back = jax.vjp(lambda *a: conv_pool(*a, pool=(pool, pool), activation=activation), x, weights, bias)
            return y, back(jax.numpy.cos(y))

        found.append(layer(x, weights, bias))
    for batch, inputs, units in [(10, 640, 1000), (33, 301, 517), (3, 2000, 90)]:
        for dead in (True, False):
            x, weights, delta = np.maximum(normal(batch, inputs), 0), normal(inputs, units), normal(batch, units)

            @jax.jit
            def dense(x, weights, delta, rate, dead=dead):
                z, back = jax.vjp(lambda x, w: x @ w, x, SteppedWeights(weights, rate, 0.1, dead))
                return z, back(delta)

            found.append(dense(x, weights, delta, np.float32(0.3)))
    states, kernels_of = (
        (normal(18, 33), normal(18, 33)),
        lambda gates: (normal(21, 33 * gates), normal(33, 33 * gates)),
    )
    for cell, arguments in [
        (simple, (normal(18, 12, 21), states[0], *kernels_of(1), normal(33))),
        (lstm, (normal(18, 12, 21), *states, *kernels_of(4), normal(132))),
        (gru, (normal(18, 12, 21), states[0], *kernels_of(3), normal(132))),
    ]:

        @jax.jit
        def recurrent(arguments, cell=cell):
            found, back = jax.vjp(cell, *arguments)
            return found, back(jax.tree.map(jax.numpy.cos, found))

        found.append(recurrent(arguments))
    return found


def run(threads: int) -> list[str]:
    """The program in a process whose pool of threads, and so XLA's, has this size."""
    environment = {**os.environ, "NPROC": str(threads), "JAX_PLATFORMS": "cpu"}
    return output_of(PROGRAM, environment)


def output_of(program: str, environment: dict[str, str]) -> list[str]:
    """The words that a program prints."""
    command = [sys.executable, "-c", program, __file__]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
@needs_native
def test_the_same_bits_on_any_number_of_threads():
    alone, *others = (run(threads) for threads in (1, 2, 7))
    assert alone[0] == "1"
    assert [threads for threads, _ in others] == ["2", "7"]
    assert {digest for _, digest in others} == {alone[1]}


# a whole training, with gather, dropout, a dense layer that steps, update, evaluation
TRAINING = """
import hashlib
import jax
import numpy as np
from firsthand import Network, kernels, mnist, nn, train
from firsthand.data import Splits
from firsthand.learning import Recipe
layers = nn.ConvPool(20, 5), nn.ConvPool(24, 3), nn.FullyConnected(1000, nn.relu), nn.Dropout(0.5), nn.Softmax(10)
data = Splits(mnist().train[:330], mnist().validation[:100], None)
recipe = Recipe(epochs=2, batch_size=32, learning_rate=0.05)
model, _ = train(Network(layers), data, recipe, key=jax.random.key(1))
parts = [np.asarray(p).tobytes() for p in jax.tree.leaves(model.params)]
print(kernels.threads(), hashlib.sha256(b"".join(parts)).hexdigest())
"""


@pytest.mark.slow
@needs_native
def test_a_training_ends_with_the_same_bits_on_any_number_of_threads():
    alone, two = (
        output_of(TRAINING, {**os.environ, "NPROC": str(threads), "JAX_PLATFORMS": "cpu"}) for threads in (1, 2)
    )
    assert (alone[0], two[0]) == ("1", "2")
    assert alone[1:] == two[1:]


@needs_native
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity of processes")
def test_a_process_on_one_core_has_one_thread():
    code = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n" + PROGRAM
    environment = {name: value for name, value in os.environ.items() if name != "NPROC"}
    assert output_of(code, environment) == run(1)


@needs_native
def test_the_limit():
    before = kernels.threads()
    try:
        kernels.limit_threads(1)
        assert kernels.threads() == 1
        alone = everything()
        kernels.limit_threads(before + 100)
        assert kernels.threads() == before
    finally:
        kernels.limit_threads(None)
    assert kernels.threads() == before
    with pytest.raises(FirsthandError, match=r"^threads: found 0, expected 1 or more$"):
        kernels.limit_threads(0)
    jax.tree.map(np.testing.assert_array_equal, everything(), alone)


@pytest.mark.slow
@needs_native
def test_members_side_by_side_are_as_if_alone():
    """More callers than threads: nobody waits for a part that nobody has begun."""
    expected = everything()
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda _: everything(), range(12)):
            jax.tree.map(np.testing.assert_array_equal, found, expected)
