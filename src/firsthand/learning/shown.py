"""A training's progress: in a notebook, on a terminal, as plain lines, or as JSON lines for programs."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from firsthand.notebooks import in_notebook, someone_looks

from .quantity import COST, Quantity
from .run import Progress

__all__ = ["Callback", "Callbacks", "all_of", "show_progress", "shown_progress"]

Callback: TypeAlias = Callable[[Progress], None]
Callbacks: TypeAlias = Callback | Sequence[Callback] | None

_LINES = 8  # of the last epochs, under a notebook's bar


def all_of(callbacks: Callbacks) -> Callback | None:
    """One function that calls several, in their order; None where there are none."""
    if callbacks is None or callable(callbacks):
        return callbacks
    several = tuple(callbacks)
    if len(several) < 2:
        return several[0] if several else None

    def call(at: Progress) -> None:
        for callback in several:
            callback(at)

    return call


@contextmanager
def shown_progress(
    callbacks: Callbacks, verbose: bool | None, members: int, quantity: Quantity
) -> Iterator[Callback | None]:
    """The progress function that `train` calls: the functions it was given, and a bar where one is wanted.

    Args:
        callbacks: as for `train`.
        verbose: whether to show a bar; None shows it where somebody looks and no function was given.
        members, quantity: as for `show_progress`.
    """
    given = all_of(callbacks)
    if not (someone_looks() and given is None if verbose is None else verbose):
        yield given
        return
    with show_progress(False, members, quantity) as bar:
        yield bar if given is None else all_of((bar, given))


@contextmanager
def show_progress(as_json: bool, members: int = 1, quantity: Quantity = COST) -> Iterator[Callback]:
    """A function for `train(progress=...)` that shows where the training is while the block runs.

    Args:
        as_json: one JSON object per epoch on standard output, and nothing else there.
        members: how many networks are trained; lines then say of which they are.
        quantity: what is shown of every part that is monitored.
    """
    if as_json:
        yield lambda at: _print_json(at, members)
        return
    if in_notebook():
        yield _Notebook(members, quantity)
        return
    console = Console()
    if console.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=console) as bar:
            yield _Live(bar, members, quantity)
    else:
        yield lambda at: _print_line(at, members, quantity)


def _print_json(at: Progress, members: int) -> None:
    if at.record is not None:
        member = {"member": at.member} if members > 1 else {}
        print(json.dumps({"event": "epoch", "epochs": at.epochs, **member, **at.record}), flush=True)


def _print_line(at: Progress, members: int, quantity: Quantity) -> None:
    if at.record is not None:
        print(
            f"{_member(at, members)}epoch {at.epoch}/{at.epochs}  {_measured(at, quantity)}",
            file=sys.stdout,
            flush=True,
        )


class _Live:
    """One bar for the whole training, and a line that stays for every completed epoch."""

    def __init__(self, bar: Bar, members: int, quantity: Quantity):
        self.bar, self.members, self.quantity = bar, members, quantity
        self.task = bar.add_task("", total=None, epoch="", rate="compiling", state="")
        self.shown = ""
        self.done: dict[int, int] = {}

    def __call__(self, at: Progress) -> None:
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


class _Notebook:
    """A bar in a notebook, and lines of the last epochs under it."""

    def __init__(self, members: int, quantity: Quantity):
        self.members, self.quantity = members, quantity
        self.lines: list[str] = []
        self.done: dict[int, int] = {}
        self.handle: Any = None

    def __call__(self, at: Progress) -> None:
        if at.record is not None:
            self.lines.append(
                f"{_member(at, self.members)}epoch {at.epoch}/{at.epochs}  {_measured(at, self.quantity)}"
            )
        self.done[at.member] = (at.epoch - 1) * at.steps + at.step
        shown = {"text/html": self.html(at), "text/plain": "\n".join(self.lines)}
        if self.handle is None:
            from IPython.display import display  # pyright: ignore[reportMissingImports]

            self.handle = display(shown, raw=True, display_id=True)
        else:
            self.handle.update(shown, raw=True)

    def html(self, at: Progress) -> str:
        """The bar and the lines."""
        total, done = self.members * at.epochs * at.steps, sum(self.done.values())
        state = f"epoch {at.epoch}/{at.epochs}  {_rate(at)}  cost {at.batch_cost:.4f}"
        lines = "\n".join(self.lines[-_LINES:])
        bar = f'<progress max="{total}" value="{done}" style="width:20em"></progress>'
        return f"<div>{bar} {escape(state)}</div><pre>{escape(lines)}</pre>"


def _member(at: Progress, members: int) -> str:
    return f"member {at.member}  " if members > 1 else ""


def _measured(at: Progress, quantity: Quantity) -> str:
    return f"{_rate(at)}  cost {at.batch_cost:.4f}  {_shown(at, quantity)}"


def _rate(at: Progress) -> str:
    return f"{at.step / max(at.seconds, 1e-9):,.0f} steps/s"


def _shown(at: Progress, quantity: Quantity) -> str:
    ending = f"_{quantity.name}"
    return "  ".join(
        f"{name.removesuffix(ending)} {f'{value:.2%}' if quantity.unit == '%' else quantity.show(value)}"
        for name, value in (at.record or {}).items()
        if name.endswith(ending)
    )
