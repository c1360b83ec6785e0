"""A Boltzmann machine beside scikit-learn's: the same sizes, steps and learning rate, on one core.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python -m benchmarks boltzmann

Both learn by persistent contrastive divergence with one step, `BernoulliRBM`'s only way, on the same images as float32,
epoch after epoch in turn.  How good each is at the end says scikit-learn's own pseudo-likelihood, of the same images.
"""

import os
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from firsthand import nn
from firsthand.data import Arrays, Splits, mnist
from firsthand.learning import ContrastiveDivergence, Recipe
from firsthand.learning.run import Run, pass_over
from firsthand.learning.single import placed
from firsthand.learning.source import as_source

from ..summary import about, ratios, save, spread

__all__ = ["run"]

SIZES = ((256, 10), (500, 100))  # hidden units, images in a mini-batch; the first is scikit-learn's default
RATE = 0.05
IMAGES = 10_000
TARGET = 5.0


def run(folder: Path, rounds: int = 7, images: int = IMAGES) -> None:
    """Measure, print, and write `boltzmann.json` into a folder.

    Args:
        folder: where to.
        rounds: epochs of each, in turn.
        images: in an epoch.
    """
    import sklearn

    results: dict[str, Any] = about(rounds, cores=len(os.sched_getaffinity(0)), images=images, learning_rate=RATE)
    results["versions"]["scikit-learn"] = sklearn.__version__
    x = mnist().train.images[:images].reshape(images, -1).astype(np.float32) / 255
    results["machines"] = [_measure(x, units, batch, rounds) for units, batch in SIZES]
    measured = min(each["times"]["median"] for each in results["machines"])
    results["targets"] = [
        {
            "what": "a Boltzmann machine, times as fast as scikit-learn's",
            "target": TARGET,
            "measured": measured,
            "at_least": True,
        }
    ]
    save(folder / "boltzmann.json", results)


def _measure(x: np.ndarray, units: int, batch: int, rounds: int) -> dict[str, Any]:
    from sklearn.neural_network import BernoulliRBM

    data = Splits(Arrays((x,)), None, None)
    network = nn.Network((nn.RBM(units, chains=batch),), x.shape[1:])
    recipe = Recipe(rounds, batch, RATE, objective=ContrastiveDivergence(persistent=True), monitor=(), keep_best=False)

    def fresh(seed: int) -> Run:
        arrays = placed(network, data, recipe)
        return Run(network, recipe, as_source(data.train), arrays, jax.random.key(seed))

    ours, warm = fresh(0), fresh(1)
    program = ours.program()
    pass_over([warm], program)  # compiles
    theirs = BernoulliRBM(units, learning_rate=RATE, batch_size=batch, random_state=0)
    order = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {"firsthand": [], "scikit-learn": []}
    for _ in range(rounds):
        started = time.perf_counter()
        pass_over([ours], program)
        seconds["firsthand"].append(time.perf_counter() - started)
        shuffled = x[order.permutation(len(x))]  # ours shuffles too, within its time
        started = time.perf_counter()
        for at in range(0, len(x), batch):
            theirs.partial_fit(shuffled[at : at + batch])
        seconds["scikit-learn"].append(time.perf_counter() - started)
    judge = BernoulliRBM(units, random_state=0)
    found: dict[str, Any] = {"scikit-learn": (theirs.components_, theirs.intercept_hidden_, theirs.intercept_visible_)}
    params = ours.params[0]
    found["firsthand"] = tuple(
        np.asarray(each) for each in (params["weights"].T, params["bias"], params["visible_bias"])
    )
    likelihoods = {}
    for name, (judge.components_, judge.intercept_hidden_, judge.intercept_visible_) in found.items():
        judge._n_features_out = units
        likelihoods[name] = float(np.mean(judge.score_samples(x)))
    times = ratios(seconds["scikit-learn"], seconds["firsthand"])
    print(
        f"{units} units, mini-batches of {batch}: {times['median']:.2f} times as fast as scikit-learn; "
        f"pseudo-likelihood {likelihoods['firsthand']:.1f} and {likelihoods['scikit-learn']:.1f}",
        flush=True,
    )
    return {
        "units": units,
        "batch_size": batch,
        "seconds_per_epoch": {name: spread(values) for name, values in seconds.items()},
        "times": times,
        "pseudo_likelihood": likelihoods,
    }
