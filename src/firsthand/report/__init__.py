"""Results as files and pages for people."""

from .run_folder import RunFolder, new_run_folder, write_run

__all__ = ["RunFolder", "new_run_folder", "write_run"]
