"""Next steps after a training."""

import shlex
from pathlib import Path
from typing import Any

from .common import DATA_NAMES

__all__ = ["next_steps"]


def next_steps(model: Any, path: Path, data: str) -> str:
    """The commands that use a model of this kind, as lines under 'next:'.

    Args:
        model: it decides which.
        path: of its file.
        data: what it was trained on, as typed or as the recipe says.
    """
    from firsthand.models import Autoencoder, Classifier, Generator, LanguageModel, Policy

    if isinstance(model, Classifier):
        own = "" if data == DATA_NAMES[0] else f" --data {shlex.quote(data)}"
        lines = [
            f"firsthand evaluate {path}{own}",
            f"firsthand predict --model {path} IMAGE...",
            f"firsthand inspect --model {path}",
        ]
    elif isinstance(model, Policy):
        lines = [f"firsthand play {path} --film game.gif", f"firsthand summary {path}"]
    elif isinstance(model, LanguageModel | Generator | Autoencoder):
        lines = [f"firsthand sample {path}", f"firsthand summary {path}"]
    else:
        lines = [f"firsthand summary {path}"]
    return "\n".join(f"{'next:' if number == 0 else '':9} {line}" for number, line in enumerate(lines))
