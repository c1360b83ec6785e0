"""Compiled code of JAX, kept between processes: a second `firsthand predict` compiles nothing.

Only programs ask for it, `import firsthand` writes nothing.  What is kept is code that will run, so the folder must
belong to the user and to nobody else.  The variable FIRSTHAND_COMPILATION_CACHE names another folder, or says `off`.
"""

import hashlib
import os
import platform
import stat
import tempfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path

__all__ = ["VARIABLE", "keep_compilations"]

VARIABLE = "FIRSTHAND_COMPILATION_CACHE"
LIMIT = 512 * 2**20  # bytes of everything that is kept
_DIGEST = 16  # bytes


def keep_compilations() -> Path | None:
    """Keep what JAX compiles from now on, and take what is kept; called before anything is compiled.

    Returns:
        The folder; None where nothing is kept: by the variable, because the folder cannot be used or is open to others,
        because JAX was given one of its own, or because this JAX has no such cache.
    """
    import jax

    if getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return None
    folder = _folder()
    if folder is None:
        return None
    try:
        from jax._src import compilation_cache

        # JAX's own files are written in place: after a kill in the middle, each later process warns of the damage, and
        # compiles again; and its limit of size needs another package
        original = compilation_cache.get_file_cache
    except (ImportError, AttributeError):
        return None

    def get_file_cache(path: str):
        return (_Files(folder), path) if Path(path) == folder else original(path)

    compilation_cache.get_file_cache = get_file_cache
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
    return folder


class _Files:
    """Entries as files that are whole, or not there: JAX's CacheInterface."""

    def __init__(self, folder: Path):
        self._path = folder  # JAX's name for it

    def get(self, key: str) -> bytes | None:
        path = self._path / key
        try:
            found = path.read_bytes()
            if _digest(found[:-_DIGEST]) != found[-_DIGEST:]:
                path.unlink()
                return None
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)  # the oldest are removed first
        return found[:-_DIGEST]

    def put(self, key: str, value: bytes) -> None:
        # no fsync: what a power failure leaves of a file has the wrong digest
        with suppress(OSError):
            descriptor, temporary = tempfile.mkstemp(dir=self._path, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(value + _digest(value))
                os.replace(temporary, self._path / key)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _folder() -> Path | None:
    """The folder for this processor and these versions, made if it is not there; None if it cannot be used."""
    import platformdirs

    wanted = os.environ.get(VARIABLE, "")
    if wanted == "off":
        return None
    root = Path(wanted).absolute() if wanted else Path(platformdirs.user_cache_dir("firsthand")) / "compiled"
    folder = root / _key()
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        for each in (root, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            if not _private(each):
                return None
        if not os.access(folder, os.W_OK | os.X_OK):
            return None
        _trim(root, LIMIT)
    except OSError:
        return None
    return folder


def _private(folder: Path) -> bool:
    """Return whether nobody but the user can put anything into a folder."""
    if not hasattr(os, "getuid"):
        return True  # Windows: the user's profile is the user's
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _key() -> str:
    """A digest of all that compiled code depends on besides the program: versions, and the processor's instructions.

    JAX's own keys have its versions and the program's options, not firsthand's kernels and the processor.  They say
    zlib for what Python 3.14 compresses by its own zstd, which earlier Pythons cannot read.
    """
    processor = f"{platform.machine()} {platform.processor()}"
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor += next(line for line in lines if line.lower().startswith(("flags", "features")))
        processor += next(line for line in lines if line.startswith("model name"))
    versions = "-".join(metadata.version(package) for package in ("firsthand", "jaxlib"))
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{versions}-{python}-{hashlib.blake2b(processor.encode(), digest_size=6).hexdigest()}"


def _trim(root: Path, limit: int) -> None:
    """Remove what was not used for longest, of other versions as well, until a quarter of the limit is free."""
    found = []
    for folder in os.scandir(root):
        if folder.is_dir(follow_symlinks=False):
            found += [(entry.stat(follow_symlinks=False), entry.path) for entry in os.scandir(folder)]
    total = sum(about.st_size for about, _ in found)
    if total <= limit:
        return
    for about, path in sorted(found, key=lambda each: each[0].st_mtime):
        with suppress(OSError):
            os.unlink(path)
            total -= about.st_size
        if total <= 3 * limit // 4:
            break
