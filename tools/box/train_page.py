"""Train the page network on scenes made by program, and write it into the package.

    python tools/box/train_page.py --scenes 960 [--fonts FOLDER] [--scratch FOLDER]
    python tools/box/train_page.py --start src/firsthand/reading/page.safetensors --first 20 --steps 2400 --rate 0.0015

Scenes are made from MNIST's training digits (`benchmarks/quality/scenes.py`), with Matplotlib's fonts for training and
those of a folder; 120 more are made from validation digits with other fonts, and only measured.  Scenes and a
checkpoint stay in the scratch folder: a training that was stopped goes on.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import safetensors.numpy

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.quality.scenes import CLASSES, make_scene  # noqa: E402
from firsthand.data import mnist  # noqa: E402
from firsthand.files import write_atomically  # noqa: E402
from firsthand.reading import network  # noqa: E402
from firsthand.reading.background import flatten  # noqa: E402

OUT = ROOT / "src" / "firsthand" / "reading" / "page.safetensors"
SHARD, BATCH, CROP = 60, 4, 256
RATE = 3e-3
PEN = (0.07, 0.025)  # thin pens, too: a long thin stroke is what looks most like a printed line
WEIGHTS = (0.25, 1.0, 1.0, 1.0, 0.3)  # of the classes' pixels: most are paper


def main() -> None:
    """Make scenes, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=960)
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--rate", type=float, default=RATE, help="the largest learning rate")
    parser.add_argument("--start", type=Path, help="a page network to train on; a fresh one by default")
    parser.add_argument("--first", type=int, default=0, help="number of the first file of scenes: other seeds")
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes; 0: they are made already")
    parser.add_argument("--fonts", type=Path, help="folder with more fonts for letters")
    parser.add_argument("--scratch", type=Path, default=Path("runs/page"))
    parser.add_argument("--only-scenes", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    names = [
        ("validation", 0),
        ("validation", 1),
        *(("train", chosen.first + i) for i in range(chosen.scenes // SHARD)),
    ]
    if chosen.workers:
        with ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
            for path in pool.map(partial(_shard, chosen.scratch, chosen.fonts), names):
                print(path.name, flush=True)
    if not chosen.only_scenes:
        _train(chosen)


def _shard(folder: Path, fonts: Path | None, name: tuple[str, int]) -> Path:
    """Scenes of one file: ink and grey as uint8, classes."""
    part, number = name
    path = folder / f"{part}-{number:03d}.npz"
    if path.exists():
        return path
    source = mnist().train if part == "train" else mnist().validation
    first = number * SHARD + (0 if part == "train" else 5_000_000)
    inks, greys, classes = [], [], []
    for seed in range(first, first + SHARD):
        scene = make_scene(source, seed, part, folder=fonts if part == "train" else None, pen=PEN)
        image = scene.image if seed % 12 else 255 - scene.image
        flat = flatten(image)
        grey = 255 - image if flat.light_on_dark else image
        inks.append(np.round(200 * np.clip(flat.ink, -0.2, 1.0) + 40).astype(np.uint8))
        greys.append(grey)
        classes.append(scene.classes)
    buffer = folder / f"{path.stem}.part"
    with buffer.open("wb") as file:
        np.savez_compressed(file, inks=np.stack(inks), greys=np.stack(greys), classes=np.stack(classes))
    buffer.rename(path)
    return path


def _loaded(path: Path) -> list[np.ndarray]:
    with np.load(path) as arrays:
        return [arrays[name] for name in ("inks", "greys", "classes")]


def _crop(arrays: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """A window of one of a file's scenes."""
    at, (top, left) = int(rng.integers(SHARD)), rng.integers(0, arrays[0].shape[1] - CROP + 1, 2)
    return [array[at, top : top + CROP, left : left + CROP] for array in arrays]


def _inputs(inks: np.ndarray, greys: np.ndarray, gain: np.ndarray) -> np.ndarray:
    ink = (inks.astype(np.float32) - 40) / 200
    return network.with_blocks(ink * gain[:, None, None], greys.astype(np.float32) / 255)


def _cost(params, x, y):
    z = network.weighted_inputs(params, x)
    weight = jnp.asarray(WEIGHTS)[y]
    each = optax.softmax_cross_entropy_with_integer_labels(z, y)
    return jnp.sum(weight * each) / jnp.sum(weight)


def _train(chosen: argparse.Namespace) -> None:
    rng, seconds = np.random.default_rng(0), time.process_time()
    schedule = optax.cosine_onecycle_schedule(chosen.steps, chosen.rate, 0.1)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=1e-4))
    params = network.load(chosen.start) if chosen.start else network.init(jax.random.key(0))
    state, first, checkpoint = optimizer.init(params), 0, chosen.scratch / "checkpoint.npz"
    if checkpoint.exists():
        with np.load(checkpoint) as arrays:
            first = int(arrays["step"])
            leaves = [jnp.asarray(arrays[f"a{i}"]) for i in range(len(arrays.files) - 1)]
        params, state = jax.tree.unflatten(jax.tree.structure((params, state)), leaves)
        rng = np.random.default_rng(first)

    @jax.jit
    def step(params, state, x, y):
        cost, gradient = jax.value_and_grad(_cost)(params, x, y)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, cost

    seen: dict[Path, list[np.ndarray]] = {}
    costs = []
    for i in range(first, chosen.steps):
        if i % 20 == 0:
            for path in sorted(chosen.scratch.glob("train-*.npz")):
                if path not in seen:
                    seen[path] = _loaded(path)
        paths = list(seen)
        parts = [_crop(seen[paths[int(rng.integers(len(paths)))]], rng) for _ in range(BATCH)]
        inks, greys, classes = (np.stack(part) for part in zip(*parts, strict=True))
        x = _inputs(inks, greys, rng.uniform(0.75, 1.3, BATCH).astype(np.float32))
        params, state, cost = step(params, state, x, classes.astype(np.int32))
        costs.append(float(cost))
        if (i + 1) % 100 == 0 or i + 1 == chosen.steps:
            leaves = jax.tree.leaves((params, state))
            kept: dict[str, Any] = {f"a{k}": np.asarray(leaf) for k, leaf in enumerate(leaves)}
            np.savez(checkpoint, step=i + 1, **kept)
            shown = _validated(params, chosen.scratch) if (i + 1) % 800 == 0 or i + 1 == chosen.steps else ""
            spent = time.process_time() - seconds
            print(f"step {i + 1} cost {np.mean(costs[-100:]):.4f} shards {len(seen)} {spent:.0f} s {shown}", flush=True)
            _write(params, chosen.out, i + 1, chosen)


def _validated(params, folder: Path) -> str:
    """The share of each class's pixels that is told right, of validation scenes."""
    right, total = np.zeros(len(CLASSES)), np.zeros(len(CLASSES))
    for path in sorted(folder.glob("validation-*.npz")):
        inks, greys, classes = _loaded(path)
        for at in range(0, SHARD, BATCH):
            x = _inputs(inks[at : at + BATCH], greys[at : at + BATCH], np.ones(BATCH, np.float32))
            found, y = np.asarray(_told(params, x)), classes[at : at + BATCH]
            right += np.bincount(y[found == y].ravel(), minlength=len(CLASSES))
            total += np.bincount(y.ravel(), minlength=len(CLASSES))
    return json.dumps({name: round(float(r / t), 4) for name, r, t in zip(CLASSES, right, total, strict=True)})


@jax.jit
def _told(params, x):
    return jnp.argmax(network.weighted_inputs(params, x), -1)


def _write(params, path: Path, steps: int, chosen: argparse.Namespace) -> None:
    arrays = {name: np.asarray(array, np.float16) for name, array in params.items()}
    about = {
        "about": "the page network",
        "steps": str(steps),
        "scenes": str(chosen.scenes),
        "classes": ", ".join(CLASSES),
    }
    write_atomically(path, safetensors.numpy.save(arrays, about))


if __name__ == "__main__":
    main()
