"""What happened during a training, epoch by epoch."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["History"]


@dataclass
class History:
    """One record per completed epoch, and how the training ended.

    A record holds: epoch (from 1), learning_rate, batch_cost (mean over the epoch's mini-batches, while the
    parameters moved), seconds (of the steps), evaluation_seconds, and what the recipe monitors.

    Examples:
        >>> history = History()
        >>> history.records.append({"epoch": 1, "validation_cost": 0.31})
        >>> history["validation_cost"]
        [0.31]
    """

    records: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0  # from 1; 0 where nothing decided which epoch was the best
    stopped: str = ""  # why the training ended

    def __getitem__(self, name: str) -> list[float]:
        """One quantity over the epochs."""
        return [record[name] for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __contains__(self, name: str) -> bool:
        return bool(self.records) and name in self.records[0]

    def to_json(self) -> dict[str, Any]:
        """Plain data, the inverse of `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "History":
        """The inverse of `to_json`.

        Raises:
            ValueError, TypeError: it is no history.
        """
        history = cls(**data)
        sound = (
            isinstance(history.records, list) and type(history.best_epoch) is int and isinstance(history.stopped, str)
        )
        numbers = (
            isinstance(record, dict) and all(type(value) in (int, float) for value in record.values())
            for record in (history.records if sound else ())
        )
        if not sound or not all(numbers) or not 0 <= history.best_epoch <= len(history.records):
            raise ValueError("no history found, records of numbers expected")
        return history

    def __str__(self) -> str:
        return json.dumps(self.to_json(), indent=1)
