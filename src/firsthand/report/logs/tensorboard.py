"""Epochs in TensorBoard."""

import os
from typing import Any

from firsthand.errors import FirsthandError

from . import At, logged_values

__all__ = ["TensorBoardLog"]


class TensorBoardLog:
    """Event files that `tensorboard --logdir FOLDER` shows (extra `tensorboard`).

    Args:
        folder: of the event files.
    Raises:
        FirsthandError: tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        try:
            from tensorboardX import SummaryWriter  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError:
            raise FirsthandError("TensorBoard: tensorboardX not found: pip install 'firsthand[tensorboard]'") from None
        self._writer: Any = SummaryWriter(os.fspath(folder))

    def __call__(self, at: At) -> None:
        if at.record is not None:
            for name, value in logged_values(at).items():
                self._writer.add_scalar(name, value, at.epoch)

    def close(self) -> None:
        """Write what is buffered."""
        self._writer.close()
