"""Numbers written for people: decimal commas, thousands apart, percent and currency signs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from nettrain.data.features import MISSING, Category
from nettrain.data.readers.number_text import has_leading_zero, number_format

SPACES = " \u00a0\u202f"
_PERCENT = "%"
_CURRENCIES = (
    "$", "\u20ac", "\u00a3", "\u00a5", "\u20b9",
    "EUR", "USD", "GBP", "CHF", "JPY", "INR", "SEK", "NOK", "DKK", "PLN",
)  # fmt: skip
_MARKS = [(".", ""), (",", ""), (".", ","), (",", "."), *((d, t) for d in ".," for t in "'\u2019 ")]
_FIRST = 200  # distinct texts by which most formats are ruled out
_MINUS = str.maketrans("\u2212", "-")


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes:
        decimal: Before the fraction.
        thousands: Between groups of three digits; "" for none. A space stands for those of all
            widths.
        strip: What stands before or behind a number and is left out, such as % and $.
    """

    decimal: str = "."
    thousands: str = ""
    strip: tuple[str, ...] = ()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        group = f"[{SPACES}]" if self.thousands == " " else re.escape(self.thousands)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if self.thousands else r"\d+"
        point = re.escape(self.decimal)
        return re.compile(rf"([+-]?)({whole})?(?:{point}(\d*))?((?:[eE][+-]?\d+)?)", re.ASCII)

    def number(self, text: str) -> float | None:
        """The number that a text is in this format; None where it is none.

        12 % is 12, and an amount in parentheses is negative, as in accounts.
        """
        text = text.translate(_MINUS).strip()
        body = text
        for mark in self.strip:
            body = body.replace(mark, "", 1)
        negative = body != text and text.startswith("(") and text.endswith(")")
        body = body.strip("()" + SPACES) if negative else body.strip()
        if body[:1] in ("+", "-"):  # - $5
            body = body[0] + body[1:].lstrip()
        match = self._pattern.fullmatch(body)
        if match is None or not (match[2] or match[3]):
            return None
        digits = re.sub(r"\D", "", match[2] or "", flags=re.ASCII) or "0"
        value = float(f"{match[1]}{digits}.{match[3] or '0'}{match[4]}")
        return -value if negative else value

    def numbers(self, column: Category) -> tuple[np.ndarray, list[str]]:
        """The cells (n,) as numbers, NaN where missing, and the texts that are none."""
        found = [self.number(text) for text in column.values]
        lookup = np.array([np.nan if value is None else value for value in found] + [np.nan])
        present = np.zeros(len(column.values) + 1, bool)
        present[np.unique(column.codes)] = True  # the code of a missing cell, -1, is the last one
        odd = [
            text
            for text, value, there in zip(column.values, found, present, strict=False)
            if there and (value is None or not np.isfinite(value))
        ]
        return column.looked_up(lookup), odd


def recognize(
    column: Category,
    decimal: str | None = None,
    thousands: str | None = None,
    *,
    plain: bool = False,
) -> tuple[NumberFormat, str] | None:
    """The one format in which all cells of a column are numbers, and an example of it.

    None where there is none, where all are plain numbers or codes with leading zeros, and where
    several formats read them as different numbers: 1,234 alone tells no decimal comma. Only amounts
    of money have no three decimals.

    Args:
        column: The cells.
        decimal: What stands before fractions; None: unknown.
        thousands: What stands between groups of three digits; None: unknown.
        plain: Whether a column of plain numbers is one, too.
    """
    present = np.unique(column.codes[column.codes != MISSING])
    texts = [column.values[code] for code in present]
    plain = plain or decimal is not None or thousands is not None
    example = next((text for text in texts if number_format(text) is not None), None)
    if example is None and plain:
        example = next(iter(texts), None)
    if example is None or has_leading_zero("\n" + "\n".join(texts)):
        return None
    strip = _signs(texts)
    if strip is None:
        return None
    readings: dict[tuple[float, ...], NumberFormat] = {}
    for form in _formats(strip, decimal, thousands):
        numbers = _all(form, texts)
        if numbers is not None:
            readings.setdefault(numbers, form)
    if len(readings) > 1 and strip and strip[0] in _CURRENCIES:  # no currency has three decimals
        readings = {numbers: form for numbers, form in readings.items() if form.thousands}
    return (next(iter(readings.values())), example) if len(readings) == 1 else None


def _formats(
    strip: tuple[str, ...], decimal: str | None, thousands: str | None
) -> Iterator[NumberFormat]:
    if decimal is not None and thousands is not None:
        yield NumberFormat(decimal, thousands, strip)
        return
    for point, group in _MARKS:
        if decimal in (None, point) and thousands in (None, group):
            yield NumberFormat(point, group, strip)


def _all(form: NumberFormat, texts: list[str]) -> tuple[float, ...] | None:
    """The texts as numbers, None if one is not; a sample rules most formats out at little cost."""
    if any(form.number(text) is None for text in islice(texts, _FIRST)):
        return None
    numbers = tuple(number for text in texts if (number := form.number(text)) is not None)
    return numbers if len(numbers) == len(texts) and np.isfinite(numbers).all() else None


def _signs(texts: Iterable[str]) -> tuple[str, ...] | None:
    """The sign beside the numbers; None where they differ: 5 % is no 5, and $5 no \u20ac5."""
    found: set[str] = set()
    for text in texts:
        signs = [sign for sign in (_PERCENT, *_CURRENCIES) if sign in text]
        found.add(signs[0] if signs else "")
        if len(signs) > 1:
            return None
    if _PERCENT in found and len(found) > 1:
        return None
    named = found - {""}
    return None if len(named) > 1 else tuple(named)
