"""The command line: a module per command, or per few that belong together.

Heavy imports stand inside the commands, so that `firsthand --help` answers at once.
"""

import errno
import logging
import os
import signal
import sys
from typing import Annotated

import typer

from firsthand.errors import FirsthandError

from . import data, doctor, experiments, export, inspect, lab, models, play, read, sample, search, sweep, train
from .habits import HELP, Command, Commands, version
from .streams import OutputLost, guard_output
from .usage import UsageError, explained

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings=HELP,
    rich_markup_mode="rich",
)


@app.callback()
def about(
    context: typer.Context,
    shown: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the versions of firsthand, Python and JAX.", callback=version, is_eager=True
        ),
    ] = False,
) -> None:
    """Neural networks, first hand: train them, look inside them, read handwritten digits, continue a text."""
    if context.invoked_subcommand is None:
        print(context.get_help(), end="")
        raise typer.Exit(2)


# panels and commands in the order in which --help lists them
COMMANDS = {
    "Train": (train.train, sweep.sweep, search.search),
    "Use a model": (read.read, models.predict, models.evaluate, sample.sample, play.play, export.export),
    "Look inside": (lab.lab, inspect.inspect, models.summary),
    "Experiments of the texts": (experiments.experiments, experiments.run, experiments.report),
    "Data and installation": (data.data, doctor.doctor),
}
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(cls=Command, rich_help_panel=panel)(command)


def main() -> None:
    """Run the command line; what a user got wrong becomes one line and exit code 2.

    SIGTERM is Ctrl-C.  A closed pipe (`firsthand experiments | head -1`) ends it quietly.
    """
    guard_output()
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # large downloads are announced, so that nobody waits without knowing for what
    logging.basicConfig(format="firsthand: %(message)s")
    logging.getLogger("firsthand").setLevel(logging.INFO)
    try:
        try:
            code = app(standalone_mode=False)
        finally:
            sys.stdout.flush()
        sys.exit(code or 0)
    except OutputLost as error:
        if error.errno == errno.EPIPE:
            sys.exit(0)
        _end(error)
    except UsageError as error:
        _end(explained(error, sys.argv[1:]))
    except (FirsthandError, OSError) as error:
        _end(error)
    except Exception as error:
        reason = _lacking(error)
        if reason is None:
            raise
        _end(reason)


def _end(error: object) -> None:
    print(f"firsthand: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    if getattr(error, "leave_at_once", False):
        os._exit(2)
    sys.exit(2)


def _lacking(error: Exception) -> str | None:
    """Name what the system would not give, memory or threads, if that is what the error is about."""
    text = str(error)
    if isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
        return f"not enough memory ({text.splitlines()[0][:200] if text else 'the system gave no more'})"
    return None


# libraries have no common type for it: XLA, the loader of shared libraries, threads
_OUT_OF_MEMORY = (
    "RESOURCE_EXHAUSTED",
    "Out of memory",
    "annot allocate memory",
    "failed to map segment",
    "can't start new thread",
)
