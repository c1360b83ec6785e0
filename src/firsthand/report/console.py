"""A training's progress on a terminal, as plain lines, or as JSON lines for programs."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from firsthand.learning import Progress as Step
from firsthand.learning import Quantity
from firsthand.learning.objectives.classification import ACCURACY

__all__ = ["show_progress"]


@contextmanager
def show_progress(as_json: bool, members: int = 1, quantity: Quantity = ACCURACY) -> Iterator[Callable[[Step], None]]:
    """A function for `train(progress=...)` that shows where the training is while the block runs.

    Args:
        as_json: one JSON object per epoch on standard output, and nothing else there.
        members: how many networks are trained; lines then say of which they are.
        quantity: what is shown of every part that is monitored.
    """
    console = Console(stderr=as_json)
    if as_json:
        yield lambda at: _print_json(at, members)
    elif console.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            yield _Live(bar, members, quantity)
    else:
        yield lambda at: _print_line(at, members, quantity)


def _print_json(at: Step, members: int) -> None:
    if at.record is not None:
        member = {"member": at.member} if members > 1 else {}
        print(json.dumps({"event": "epoch", "epochs": at.epochs, **member, **at.record}), flush=True)


def _print_line(at: Step, members: int, quantity: Quantity) -> None:
    if at.record is not None:
        print(
            f"{_member(at, members)}epoch {at.epoch}/{at.epochs}  {_measured(at, quantity)}",
            file=sys.stdout,
            flush=True,
        )


class _Live:
    """One bar for the whole training, and a line that stays for every completed epoch."""

    def __init__(self, bar: Progress, members: int, quantity: Quantity):
        self.bar, self.members, self.quantity = bar, members, quantity
        self.task = bar.add_task("", total=None, epoch="", rate="compiling", state="")
        self.shown = ""
        self.done: dict[int, int] = {}

    def __call__(self, at: Step) -> None:
        if at.record is not None:
            self.shown = _shown(at, self.quantity)
            line = f"{_member(at, self.members)}epoch {at.epoch:>3}  {_measured(at, self.quantity)}"
            self.bar.console.print(line, highlight=False)
        self.done[at.member] = (at.epoch - 1) * at.steps + at.step
        self.bar.update(
            self.task,
            total=self.members * at.epochs * at.steps,
            completed=sum(self.done.values()),
            epoch=f"{at.epoch}/{at.epochs}",
            rate=_rate(at),
            state=f"cost {at.batch_cost:.4f}  {self.shown}",
        )


def _member(at: Step, members: int) -> str:
    return f"member {at.member}  " if members > 1 else ""


def _measured(at: Step, quantity: Quantity) -> str:
    return f"{_rate(at)}  cost {at.batch_cost:.4f}  {_shown(at, quantity)}"


def _rate(at: Step) -> str:
    return f"{at.step / max(at.seconds, 1e-9):,.0f} steps/s"


def _shown(at: Step, quantity: Quantity) -> str:
    ending = f"_{quantity.name}"
    return "  ".join(
        f"{name.removesuffix(ending)} {f'{value:.2%}' if quantity.unit == '%' else quantity.show(value)}"
        for name, value in (at.record or {}).items()
        if name.endswith(ending)
    )
