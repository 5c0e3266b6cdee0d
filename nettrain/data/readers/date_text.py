"""Dates and times as text: the one way in which all texts of a column are written."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice, product

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p")
_ISO_TIMES = ("T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M:%S%z", "T%H:%M:%S.%f%z", " %H:%M:%S%z")
_FORMATS = (
    *map("".join, product(_DATES, _TIMES)),
    *("%Y-%m-%d" + time for time in _ISO_TIMES),
    "%H:%M",
    "%H:%M:%S",
)
_FIRST = 50  # texts by which most formats are ruled out
_SHORTEST = 4  # characters of a date or time


class AmbiguousDate(ValueError):
    """Several formats fit all texts, and read them as different days.

    Attributes:
        formats: That fit.
    """

    def __init__(self, formats: list[str]) -> None:
        super().__init__(" or ".join(map(repr, formats)))
        self.formats = formats


def parse_date(text: str, form: str) -> datetime | None:
    """The date and time of a text, in UTC where it tells its zone; None where it is none."""
    if form.startswith("%Y%m%d") and not re.match(r"\d{8}", text):  # strptime takes 202411, too
        return None
    try:
        found = datetime.strptime(text, form)
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def date_format(texts: Sequence[str]) -> str | None:
    """The format of all texts, as `strptime` takes it; None where they are no dates or times.

    Raises:
        AmbiguousDate: Day and month cannot be told apart: 03/04/2024.
    """
    if not texts or not all(
        len(text) >= _SHORTEST and text.isascii() and any(map(str.isdigit, text)) for text in texts
    ):
        return None
    fitting = [form for form in _FORMATS if _fits(islice(texts, _FIRST), form)]
    fitting = [form for form in fitting if len(texts) <= _FIRST or _fits(texts, form)]
    different: dict[tuple[datetime | None, ...], str] = {}
    for form in fitting:
        different.setdefault(tuple(parse_date(text, form) for text in texts), form)
    if len(different) > 1:
        raise AmbiguousDate(list(different.values()))
    return next(iter(different.values()), None)


def _fits(texts: Iterable[str], form: str) -> bool:
    return all(parse_date(text, form) is not None for text in texts)
