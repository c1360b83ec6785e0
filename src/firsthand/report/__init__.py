"""Results as files and pages for people."""

from typing import TYPE_CHECKING

from firsthand.lazy import lazy_names

if TYPE_CHECKING:
    from .run_folder import RunFolder, new_run_folder, write_run

__all__ = ["RunFolder", "new_run_folder", "write_run"]

# on use, because the pages of experiments need nothing of a training
__getattr__, __dir__ = lazy_names(__name__, {".run_folder": __all__})
