"""The history of a training, epoch by epoch."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from firsthand.notebooks import html_picture, html_table

from .quantity import COST, Quantity

if TYPE_CHECKING:
    from firsthand.figures import Figure

__all__ = ["History"]

_PARTS = ("training_", "validation_", "test_")
_SHOWN = 20  # epochs in a notebook's table


@dataclass(repr=False)
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

    @property
    def quantity(self) -> str:
        """The name of what the training is judged by beside the cost; 'cost' where that is all."""
        names = {name.partition("_")[2] for record in self.records[:1] for name in record if name.startswith(_PARTS)}
        return min(names - {COST.name}, default=COST.name)

    def plot(self, quantity: Quantity | None = None) -> "Figure":
        """Draw the learning curves; a notebook shows them, and `savefig` writes them.

        Args:
            quantity: what is drawn beside the cost; by default what was monitored.
        """
        from .curves import plot_history  # Matplotlib takes a second to import

        if quantity is None:
            name = self.quantity
            shares = all(0 <= value <= 1 for part in _PARTS if part + name in self for value in self[part + name])
            shown = name.replace("_", " ")
            quantity = Quantity(name, shown, shown, "%" if shares and name != COST.name else "")
        return plot_history(self, quantity=quantity)

    def __repr__(self) -> str:
        if not self.records:
            return "<History: no epoch>"
        last, name = self.records[-1], self.quantity
        found = [f"{part}{name} {last[part + name]:.4g}" for part in _PARTS if part + name in last]
        found = [each.replace("_", " ") for each in found] or [f"cost {last['batch_cost']:.4g}"]
        best = f", best epoch {self.best_epoch}" if self.best_epoch else ""
        return f"<History: {len(self)} epochs{best}; at the last {', '.join(found)}>"

    def _table(self) -> list[list[str]]:
        """The head and a row for each epoch, the middle ones left out where they are many."""
        names = [name for name in self.records[0] if name not in ("seconds", "evaluation_seconds", "learning_rate")]
        rows = [["" if name not in record else f"{record[name]:.5g}" for name in names] for record in self.records]
        shown = rows if len(rows) <= _SHOWN else [*rows[: _SHOWN // 2], ["…"] * len(names), *rows[-_SHOWN // 2 :]]
        return [[name.replace("_", " ") for name in names], *shown]

    def _repr_html_(self) -> str:
        if not self.records:
            return "<p>no epoch</p>"
        head, *shown = self._table()
        table = html_table(head, shown, caption=self.stopped, numbers=0)
        return table + html_picture(self.plot()._repr_png_(), "learning curves")

    def __str__(self) -> str:
        """A table of the epochs, and how the training ended."""
        if not self.records:
            return repr(self)
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join([*lines, *filter(None, [self.stopped])])

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
