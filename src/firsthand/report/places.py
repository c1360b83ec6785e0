"""The folder of the experiments' results: the user's own, or the one that comes with the package."""

from pathlib import Path

__all__ = ["OWN", "results_folder", "shipped_results"]

OWN = Path("results/experiments")
_PACKAGE = Path(__file__).parents[1]


def shipped_results() -> Path | None:
    """The results that come with the package: inside of a wheel, at the top of a clone; None where there are none."""
    for folder in (_PACKAGE / "results" / "experiments", _PACKAGE.parents[1] / "results" / "experiments"):
        if folder.is_dir():
            return folder
    return None


def results_folder(given: Path | None) -> Path:
    """The folder that is given; otherwise ./results/experiments where it exists, or what comes with the package."""
    if given is not None:
        return given
    return OWN if OWN.is_dir() else shipped_results() or OWN
