"""Values whose writing was not understood, or may be understood wrongly."""

import re
from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np

from nettrain.data.automatic import kind_of_texts
from nettrain.data.features import MISSING, Category
from nettrain.data.readers.date_text import AmbiguousDate, date_format, parse_date
from nettrain.data.readers.number_text import (
    formatted_numbers,
    has_leading_zero,
    is_number,
    mend_numbers,
)
from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.remedies import override, transform
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import plural, quoted, share

_MIXED = 0.05  # of the cells: fewer numbers among texts, or texts among numbers, are no mixture
_MOSTLY_DATES = 0.8  # of the distinct texts that are looked at
_LOOKED_AT = 20  # texts of a column in which dates are sought
_DATE_LIKE = re.compile(r"(?=(?:\D*\d){3})[\w\s:./,+-]{6,35}", re.ASCII)
_CODE_NAME = re.compile(r"(^|[_\s.-])(zip|zip_?code|postal_?code|post_?code|plz|fips)$", re.I)
_YEARS = (1900, 2100)
# Quarters and months, which are no days: 1974Q1, 2024-11, 11/2024, Nov 2024, 2024 November.
_PERIODS = {
    r"(1[89]|20)\d\d[\s:/-]?Q[1-4]|Q[1-4][\s:/-]?(1[89]|20)\d\d": "",
    r"(1[89]|20)\d\d-(0?[1-9]|1[0-2])": "%Y-%m",
    r"(0?[1-9]|1[0-2])/(1[89]|20)\d\d": "%m/%Y",
    r"[A-Z][a-z]{2} (1[89]|20)\d\d": "%b %Y",
    r"[A-Z][a-z]{2}-\d\d": "%b-%y",
}


def writing_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Numbers and dates left as texts, dates and codes read as numbers, texts among numbers."""
    for name, column in rows.texts.items():
        if "drop" not in rows.transforms_of(name):
            yield from _of_texts(rows, name, column)
    for name, x in rows.numbers.items():
        if "drop" not in rows.transforms_of(name):
            yield from _of_numbers(rows, name, x)


def _of_texts(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    formatted = formatted_numbers(column)
    if formatted is not None:
        kind, example = formatted
        where = np.flatnonzero(column.codes == column.values.index(example))
        yield Suspicion(
            "numbers_as_text",
            "warning",
            f"column {name!r}: most cells look like numbers with {kind}, such as {example!r}, and "
            "are read as text",
            mend_numbers(column, kind),
            (name,),
            rows.lines(where),
            (example,),
        )
        return
    if kind_of_texts(column) == "date":
        yield from _untransformed_dates(rows, name, column)
        return
    if column.values and all(map(is_number, column.values)):
        yield from _leading_zeros(rows, name, column)
        return
    yield from _periods(rows, name, column)
    yield from _partly_dates(rows, name, column)
    yield from _mixed(rows, name, column)


def _untransformed_dates(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    if rows.transforms is None or "datetime" in rows.transforms_of(name) or _is_ambiguous(column):
        return
    yield Suspicion(
        "date_as_text",
        "warning",
        f"column {name!r}: holds dates or times, such as {column.values[0]!r}, and becomes "
        f"{plural(len(column.values), 'category')}",
        transform("datetime", [name]),
        (name,),
        examples=column.values[:SHOWN],
    )


def _is_ambiguous(column: Category) -> bool:
    """Whether day and month cannot be told apart, which `unused_columns` names."""
    try:
        date_format(column.values)
    except AmbiguousDate:
        return True
    return False


def _rows_with(column: Category, values: Collection[str]) -> np.ndarray:
    """The rows whose cell holds one of the values."""
    chosen = {*values}
    codes = [code for code, value in enumerate(column.values) if value in chosen]
    found: np.ndarray = np.flatnonzero(np.isin(column.codes, codes))
    return found


def _leading_zeros(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    zero = [value for value in column.values if has_leading_zero("\n" + value)]
    if not zero:
        return
    where = _rows_with(column, zero)
    yield Suspicion(
        "leading_zeros",
        "note",
        f"column {name!r}: numbers with leading zeros, such as {zero[0]!r}, in "
        f"{share(len(where), len(column.codes))}, so all are read as categories",
        f"{override(rows, name, type='number')}, if they are quantities",
        (name,),
        rows.lines(where),
        tuple(zero[:SHOWN]),
    )


def _periods(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    """Months and quarters, which are read as categories."""
    if "datetime" in rows.transforms_of(name):
        return
    for pattern, form in _PERIODS.items():
        matches = (re.fullmatch(pattern, value, re.ASCII) for value in column.values)
        if not column.values or not all(matches):
            continue
        months = transform("datetime", [name], f", format: '{form}'")
        yield Suspicion(
            "period_as_text",
            "warning",
            f"column {name!r}: months or quarters such as {column.values[0]!r} are read as "
            "categories",
            months if form else "write them as dates, such as 2024-10-01 for 2024Q4",
            (name,),
            examples=column.values[:SHOWN],
        )
        return


def _partly_dates(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    """Texts of which most are dates of one format, and some are not."""
    step = -(-len(column.values) // _LOOKED_AT) or 1
    sample = [value for value in column.values[::step] if not is_number(value)]
    forms = {value: _date_form(value) for value in sample}
    counts = Counter(form for form in forms.values() if form)
    if not counts or sum(counts.values()) < _MOSTLY_DATES * len(sample):
        return
    common, _ = counts.most_common(1)[0]
    odd = [value for value in column.values if parse_date(value, common) is None]
    if not odd:
        return
    where = _rows_with(column, odd)
    yield Suspicion(
        "mixed_dates",
        "warning",
        f"column {name!r}: most texts are dates, but not all in one format: {quoted(odd)} in "
        f"{share(len(where), len(column.codes))}; all are read as categories",
        f"write all dates in one format; {override(rows, name, missing=odd)} for what is none",
        (name,),
        rows.lines(where),
        tuple(odd[:SHOWN]),
    )


def _date_form(text: str) -> str | None:
    if not _DATE_LIKE.fullmatch(text):
        return None
    try:
        return date_format([text])
    except AmbiguousDate as error:
        return error.formats[0]


def _mixed(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    numeric = np.array([*map(is_number, column.values), False])
    cells = column.codes != MISSING
    numbers = numeric[column.codes] & cells
    texts = ~numeric[column.codes] & cells
    total = int(cells.sum())
    if min(numbers.sum(), texts.sum()) < max(_MIXED * total, 1):
        return
    odd = [value for value, is_one in zip(column.values, numeric, strict=False) if not is_one]
    distinct = sum(numeric)
    if distinct <= len(odd):  # codes such as A1, 12, 7B
        return
    yield Suspicion(
        "mixed_types",
        "warning",
        f"column {name!r}: {share(int(numbers.sum()), total)} hold numbers and the others texts, "
        f"such as {quoted(odd)}; all are read as categories",
        f"{override(rows, name, type='number', missing=odd)}, if they mark missing values",
        (name,),
        rows.lines(np.flatnonzero(texts)),
        tuple(odd[:SHOWN]),
    )


def _of_numbers(rows: ProfiledRows, name: str, x: np.ndarray) -> Iterator[Suspicion]:
    present = x[~np.isnan(x)]
    if not present.size or (present != np.floor(present)).any():
        return
    if _are_dates(present):
        yield Suspicion(
            "date_as_number",
            "warning",
            f"column {name!r}: holds dates written as numbers, such as {present[0]:.0f}",
            override(rows, name, type="date"),
            (name,),
            examples=tuple(f"{value:.0f}" for value in present[:SHOWN]),
        )
    elif _CODE_NAME.search(name):
        yield Suspicion(
            "codes_as_numbers",
            "warning",
            f"column {name!r}: codes such as {present[0]:.0f} are read as quantities",
            override(rows, name, type="category"),
            (name,),
            examples=tuple(f"{value:.0f}" for value in present[:SHOWN]),
        )


def _are_dates(x: np.ndarray) -> bool:
    """Whether all are dates as year, month and day: 20240131."""
    year, month, day = x // 10_000, x // 100 % 100, x % 100
    first, last = _YEARS
    dates = (first <= year) & (year <= last) & (month >= 1) & (month <= 12) & (day >= 1)
    return bool((dates & (day <= 31)).all()) and len(np.unique(x)) > 1
