"""The folder that a training leaves behind: the model, its history, and pages and pictures to look at."""

import base64
import dataclasses
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax

from firsthand.data import Dataset, Examples, Sequences
from firsthand.errors import FirsthandError
from firsthand.files import remove_leftovers, write_atomically
from firsthand.inspect import Reliability, confusion_matrix, mistakes, negative_log_likelihood, reliability
from firsthand.learning import History, Quantity
from firsthand.learning.objectives.classification import ACCURACY
from firsthand.models import Autoencoder, Classifier, Ensemble, Generator, LanguageModel, NetworkModel, Policy

from .films import as_film
from .generative_run import drawn

__all__ = ["RunFolder", "new_run_folder", "write_run"]


SAMPLED = 400  # letters of a report's samples
EPISODES, FEWER = 100, 30  # of a policy in a report, and of one whose game is played in Python


class RunFolder(NamedTuple):
    """The files of one run."""

    path: Path

    @property
    def settings(self) -> Path:
        """The file of settings that the run was started with, so that it can be resumed."""
        return self.path / "settings.json"

    @property
    def checkpoint(self) -> Path:
        """The state after the last completed epoch; removed once the run is complete."""
        return self.path / "checkpoint.safetensors"

    def checkpoints(self) -> list[Path]:
        """The checkpoint, or those of an ensemble's members, as far as they are there."""
        name = re.escape(self.checkpoint.name)
        return sorted(path for path in self.path.glob("*") if re.fullmatch(rf"{name}(-\d+)?", path.name))

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model.safetensors"

    @property
    def history(self) -> Path:
        """The file of the quantities measured in every epoch."""
        return self.path / "history.json"

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.path / "report.html"

    @property
    def pretraining(self) -> Path:
        """The checkpoints of machines that are trained before the network; removed once the run is complete."""
        return self.path / "pretraining"

    @property
    def has_begun(self) -> bool:
        """Return whether there is anything but hidden files: a kill may come before the settings are written."""
        return any(not path.name.startswith(".") for path in self.path.iterdir())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep all other processes from this run while the block runs; the lock ends with the process.

        Raises:
            FirsthandError: another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # not on this system: who starts two has to take care
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FirsthandError(f"{self.path}: another process trains in it, expected one at a time") from None
            except OSError:  # some network file systems have no locks
                pass
            yield
        finally:
            os.close(descriptor)

    def tidy(self) -> None:
        """Remove what a complete run needs no more: checkpoints, and the unfinished files of killed processes."""
        for checkpoint in self.checkpoints():
            checkpoint.unlink()
        shutil.rmtree(self.pretraining, ignore_errors=True)
        remove_leftovers(self.path)


def new_run_folder(path: Path | None, name: str) -> RunFolder:
    """Make the folder of a new run: the path given, or runs/DATE-TIME-NAME.

    Raises:
        FirsthandError: something is there already; it is not touched.  Hidden files do not count, nor does a folder in
            which a run was killed before it began.
    """
    if path is None:
        path = Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        if not path.is_dir() or RunFolder(path).has_begun:
            raise FirsthandError(f"{path}: exists already, expected a new folder (or --resume {path})") from None
    return RunFolder(path)


def write_run(
    folder: RunFolder,
    model: NetworkModel | Ensemble,
    histories: Sequence[History],
    test: Examples | None,
    seconds: float,
    quantities: Sequence[Quantity] = (ACCURACY,),
) -> None:
    """Write model, history, pictures (PNG) and a self-contained report page into a run's folder.

    Args:
        folder: of the run.
        model: what was trained.
        histories: of the training, or of each member.
        test: data for the confusion matrix, the mistakes and the reliability diagram, a text to read on, or
            images to be given back; without them the report leaves these out.
        seconds: how long the whole run took.
        quantities: what the training is judged by; the first decides.
    """
    from firsthand.inspect import plots  # Matplotlib takes a second to import, and only reports need it

    model.save(folder.model)
    kept = [history.to_json() for history in histories]
    write_atomically(folder.history, json.dumps(kept[0] if len(kept) == 1 else kept, indent=1) + "\n")
    figures = {"learning curves": plots.plot_history(*histories, quantity=quantities[0])}
    if isinstance(model, LanguageModel):
        rows, written = _language(model, test, quantities)
        write_atomically(folder.report, _page(model, histories, rows, _written(folder, figures), seconds, written))
        return
    if isinstance(model, Generator | Autoencoder):
        pictures = _written(folder, figures) | drawn(model, test)
        for name, png in pictures.items():
            write_atomically(folder.path / f"{name.replace(' ', '_')}.png", png)
        write_atomically(folder.report, _page(model, histories, _scores(model, quantities), pictures, seconds))
        return
    if isinstance(model, Policy):
        rows = _played(model)
        if len(model.input_shape) == 3:  # a game that is seen as numbers has no pictures
            write_atomically(folder.path / "game.gif", as_film(model.film(key=jax.random.key(0)), model))
        write_atomically(folder.report, _page(model, histories, rows, _written(folder, figures), seconds))
        return
    if not isinstance(model, Classifier):
        rows = _scores(model, quantities)
        write_atomically(folder.report, _page(model, histories, rows, _written(folder, figures), seconds))
        return
    rows = _accuracies(model) + _calibration(model)
    if isinstance(test, Dataset):
        matrix = confusion_matrix(test.labels, model.predict(test.images), len(model.classes))
        found = mistakes(model, test)
        figures["confusion matrix"] = plots.plot_confusion(matrix, model.classes)
        if found:
            figures["mistakes"] = plots.plot_mistakes(test, found)
        diagrams, costs = _reliability(model, test)
        figures["reliability"] = plots.plot_reliability(diagrams)
        errors = [f"{diagram.expected_calibration_error:.2%}" for diagram in diagrams.values()]
        rows.append(("test calibration error", " → ".join(errors)))
        rows.append(("test negative log-likelihood", " → ".join(f"{cost:.4f}" for cost in costs)))
    write_atomically(folder.report, _page(model, histories, rows, _written(folder, figures), seconds))


def _written(folder: RunFolder, figures: dict[str, Any]) -> dict[str, bytes]:
    """Pictures of figures, written into the folder."""
    pictures = {}
    for name, figure in figures.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        pictures[name] = buffer.getvalue()
        write_atomically(folder.path / f"{name.replace(' ', '_')}.png", pictures[name])
    return pictures


def _language(
    model: LanguageModel, test: Examples | None, quantities: Sequence[Quantity]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Score a language model on pieces each read from nothing, and on the test text read on; and draw samples."""
    rows = _scores(model, quantities[:2])
    if isinstance(test, Sequences):
        text = "".join(test.symbols[number] for number in [*test.inputs.ravel(), test.targets[-1, -1]])
        bits = model.bits(text)
        rows.append(
            (
                "test text, read on with a memory",
                f"{bits:.3f} bit per symbol, perplexity {2**bits:.2f}, n = {len(text) - 1:,}",
            )
        )
    start = "\n" if "\n" in model.symbols else model.symbols[0]
    key = jax.random.key(0)
    return rows, {
        f"written at temperature {temperature}": model.sample(start, SAMPLED, key=key, temperature=temperature)
        for temperature in (0.5, 0.8, 1.0)
    }


def _played(model: Policy) -> list[tuple[str, str]]:
    """The scores of a policy, and of play at random."""
    rows, episodes = [], EPISODES if model.environment.compiled else FEWER
    for name, epsilon in (("score", 0.0), ("score at random", 1.0)):
        rewards = model.play(episodes, key=jax.random.key(0), epsilon=epsilon).rewards
        rows.append((name, f"{rewards.mean():.2f} ± {rewards.std():.2f} ({episodes} episodes)"))
    return rows


def _scores(model: Any, quantities: Sequence[Quantity]) -> list[tuple[str, str]]:
    return [
        (f"{part} {quantity.en}", quantity.show(found[quantity.name]))
        for quantity in quantities
        for part, found in model.provenance["scores"].items()
        if quantity.name in found
    ]


def _accuracies(model: Classifier) -> list[tuple[str, str]]:
    about = model.provenance
    rows = [(f"{name} accuracy", f"{value:.2%}") for name, value in about["accuracies"].items()]
    rows += [(f"{name} accuracy by votes", f"{value:.2%}") for name, value in about.get("votes", {}).items()]
    if tuning := about.get("fine_tuning"):
        rows += [
            (f"test accuracy, {kind} images", f"{before['accuracy']:.2%} → {tuning['after'][kind]['accuracy']:.2%}")
            for kind, before in tuning["before"].items()
        ]
    return rows


def _calibration(model: Classifier) -> list[tuple[str, str]]:
    about = model.provenance.get("calibration")
    if model.temperature is None or about is None:
        return []
    costs = f"{about['nll_before']:.4f} → {about['nll_after']:.4f}"
    return [("temperature", f"{model.temperature:.3f}, from {about['n']:,} validation images, NLL {costs}")]


def _reliability(model: Classifier, test: Dataset) -> tuple[dict[str, Reliability], list[float]]:
    """Reliability diagrams and negative log-likelihoods without the temperature and with it, if there is one."""
    models = {"": model}
    if model.temperature is not None:
        kept: Any = model  # a dataclass, whichever it is
        models = {"before temperature scaling": dataclasses.replace(kept, temperature=None), "after": model}
    z = model.weighted_inputs(test.images)
    probabilities = {name: each.probabilities_at(z) for name, each in models.items()}
    return (
        {name: reliability(p, test.labels) for name, p in probabilities.items()},
        [negative_log_likelihood(p, test.labels) for p in probabilities.values()],
    )


def _page(
    model: NetworkModel | Ensemble,
    histories: Sequence[History],
    rows: list[tuple[str, str]],
    pictures: dict[str, bytes],
    seconds: float,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> str:
    about = model.provenance
    rows = [
        *rows,
        ("parameters", f"{model.parameter_count:,}"),
        ("epochs", f"{about['epochs']}, best {about['best_epoch']} ({histories[0].stopped})"),
        ("time", f"{seconds:.0f} s on {about['machine']}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())),
        ("recipe", json.dumps(about["recipe"])),
        ("training data (SHA-256)", about["training_data"]),
    ]
    table = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    images = "\n".join(
        f"<h2>{escape(name)}</h2>\n"
        f'<img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for name, png in pictures.items()
    )
    images += "".join(f"\n<h2>{escape(name)}</h2>\n<pre>{escape(text)}</pre>" for name, text in texts.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>firsthand: training report</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222;
       background: #fff; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; overflow-wrap: anywhere; }}
th {{ white-space: nowrap; }} img {{ max-width: 100%; }} pre {{ overflow-x: auto; }}
</style></head><body>
<h1>Training report</h1>
<table>
{table}
</table>
<h2>network</h2>
<pre>{escape(model.summary())}</pre>
{images}
</body></html>
"""
