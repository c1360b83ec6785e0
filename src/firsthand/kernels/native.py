"""Which implementation is active, and why."""

from dataclasses import dataclass

__all__ = ["Status", "status"]


@dataclass(frozen=True)
class Status:
    """What `firsthand doctor` says about the kernels."""

    active: str
    reason: str


def status() -> Status:
    """The active path."""
    return Status("plain", "no native kernel in this version")
