"""The remains of labs that were killed: trainings to resume, and folders to remove.

Only folders that no living process holds are touched, and in them only files that a lab has written, by its own naming.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically

from .settings import TrainingSettings

__all__ = [
    "ENDED",
    "PLACE",
    "SETTINGS",
    "Remains",
    "dead_places",
    "find",
    "locked",
    "remove_old",
    "remove_place",
    "write_end",
]

PLACE = ".lab"  # in the folder of runs: a folder for each lab that runs, with one for each of its trainings
SETTINGS = "settings.json"
ENDED = "ended.json"  # of a training: the event that it ended with
_OWN = re.compile(
    r"(history|ended)\.json|records\.jsonl|model\.safetensors|checkpoint[^/]*\.safetensors"
    r"|\..+\.[a-z0-9_]{8}\.firsthand-part"
)
_RANDOM = "[a-z0-9_]{8}"  # of tempfile
_OLD = "firsthand-lab-"  # version 0.1, in the system's folder for temporary files


class Remains(NamedTuple):
    """A training of a lab that is dead.

    Args:
        folder: its own.
        settings: what was chosen.
        event: it ended with; None where it has not ended.
        records: of its epochs, where it has ended.
    """

    folder: Path
    settings: TrainingSettings
    event: dict[str, Any] | None = None
    records: list[dict[str, float]] | None = None


def write_end(folder: Path, event: dict[str, Any]) -> None:
    """Keep the event that a training ended with."""
    write_atomically(folder / ENDED, json.dumps(event) + "\n")


@contextmanager
def dead_places(runs: Path, own: Path | None) -> Iterator[list[Path]]:
    """The folders of labs that are dead, kept from other labs while the block runs."""
    locks, places = [], []
    try:
        for place in sorted((runs / PLACE).glob("tmp*")):
            if re.fullmatch(f"tmp{_RANDOM}", place.name) and place != own and (lock := locked(place)) is not None:
                locks.append(lock)
                places.append(place)
        yield places
    finally:
        for lock in locks:
            os.close(lock)


def find(place: Path) -> Iterator[Remains]:
    """The trainings in such a folder, in their order; what was killed before it had settings is nobody's.

    Settings that cannot be read, as those of another version, are said on standard error, and left where they are.
    """
    for folder in sorted(_numbered(place), key=lambda path: int(path.name)):
        if not (path := folder / SETTINGS).exists():
            continue
        try:
            with reading(path, "not the settings of a training"):
                settings = TrainingSettings.model_validate_json(path.read_bytes())
        except FirsthandError as error:
            print(f"firsthand: {error}; left as it is", file=sys.stderr)
            continue
        has_model = (folder / "model.safetensors").exists()
        try:
            event = _event(folder, has_model)
            records = None if event is None else _records(folder)
        except FirsthandError as error:
            event, records = {"event": "failed", "error": str(error), "model": has_model}, []
        yield Remains(folder, settings, event, records)


def _event(folder: Path, has_model: bool) -> dict[str, Any] | None:
    if (path := folder / ENDED).exists():
        with reading(path, "not the end of a training"):
            event = json.loads(path.read_bytes())
            kinds = {"done": ("why",), "failed": ("error",), "crashed": ("error",)}
            if not all(isinstance(event[name], str) for name in kinds[event["event"]]):
                raise FirsthandError("found no words, expected the reason")
            return event if event["event"] != "done" or has_model else None
    if has_model and (path := folder / "history.json").exists():  # killed before it could say so
        with reading(path, "not the history of a training"):
            return {"event": "done", "why": json.loads(path.read_bytes())["stopped"]}
    return None


def _records(folder: Path) -> list[dict[str, float]]:
    from firsthand.learning import History

    path = folder / "history.json"
    if not path.exists():
        return []
    with reading(path, "not the history of a training"):
        return History.from_json(json.loads(path.read_bytes())).records


def remove_place(place: Path) -> None:
    """Remove a lab's folder; files that no lab has written stay, and trainings that have settings."""
    for folder in _numbered(place):
        if (folder / SETTINGS).exists():
            continue
        for path in folder.iterdir():
            if _OWN.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink(missing_ok=True)
        _remove_empty(folder)
    _remove_empty(place)
    if place.parent.name == PLACE:
        _remove_empty(place.parent)  # other labs may have theirs there


def remove_old() -> None:
    """Remove folders that labs of version 0.1 left among the system's temporary files.

    Those labs held no locks: nothing is removed while any lab runs, or where that cannot be known (without /proc).
    """
    found = [path for path in Path(tempfile.gettempdir()).glob(f"{_OLD}*") if _is_old(path)]
    if found and not _another_lab_runs():
        for path in found:
            remove_place(path)


def _is_old(path: Path) -> bool:
    if not re.fullmatch(f"{_OLD}{_RANDOM}", path.name) or path.is_symlink() or not path.is_dir():
        return False
    return hasattr(os, "getuid") and path.stat().st_uid == os.getuid()


def _another_lab_runs() -> bool:
    processes = list(Path("/proc").glob("[0-9]*"))
    for process in processes:
        if int(process.name) == os.getpid():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is none of ours
            continue
        if b"lab" in words and any(b"firsthand" in word for word in words):
            return True
    return not processes


def _numbered(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.name.isdecimal() and path.is_dir() and not path.is_symlink()]


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # something is in it
        folder.rmdir()


def locked(folder: Path) -> int | None:
    """A descriptor that locks a folder until it is closed, or the process ends; None where another process has it."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
