"""One training on all cores: convolutional nets on one core and on all, beside PyTorch eager and plain JAX.

python -m benchmarks cores
"""

from pathlib import Path
from typing import Any

from ..summary import ratios
from . import steps
from .nets import NETS, WIDE

__all__ = ["run", "verdicts"]

BATCH_SIZES = (10, 32, 128)
PEERS = ("firsthand", "torch_eager", "plain_jax")

# (network, mini-batch, how many times as fast firsthand should be on all cores as on one)
OF_CORES = (("conv-2", 10, 1.4), ("conv-2", 32, 1.8), ("conv-2", 128, 1.8), ("conv-wide", 32, 1.8))
# (network, mini-batch, peer, how many times as long it should take as firsthand, both at their better thread count)
OF_PEERS = (
    ("conv-2", 10, "torch_eager", 5.0),
    ("conv-2", 32, "torch_eager", 4.5),
    ("conv-wide", 32, "torch_eager", 3.0),
)


def run(folder: Path, rounds: int = 7, seconds: float = 0.4) -> None:
    """Measure, print, and write `cores.json` into a folder."""
    steps.run(folder, (NETS["conv-2"].name, WIDE.name), BATCH_SIZES, PEERS, rounds, seconds, "cores", verdicts)


def verdicts(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The targets beside what was measured."""
    contenders = {(step["net"], step["batch_size"]): step["contenders"] for step in measured}
    found = []
    for net, batch_size, target in OF_CORES:
        ours = [e for e in contenders.get((net, batch_size), []) if e["peer"] == "firsthand"]
        one, every = (ours[0], ours[-1]) if len(ours) > 1 else (None, None)
        what = f"{net}, mini-batch {batch_size}: firsthand on one core / on all cores"
        found.append(_verdict(what, target, one, every))
    for net, batch_size, peer, target in OF_PEERS:
        ours, rival = (steps.best(contenders.get((net, batch_size), []), name) for name in ("firsthand", peer))
        what = f"{net}, mini-batch {batch_size}: {peer} / firsthand, both at their better thread count"
        found.append(_verdict(what, target, rival, ours))
    return found


def _verdict(what: str, target: float, longer: dict[str, Any] | None, shorter: dict[str, Any] | None) -> dict[str, Any]:
    """The median of the ratios within the rounds, or None where one was not timed."""
    times = (e and e.get("seconds_per_step") for e in (longer, shorter))
    values = [t["values"] for t in times if t]
    return {
        "what": what,
        "target": target,
        "at_least": True,
        "measured": ratios(*values)["median"] if len(values) == 2 else None,
    }
