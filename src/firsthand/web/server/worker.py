"""A training in a process of its own: `python -m firsthand.web.server.worker FOLDER`, started by trainings.py.

On standard input it is given the settings as one line of JSON, and then commands: pause, continue, stop.  On standard
output it says what happens, one JSON object a line.  It ends when its input does, so that it never outlives the lab.
After every epoch its state is in the folder; started there again, it says what it had said, and goes on.
"""

import json
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from firsthand.compilation import keep_compilations
from firsthand.errors import FirsthandError
from firsthand.files import write_atomically

from .remains import write_end
from .settings import TrainingSettings

__all__ = ["main"]

MEASURED = 5_000  # training images whose cost and accuracy are measured after an epoch
GRADIENT = 200  # training images of which the gradient is taken
BETWEEN_GRADIENTS = 0.5  # seconds
BETWEEN_STEPS = 0.05  # seconds: epochs of milliseconds are not all told step by step
BETWEEN_VERDICTS = 0.25  # seconds


class Control:
    """The lab's wishes, read by a thread."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.running.set()
        self.stopped = False
        self.paused_seconds = 0.0

    def listen(self) -> None:
        """Follow the commands until the input ends."""
        for line in sys.stdin:
            command = line.strip()
            if command == "pause":
                self.running.clear()
            elif command == "continue":
                self.running.set()
            elif command == "stop":
                self.stopped = True
                self.running.set()
        os._exit(0)  # the lab is gone

    def obey(self, say: Callable[..., None]) -> None:
        """Wait while paused; end the training, as Ctrl-C does, once it is to stop."""
        if not self.running.is_set():
            say("paused")
            started = time.perf_counter()
            self.running.wait()
            self.paused_seconds += time.perf_counter() - started
            say("training")
        if self.stopped:
            raise KeyboardInterrupt


def main() -> None:
    """Train what standard input says, and leave the model in the folder."""
    # what libraries print must not come between the lines of JSON
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(event: str, **about: Any) -> None:
        out.write(json.dumps({"event": event, **about}) + "\n")

    def end(event: str, **about: Any) -> None:
        with suppress(OSError):  # a full disk: it is said at least
            write_end(folder, {"event": event, **about})
        say(event, **about)

    if hasattr(os, "nice"):
        os.nice(10)  # the page comes first
    folder = Path(sys.argv[1])
    settings = TrainingSettings.model_validate_json(sys.stdin.readline())
    keep_compilations()
    control = Control()
    threading.Thread(target=control.listen, daemon=True).start()
    try:
        _train(settings, folder, control, say, end)
    except KeyboardInterrupt:
        end("failed", error="stopped before the first epoch was complete: there is nothing to keep")
    except FirsthandError as error:
        end("failed", error=" ".join(str(error).split()))
    except BaseException as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        os._exit(1)  # a crash, with its reason as the last line
    out.flush()
    os._exit(0)  # the thread still waits for a command


def _train(
    settings: TrainingSettings, folder: Path, control: Control, say: Callable[..., None], end: Callable[..., None]
) -> None:
    import jax

    from firsthand.data import mnist
    from firsthand.learning import train_and_finish
    from firsthand.nn import Network

    data = mnist()
    data = data._replace(train=data.train[: settings.examples])
    network, recipe = Network(settings.layers(), data.train.image_shape), settings.recipe()
    say("started", parameters=network.parameter_count, summary=network.summary())
    checkpoint, kept = folder / "checkpoint.safetensors", folder / "records.jsonl"
    teller = Teller(network, recipe, data, control, say, kept)
    if resume := checkpoint.exists():
        teller.repeat()
    key = jax.random.key(settings.seed)
    outcome = train_and_finish(
        network, data, recipe, key=key, progress=teller.hear, checkpoint=checkpoint, resume=resume
    )
    if outcome.unfinished:
        print(outcome.unfinished, file=sys.stderr)
    [history] = outcome.histories
    outcome.model.save(folder / "model.safetensors")
    write_atomically(folder / "history.json", json.dumps(history.to_json(), indent=1) + "\n")
    for path in (checkpoint, kept):
        path.unlink(missing_ok=True)
    if outcome.failure:
        end("failed", error=f"{outcome.failure}; the last good epoch can be kept", model=True)
    else:
        accuracies = outcome.model.provenance["accuracies"]
        end("done", why=history.stopped, validation_accuracy=accuracies["validation"])


class Teller:
    """Hears of the training, a few times a second, and tells the lab what it is shown.

    Args:
        network, recipe: what is trained.
        data: the training data, of which the first are measured, and the validation data.
        control: what the lab wants.
        say: tells it.
        kept: file of what was measured after every epoch.
    """

    def __init__(
        self, network: Any, recipe: Any, data: Any, control: Control, say: Callable[..., None], kept: Path
    ) -> None:
        import jax.numpy as jnp

        self.network, self.recipe, self.control, self.say = network, recipe, control, say
        some = data.train[:MEASURED]
        self.measured = jnp.asarray(some.images), jnp.asarray(some.labels)
        self.validation_images = len(data.validation)
        self.few = data.train[:GRADIENT]
        self.kept = kept
        self.records: list[dict[str, float]] = []
        self.last_step = self.last_gradient = self.last_verdict = 0.0

    def repeat(self) -> None:
        """Say what a process that was killed had said of its epochs; of the last, the checkpoint may know nothing."""
        lines = self.kept.read_text(encoding="utf-8").splitlines() if self.kept.exists() else []
        for line in lines:
            try:
                record = json.loads(line)
                at = int(record["epoch"])
            except (ValueError, TypeError, KeyError):
                break  # the line that was being written
            if at > len(self.records) + 1:
                break
            del self.records[at - 1 :]
            self.records.append(record)
        # what follows is appended: never to half a line
        write_atomically(self.kept, "".join(json.dumps(record) + "\n" for record in self.records))
        for record in self.records:
            self.say("step", at=record["epoch"], cost=_short(record["batch_cost"]), steps_per_second=0)
            self.say("epoch", at=record["epoch"], record=record)

    def hear(self, progress: Any) -> None:
        """The function that `train` calls; raises KeyboardInterrupt to end it."""
        at = progress.epoch - 1 + progress.step / progress.steps
        now = time.perf_counter()
        if progress.record is not None:
            self._epoch(progress, at)
        elif now - self.last_step >= BETWEEN_STEPS:
            self.last_step = now
            speed = progress.step / max(progress.seconds - self.control.paused_seconds, 1e-9)
            self.say("step", at=round(at, 4), cost=_short(progress.batch_cost), steps_per_second=round(speed))
        if now - self.last_gradient >= BETWEEN_GRADIENTS:
            self.last_gradient = now
            self._gradients(progress, at)
        self.control.obey(self.say)

    def _epoch(self, progress: Any, at: float) -> None:
        from firsthand.inspect import overfitting
        from firsthand.learning import History
        from firsthand.learning.evaluation import evaluate
        from firsthand.learning.parameters import penalty

        params = progress.params()
        recipe = self.recipe
        score = evaluate(self.network, params, self.measured, recipe.objective)
        # as the recipe measures it on validation data
        cost = score["cost"] + penalty(params, recipe.l2, recipe.l1)
        record = {**progress.record, "training_cost": cost, "training_accuracy": score["accuracy"]}
        record["seconds"] -= self.control.paused_seconds
        self.control.paused_seconds = 0.0
        short = {name: _short(value) for name, value in record.items()}
        if len(self.records) >= progress.epoch:  # said already, by a process that was killed before its checkpoint
            del self.records[progress.epoch - 1 :]
        else:
            self.say("epoch", at=at, record=short)
        self.records.append(record)
        with self.kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(short) + "\n")
        now, last = time.perf_counter(), progress.epoch == progress.epochs
        if last or self.control.stopped or now - self.last_verdict >= BETWEEN_VERDICTS:
            self.last_verdict = now
            found = overfitting(
                History(list(self.records)),
                training_images=len(self.measured[1]),
                validation_images=self.validation_images,
            )
            self.say("verdict", kind=found.kind, en=found.english, zh=found.chinese)

    def _gradients(self, progress: Any, at: float) -> None:
        from firsthand.inspect import gradient_lengths

        found = gradient_lengths(self.network, progress.params(), self.few, cost=self.recipe.objective.cost)
        lengths = [
            {"name": layer.name, "bias": _short(layer.bias), "weights": _short(layer.weights)} for layer in found
        ]
        self.say("gradients", at=round(at, 4), layers=lengths)


def _short(value: float) -> float | None:
    # JSON has no name for what is not finite
    return float(f"{value:.5g}") if math.isfinite(value) else None


if __name__ == "__main__":
    main()
