"""Names of countries, provinces, languages, scripts and currencies in English and Chinese, as iso-codes has them."""

import gettext
import json
from pathlib import Path

from firsthand.errors import reading

from .examples import DataError

__all__ = ["chinese_names"]

_CODES, _LOCALES = Path("/usr/share/iso-codes/json"), Path("/usr/share/locale")
_LISTS = ("3166-1", "3166-2", "639-2", "639-3", "4217", "15924", "3166-3")
_NAMES = ("name", "common_name", "official_name", "inverted_name")


def chinese_names(codes: Path | None = None, locales: Path | None = None) -> tuple[tuple[str, str], ...]:
    """Return pairs of an English and a Chinese name, each English one once, in the order of the lists.

    Args:
        codes: folder of the lists; by default where Debian's package puts them.
        locales: folder of the translations, zh_CN among them.
    Raises:
        DataError: they are not there, the message naming the package; or they are no such files.
    """
    codes, locales = codes or _CODES, locales or _LOCALES
    if not codes.is_dir():
        raise DataError(f"names: no folder {codes}; it comes with Debian's package iso-codes: apt install it")
    pairs: dict[str, str] = {}
    for name in _LISTS:
        listed, translated = codes / f"iso_{name}.json", _translation(name, locales)
        if not listed.exists() or translated is None:
            continue
        with reading(listed, "not a list of iso-codes", DataError):
            (entries,) = json.loads(listed.read_text(encoding="utf-8")).values()
            for english in (entry[key] for entry in entries for key in _NAMES if key in entry):
                chinese = translated.gettext(english)
                if any("\u4e00" <= letter <= "\u9fff" for letter in chinese):
                    pairs.setdefault(english, chinese)
    if not pairs:
        raise DataError(f"names: no Chinese names found in {locales}; they come with Debian's package iso-codes")
    return tuple(pairs.items())


def _translation(name: str, locales: Path) -> gettext.NullTranslations | None:
    """The Chinese translations of a list, whichever way its file is named."""
    for domain in (f"iso_{name}", f"iso_{name.replace('-', '_')}"):
        try:
            return gettext.translation(domain, locales, ["zh_CN"])
        except OSError:
            continue
    return None
