"""The command line: a module per command, or per few that belong together.

Heavy imports stand inside the commands, so that `firsthand --help` answers at once.
"""

import logging
import os
import sys

import typer

from firsthand.errors import FirsthandError

from . import data, doctor, experiments, export, inspect, lab, models, read, search, sweep, train

__all__ = ["app", "main"]

app = typer.Typer(
    help="Neural networks, first hand: train them, look inside them, read handwritten digits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
# in the order in which --help lists them
for command in (
    train.train,
    read.read,
    lab.lab,
    models.evaluate,
    models.predict,
    inspect.inspect,
    export.export,
    models.summary,
    sweep.sweep,
    search.search,
    experiments.experiments,
    experiments.run,
    experiments.report,
    data.data,
    doctor.doctor,
):
    app.command()(command)


def main() -> None:
    """Run the command line; what a user got wrong becomes one line and exit code 2."""
    # large downloads are announced, so that nobody waits without knowing for what
    logging.basicConfig(format="firsthand: %(message)s")
    logging.getLogger("firsthand").setLevel(logging.INFO)
    try:
        app()
    except (FirsthandError, OSError) as error:
        print(f"firsthand: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        if getattr(error, "leave_at_once", False):
            os._exit(2)
        sys.exit(2)
