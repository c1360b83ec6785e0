"""Names of a package that are imported when they are first used (PEP 562), so that the package itself costs nothing."""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Iterable[str]], modules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` of a package; type checkers need its imports under TYPE_CHECKING as well.

    Args:
        package: its `__name__`.
        homes: module to the names that are taken from it; a module of the package itself begins with a dot.
        modules: modules of the package that are names of it as they are.
    Returns:
        Both functions.  A name that was asked for once is an ordinary attribute from then on.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    inner = frozenset(modules)

    def get(name: str) -> object:
        if name in inner:
            return import_module(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(home_of[name], package), name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of, *inner})

    return get, names
