"""The floor: how fast a step could be if it did nothing but multiply and add, at the machine's measured peak.

dense floor    forward, gradients of the weights, and gradients of the inputs (not of the first layer's) of the
               convolutions and fully connected layers
sparse floor   the same, but the backward pass of a convolution only where a gradient is: at one of the four positions
               of a pooling window, and there, because of the ReLU, half of the time
"""

import ctypes
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..summary import about, ratios, save, spread
from .contest import Worker, interleaved, prepare, workplace
from .nets import NETS, Conv, Net, shapes

__all__ = ["flops", "measured_peak", "run"]

TARGET = 1.2  # conv-2 at mini-batch 10: step at most this many times the dense floor

# Independent chains of multiply-adds on vectors in registers: more chains than the latency times the units need,
# fewer than there are registers.
_PROGRAM = """
typedef float vector __attribute__((vector_size(BYTES)));
enum { CHAINS = 12 };
double multiply_adds(long rounds, float factor) {
    vector sum[CHAINS], x, y;
    for (int i = 0; i < BYTES / 4; i++) { x[i] = factor; y[i] = 1e-7f; }
    for (int j = 0; j < CHAINS; j++) sum[j] = x + (float)j;
    for (long r = 0; r < rounds; r++) {
        #pragma GCC unroll 12
        for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * x + y;
    }
    float total = 0;
    for (int j = 0; j < CHAINS; j++) for (int i = 0; i < BYTES / 4; i++) total += sum[j][i];
    return total;
}
"""


def multiply_adds(net: Net) -> list[tuple[bool, int]]:
    """List the layers with parameters: whether it is a convolution, and multiply-adds of an example's forward pass."""
    layers = net.without_dropout().layers
    found = []
    for (entering, weights), layer in zip(shapes(net), layers, strict=True):
        positions = 1
        if isinstance(layer, Conv):
            positions = (entering[0] - layer.size + 1) * (entering[1] - layer.size + 1)
        found.append((isinstance(layer, Conv), positions * int(np.prod(weights))))
    return found


def flops(net: Net, batch_size: int, sparse: bool = False) -> float:
    """Floating-point operations of a step, a multiply-add being two."""
    total = 0.0
    for number, (convolution, forward) in enumerate(multiply_adds(net)):
        backward = forward * (2 if number else 1)  # nobody asks for the gradient of the images
        total += forward + (backward / 8 if sparse and convolution else backward)
    return 2 * total * batch_size


def measured_peak(seconds: float = 0.5) -> tuple[float, str]:
    """Single-precision operations per second of one core, and how they were measured.

    The best of several turns: a peak is what the machine can do, and everything else that it does can only lower it.
    """
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        return _matrix_peak(seconds), "NumPy matrix products (no C compiler to measure multiply-adds with)"
    best = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for width in (64, 32, 16):
            library = _compiled(compiler, Path(folder), width)
            best = max(best, (_rate(library, width, seconds), f"chains of multiply-adds on {8 * width}-bit vectors"))
    return best


def _compiled(compiler: str, folder: Path, width: int) -> ctypes.CDLL:
    source, target = folder / "peak.c", folder / f"peak{width}.so"
    source.write_text(_PROGRAM)
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", f"-DBYTES={width}"]
    subprocess.run([compiler, *flags, "-o", str(target), str(source)], check=True, capture_output=True)
    library = ctypes.CDLL(str(target))
    library.multiply_adds.restype = ctypes.c_double
    library.multiply_adds.argtypes = ctypes.c_long, ctypes.c_float
    return library


def _rate(library: ctypes.CDLL, width: int, seconds: float) -> float:
    rounds, operations = 200_000, 2 * 12 * width // 4
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        library.multiply_adds(rounds, 0.999)
        best = max(best, rounds * operations / (time.perf_counter() - started))
    return best


def _matrix_peak(seconds: float) -> float:
    a = np.ones((768, 768), np.float32)
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        np.matmul(a, a)
        best = max(best, 2 * len(a) ** 3 / (time.perf_counter() - started))
    return best


def run(folder: Path, rounds: int = 7, seconds: float = 0.4) -> None:
    """Measure peak and steps in turn, print, and write `floor.json` into a folder."""
    import os

    results = about(rounds)
    cores = os.sched_getaffinity(0)
    with workplace() as place:
        worker = Worker("firsthand", 1, place)
        try:
            found, how = [], ""
            for net in NETS.values():
                prepare(place, net.name, worker)
                for batch_size in (10, 128):
                    worker.ask("prepare", variant="train", net=net.name, batch_size=batch_size, dropout=True)
                    trial = [worker.seconds_per_step("train", n) for n in (3, 20)][-1]
                    steps = max(3, min(int(seconds / trial), 50_000 // batch_size))
                    peaks, times = [], []
                    for _ in range(rounds):
                        # the peak in the same round as the step: the clock is not always the same
                        os.sched_setaffinity(0, {min(cores)})
                        peak, how = measured_peak(0.1)
                        os.sched_setaffinity(0, cores)
                        peaks.append(peak)
                        times.append(interleaved([(worker, "train", steps)], 1)[0][0])
                    found.append(_entry(net, batch_size, peaks, times))
        finally:
            worker.close()
    results |= {"peak": how, "floors": found}
    main = next(e for e in found if (e["net"], e["batch_size"]) == ("conv-2", 10))
    results["targets"] = [
        {
            "what": "conv-2, mini-batch 10: step on one core / dense floor",
            "target": TARGET,
            "at_least": False,
            "measured": main["step_to_dense_floor"]["median"],
        }
    ]
    save(folder / "floor.json", results)


def _entry(net: Net, batch_size: int, peaks: list[float], times: list[float]) -> dict[str, Any]:
    floors = {kind: [flops(net, batch_size, kind == "sparse") / p for p in peaks] for kind in ("dense", "sparse")}
    entry = {
        "net": net.name,
        "batch_size": batch_size,
        "dense_flops": flops(net, batch_size),
        "sparse_flops": flops(net, batch_size, sparse=True),
        "peak_flops_per_second": spread(peaks),
        "seconds_per_step": spread(times),
        "step_to_dense_floor": ratios(times, floors["dense"]),
        "step_to_sparse_floor": ratios(times, floors["sparse"]),
    }
    print(
        f"{net.name:10} mini-batch {batch_size:3}: {1e3 * entry['seconds_per_step']['median']:8.3f} ms per step, "
        f"{entry['step_to_dense_floor']['median']:.2f} of the dense floor, "
        f"{entry['step_to_sparse_floor']['median']:.2f} of the sparse floor, "
        f"peak {entry['peak_flops_per_second']['median'] / 1e9:.0f} GFLOP/s"
    )
    return entry
