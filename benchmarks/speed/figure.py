"""Draws results/benchmarks/steps.json: time of a training step, every contender at its better thread count."""

import json
from pathlib import Path
from typing import Any

from .steps import best

__all__ = ["NAMES", "draw"]

NAMES = {
    "firsthand": "firsthand",
    "torch_eager": "PyTorch eager",
    "torch_compile": "PyTorch torch.compile",
    "keras_jax": "Keras (JAX)",
    "plain_jax": "plain JAX",
    "sklearn_mlp": "scikit-learn",
}
_NET_NAMES = {"784-30-10": "[784, 30, 10]", "784-100-10": "[784, 100, 10]"}


def draw(folder: Path) -> None:
    """Draw `steps.json` of a folder as `steps.png` beside it: bars of medians from zero, whiskers min to max."""
    # not pyplot: no window system, no global state
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    results = json.loads((folder / "steps.json").read_text())
    steps = results["steps"]
    columns = 2 if len(steps) > 1 else 1
    rows = -(-len(steps) // columns)
    figure = Figure(figsize=(5 * columns, 0.6 + 1.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, step in zip(axes, steps, strict=False):
        _bars(axis, step)
    for axis in axes[len(steps) :]:
        axis.set_visible(False)
    figure.suptitle(f"One training step ({results['machine']}; medians of {results['n']} rounds)", fontsize=9)
    path = folder / "steps.png"
    figure.savefig(path, dpi=150)
    print(f"written: {path}")


def _bars(axis: Any, step: dict[str, Any]) -> None:
    shown = []
    one_core = next(e for e in step["contenders"] if e["peer"] == "firsthand" and e["threads"] == 1)
    shown.append(("firsthand, 1 core", one_core))
    for peer, name in NAMES.items():
        found = best(step["contenders"], peer) if peer != "firsthand" else None
        if found is not None:
            cores = "1 core" if found["threads"] == 1 else f"{found['threads']} cores"
            shown.append((f"{name}, {cores}", found))
    shown.reverse()
    for place, (name, entry) in enumerate(shown):
        ms = {key: 1e3 * entry["seconds_per_step"][key] for key in ("median", "min", "max")}
        color = "#c44e52" if name.startswith("firsthand") else "#8c96a8"
        axis.barh(place, ms["median"], color=color, height=0.7)
        axis.plot([ms["min"], ms["max"]], [place, place], color="black", linewidth=0.8)
        axis.text(ms["max"], place, f"  {ms['median']:.3g}", va="center", fontsize=7)
    axis.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=7)
    axis.set_xlim(0, 1.15 * max(1e3 * entry["seconds_per_step"]["max"] for _, entry in shown))
    axis.tick_params(axis="x", labelsize=7)
    net = _NET_NAMES.get(step["net"], step["net"])
    axis.set_title(f"{net}, mini-batch {step['batch_size']}: ms per step", fontsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
