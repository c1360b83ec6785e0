"""Dates in many forms, and in the one of ISO 8601."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from ..translations import SIGNS, Translations, alphabet_of
from .held_out import Part, part_of

__all__ = ["DATE_FORMS", "DATE_GIVEN", "DATE_STEPS", "DATE_SYMBOLS", "DATE_WRITABLE", "date_pairs", "written_dates"]

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
DATE_FORMS = (
    "{month} {day}, {year}",
    "{day} {month} {year}",
    "{short} {day}, {year}",
    "{day}. {short} {year}",
    "{weekday}, {day} {month} {year}",
    "the {ordinal} of {month} {year}",
    "{day}.{number}.{year}",
    "{number}/{day}/{year}",
    "{year}年{number}月{day}日",
)
DATE_GIVEN = 32  # characters of the longest form
DATE_STEPS = 11  # of 1994-03-07, and the end
DATE_SYMBOLS = alphabet_of("0123456789-", " ./,年月日" + "".join((*MONTHS, *WEEKDAYS)) + "theof" + "stndrdth")
DATE_WRITABLE = len(SIGNS) + len("0123456789-")


def date_pairs(count: int, part: Part = "training", *, seed: int | Sequence[int]) -> list[tuple[str, str]]:
    """Make dates of 1900 to 2099 in one of nine forms each, with the same dates as YEAR-MONTH-DAY.

    A date belongs to one part of the data in whatever form it is written.

    Args:
        count: number of pairs.
        part: of the data; see `part_of`.
        seed: of all randomness; the same gives the same pairs.

    Examples:
        >>> date_pairs(2, seed=0)
        [('the 15th of february 2070', '2070-02-15'), ('dec 16, 1953', '1953-12-16')]
    """
    random, days, pairs = np.random.default_rng(seed), (LAST - FIRST).days + 1, []
    while len(pairs) < count:
        found = FIRST + timedelta(days=int(random.integers(days)))
        if part_of(found.isoformat()) == part:
            pairs.append((_in_form(DATE_FORMS[random.integers(len(DATE_FORMS))], found), found.isoformat()))
    return pairs


def written_dates(count: int, part: Part = "training", *, seed: int | Sequence[int]) -> Translations:
    """`date_pairs` as examples, character by character."""
    return Translations.of_pairs(
        date_pairs(count, part, seed=seed), DATE_GIVEN, DATE_STEPS, DATE_SYMBOLS, DATE_WRITABLE
    )


def _in_form(form: str, day: date) -> str:
    month = MONTHS[day.month - 1]
    return form.format(
        day=day.day,
        ordinal=f"{day.day}{_ending(day.day)}",
        number=day.month,
        month=month,
        short=month[:3],
        weekday=WEEKDAYS[day.weekday()],
        year=day.year,
    )


def _ending(day: int) -> str:
    """The letters behind an English ordinal number."""
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
