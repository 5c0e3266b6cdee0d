"""Numbers as text: which texts are numbers, look like one, or mark a missing value."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

import numpy as np

from nettrain.data.features import Category

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LEADING_ZERO = re.compile(r"\n[+-]?0\d", re.ASCII)

# Spaces of several widths, an apostrophe, or the other of point and comma between groups of three.
_GROUPED = r"\d{1,3}(?:[,.'\u2019 \u00a0\u202f]\d{3})+(?:[.,]\d+)?"
_PLAIN = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_ANY = rf"[+\-\u2212]?\s*(?:{_GROUPED}|{_PLAIN})"
_CURRENCY = "(?:[$\u20ac\u00a3\u00a5\u20b9]|EUR|USD|GBP|CHF|JPY|INR|SEK|NOK|DKK|PLN)"
OTHER_DIGITS = "digits of another script"
AMBIGUOUS = "a comma (decimal or between thousands)"
_FORMATS = {
    "a percent sign": rf"{_ANY}\s*%",
    "a currency sign": rf"[+\-\u2212(]*\s*{_CURRENCY}\s*{_ANY}\)?|{_ANY}\s*{_CURRENCY}",
    "a decimal comma": (
        r"[+\-\u2212]?(?:\d{1,3}(?:[.'\u2019 \u00a0\u202f]\d{3})+,\d+|0,\d+"
        r"|\d*,(?:\d{1,2}|\d{4,})(?:[eE][+-]?\d+)?)"
    ),
    AMBIGUOUS: r"[+\-\u2212]?\d{1,3},\d{3}",
    "a thousands separator": rf"[+\-\u2212]?(?:{_GROUPED})",
    "a minus sign that is not a hyphen": rf"\u2212(?:{_PLAIN})",
}
_LOOKS_MISSING = frozenset({
    "-", "--", "---", ".", "..", "?", "*", "na", "n/a", "#n/a", "#na", "<na>", "n.a.",
    "nan", "none", "null", "nil", "missing", "unknown", "#value!", "#div/0!", "#null!", "",
    "not available"
})  # fmt: skip
_MOST_VALUES = 10_000  # distinct values of a column that are looked at
_MOST_MARKS = 5  # texts beside numbers; more are no marks of missing values
_FEW_NUMBERS = 3  # distinct numbers beside a single text, from which on that text is named


def is_number(text: str) -> bool:
    """A decimal number and nothing else.

    Python's float() would also take `1_000`, `nan` and digits of other scripts.
    """
    return _NUMBER.fullmatch(text) is not None


def has_leading_zero(lines: str) -> bool:
    """Whether a number has a redundant leading zero, as codes have them: 007, -01; not 0, 0.5.

    Args:
        lines: The numbers, a line end before each.
    """
    return _LEADING_ZERO.search(lines) is not None


def number_format(text: str) -> str | None:
    """What keeps a text from being a number though it looks like one; None where it does not.

    Example:
        >>> [number_format(text) for text in ("2,00", "1,234,567", "$5", "red")]
        ['a decimal comma', 'a thousands separator', 'a currency sign', None]
    """
    if is_number(text) or not any(character.isdigit() for character in text):
        return None
    if not text.isascii():
        digits = "".join(str(unicodedata.decimal(letter, letter)) for letter in text)
        if digits != text and is_number(digits):
            return OTHER_DIGITS
    return next(
        (name for name, form in _FORMATS.items() if re.fullmatch(form, text, re.ASCII)), None
    )


def looks_missing(text: str) -> bool:
    """Whether a text is one of those that often mark a missing value: NULL, n/a, -, ?."""
    return text.strip().lower() in _LOOKS_MISSING


class MissingMarks:
    """The cells that stand for a missing value: words as they are written, numbers by their value.

    Attributes:
        words: All marks, as they are written.
        numbers: (m,) float64, those that are numbers.
    """

    def __init__(self, marks: Iterable[str]) -> None:
        self.words = frozenset(marks)
        self._values = frozenset(float(mark) for mark in self.words if is_number(mark))
        self.numbers = np.array(sorted(self._values))

    def __contains__(self, cell: str) -> bool:
        if cell in self.words:
            return True
        return bool(self._values) and is_number(cell) and float(cell) in self._values


def formatted_numbers(column: Category) -> tuple[str, str] | None:
    """The format and an example where most cells of a column of texts look like numbers.

    Cells that look missing are left out. Numbers that are numbers count too, if others are not.
    """
    step = -(-len(column.values) // _MOST_VALUES) or 1
    counts = dict(list(zip(column.values, _counts(column), strict=True))[::step])
    total = sum(count for value, count in counts.items() if not looks_missing(value))
    formats: dict[str, int] = {}
    examples: dict[str, str] = {}
    plain = 0
    for value, count in counts.items():
        kind = number_format(value)
        if kind is not None:
            formats[kind] = formats.get(kind, 0) + count
            examples.setdefault(kind, value)
        elif is_number(value):
            plain += count
    if not formats or 2 * (plain + sum(formats.values())) <= total:
        return None
    kind = max(formats, key=lambda name: formats[name])
    return kind, examples[kind]


def mend_numbers(column: Category, kind: str) -> str:
    """What makes numbers of a column of texts of which most look like numbers.

    Args:
        column: Its cells.
        kind: What `number_format` says of most of them.
    """
    if kind == AMBIGUOUS:
        return (
            "say which it is by the source's `decimal: ','` or `thousands: ','`, or write plain "
            "numbers, such as 1234.5"
        )
    texts = (text for text in column.values if number_format(text) is None and not is_number(text))
    odd = next(texts, None)
    if odd is None:
        return "write them as plain numbers, such as 1234.5"
    return (
        f"write them as plain numbers, such as 1234.5, or list what is none, such as {odd!r}, "
        "under the source's `missing`"
    )


def text_column_note(name: str, column: Category, *, from_file: bool = True) -> str | None:
    """A sentence for a column of texts that may be meant as numbers; None if nothing suggests it.

    Args:
        name: Of the column.
        column: Its cells.
        from_file: Whether a source with keys of its own reads it; otherwise it is in memory.
    """
    formatted = formatted_numbers(column)
    if formatted is not None:
        kind, example = formatted
        remedy = mend_numbers(column, kind) if from_file else "make numbers of them, such as 1234.5"
        return (
            f"column {name!r}: most cells look like numbers with {kind} ({example!r}) "
            f"and are read as text; {remedy}"
        )
    texts = [*islice((value for value in column.values if not is_number(value)), _MOST_MARKS + 1)]
    numbers = len(column.values) - len(texts)
    single = len(texts) == 1 and numbers >= _FEW_NUMBERS
    if not numbers or not texts or not (single or all(map(looks_missing, texts))):
        return None
    counts = _counts(column)
    cells = sum(counts[column.values.index(text)] for text in texts)
    remedy = (
        f"set the source's `columns: {{{name}: {{missing: {texts}}}}}`"
        if from_file
        else "put None in its place"
    )
    return (
        f"column {name!r}: {', '.join(map(repr, texts))} {'stands' if len(texts) == 1 else 'stand'}"
        f" beside numbers in {cells} of {sum(counts)} cells, so all are read as text; if it marks "
        f"missing values, {remedy}"
    )


def _counts(column: Category) -> list[int]:
    """How many cells hold each value."""
    codes = column.codes[column.codes >= 0]
    return np.bincount(codes, minlength=len(column.values)).tolist()
