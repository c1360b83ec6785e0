"""`firsthand lab`."""

from pathlib import Path
from typing import Annotated

import typer

from firsthand.errors import FirsthandError
from firsthand.report.places import results_folder

from .experiments import Results

__all__ = ["lab"]


def lab(
    host: Annotated[str, typer.Option(help="Address to serve on; the default is reached from this machine only.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to serve on; 0 takes any that is free.")] = 8000,
    model: Annotated[Path | None, typer.Option("--model", help="Model file to begin with.", show_default=False)] = None,
    results: Results = None,
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Open the lab in the browser: draw digits, look inside networks, turn the knobs of a training."""
    try:
        from firsthand.web.server import serve
    except ModuleNotFoundError as error:
        raise FirsthandError(f"lab: {error.name} is not installed; pip install 'firsthand[lab]' adds it") from None
    serve(host, port, model=model, results=results_folder(results), browser=browser)
