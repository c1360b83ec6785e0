"""Next steps after a training."""

from pathlib import Path
from typing import Any

__all__ = ["next_steps"]


def next_steps(model: Any, path: Path) -> str:
    """The commands that use a model of this kind, as lines under 'next:'."""
    from firsthand.models import Autoencoder, Classifier, Generator, LanguageModel, Policy

    if isinstance(model, Classifier):
        lines = [
            f"firsthand evaluate {path}",
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
