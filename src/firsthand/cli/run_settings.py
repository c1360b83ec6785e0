"""The options that a run was started with, kept in its folder: written, read back and compared."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically

from .common import DATA_NAMES, MAX_MEMBERS, MAX_SEED, MAX_SIZE, TEXT_NAMES, check_whole

if TYPE_CHECKING:
    from firsthand.report import RunFolder

__all__ = ["absolute", "check_same", "resumed", "write"]

# setting -> option, types, value where an older version wrote none
_KNOWN: dict[str, tuple[str, tuple[type, ...], Any]] = {
    "recipe": ("--recipe", (str,), None),
    "data": ("--data", (str,), None),
    "invert": ("--invert", (bool, type(None)), None),
    "size": ("--size", (int, type(None)), None),
    "start": ("--from", (str, type(None)), None),
    "rehearsal": ("--rehearsal", (float, int, type(None)), None),
    "frozen": ("--frozen", (int, type(None)), None),
    "kept_rate": ("--kept-rate", (float, int, type(None)), None),
    "rehearse": ("--rehearse", (str,), "mnist"),
    "examples": ("--examples", (int, type(None)), None),
    "members": ("--members", (int, type(None)), None),
    "seed": ("--seed", (int,), None),
}
_REQUIRED = ("recipe", "data", "seed")
# fields of the recipe that options change; the first alone extends a run instead of making it another
_COUNTS = ("epochs", "batch_size", "patience", "halvings")
_RATES = ("learning_rate", "momentum", "l2", "l1", "label_smoothing", "clip", "average")
_FLAGS = ("carry_state",)
_EXTENDING = "epochs"


def write(folder: "RunFolder", settings: dict[str, Any]) -> None:
    """Write the settings, whole or not at all."""
    write_atomically(folder.settings, json.dumps(settings, indent=1) + "\n")


def resumed(folder: "RunFolder", given: dict[str, Any]) -> dict[str, Any]:
    """Read the settings of a run that is to go on, with those that the command line may change.

    Raises:
        FirsthandError: there are none, or not those of a run; the message says what is wrong.
    """
    with reading(folder.settings, "not the settings of a run", _of_resume):
        settings = _checked(json.loads(folder.settings.read_text(encoding="utf-8")))
        extended = {_EXTENDING: given[_EXTENDING]} if _EXTENDING in given else {}
        return {**settings, "overrides": {**settings["overrides"], **extended}}


def _of_resume(message: str) -> FirsthandError:
    return FirsthandError(f"--resume: {message}")


def _checked(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise FirsthandError(f"found {type(found).__name__}, expected the settings of a run")
    for name in _REQUIRED:
        if name not in found:
            raise FirsthandError(f"no {name} found, expected the settings of a run")
    overrides = found.get("overrides", {})
    if not isinstance(overrides, dict):
        raise FirsthandError(f"overrides is {overrides!r:.60}, expected fields of the recipe")
    for name, value in overrides.items():
        kinds = (int,) if name in _COUNTS else (int, float) if name in _RATES else (bool,) if name in _FLAGS else ()
        _require(name, value, kinds)
    settings = {name: found.get(name, default) for name, (_, _, default) in _KNOWN.items()}
    for name, value in settings.items():
        _require(name, value, _KNOWN[name][1])
    check_whole("seed", settings["seed"], 0, MAX_SEED)
    for name, highest in (("members", MAX_MEMBERS), ("size", MAX_SIZE), ("examples", None)):
        if settings[name] is not None:
            check_whole(name, settings[name], 1, highest)
    return {**settings, "overrides": overrides}


def _require(name: str, value: Any, kinds: tuple[type, ...]) -> None:
    if not kinds:
        raise FirsthandError(f"{name!r:.60} found, expected fields of a recipe that options change")
    if type(value) not in kinds or (isinstance(value, float) and not math.isfinite(value)):
        names = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise FirsthandError(f"{name} is {value!r:.60}, expected {names}")


def check_same(folder: "RunFolder", kept: dict[str, Any], given: dict[str, Any], recipe: Any) -> None:
    """Refuse options that would make a run another one.

    Args:
        folder: of the run.
        kept: its settings.
        given: those of them that stand on the command line, those of the recipe by their fields' names.
        recipe: the run's, for what was not set when it was started.
    Raises:
        FirsthandError: one differs, or fewer epochs are asked for than are done; the message has its option and both
            values.
    """
    for name, value in given.items():
        if name == _EXTENDING:
            _check_longer(folder, value)
            continue
        if name in _KNOWN:
            option, before = _KNOWN[name][0], kept[name]
            if name in ("data", "rehearse"):
                before = absolute(before)  # older versions kept it as it was typed
        else:
            own = getattr(recipe, name, getattr(recipe.objective, name, None))
            option, before = f"--{name.replace('_', '-')}", kept["overrides"].get(name, own)
        if value != before:
            raise FirsthandError(
                f"{option}: found {value}, but the run in {folder.path} has {before}; "
                "it goes on with its own options (only --epochs may change), expected the same or none"
            )


def _check_longer(folder: "RunFolder", epochs: int) -> None:
    from firsthand.learning.checkpoint import epochs_done

    done = max(map(epochs_done, folder.checkpoints()), default=0)
    if epochs < done:
        raise FirsthandError(
            f"--epochs: found {epochs}, but the run in {folder.path} has done {done}, expected no less"
        )


def absolute(name: str) -> str:
    """Return the path of the user's own data from the root, so that a run goes on from any folder; other names stay."""
    return name if name in (*DATA_NAMES, *TEXT_NAMES) else str(Path(name).absolute())
