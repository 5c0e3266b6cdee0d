"""Columns whose numbers are written with commas, percent or currency signs become numbers."""

from collections.abc import Callable, Container, Iterable, Mapping

import numpy as np

from nettrain.data.collect import Cells
from nettrain.data.features import Category
from nettrain.data.readers.number_format import NumberFormat, recognize
from nettrain.data.readers.number_text import number_format
from nettrain.errors import DataError

Column = Cells | Category
_MOST_LISTED = 5


def read_written_numbers(
    columns: dict[str, Column],
    names: Iterable[str],
    decimal: str | None = None,
    thousands: str | None = None,
    plain: Container[str] = (),
) -> tuple[dict[str, NumberFormat], list[str]]:
    """Replace texts that are all numbers of one format by these numbers.

    Args:
        columns: By name; changed in place.
        names: Of those that may be numbers.
        decimal: What stands before fractions, as the user says; None: the cells tell.
        thousands: What stands between groups of three digits, likewise.
        plain: Of the names, those whose texts may be plain numbers, left when marks of missing
            values were taken out.

    Returns:
        The format of each column that has become numbers, and a note for each kind of format.
    """
    formats: dict[str, NumberFormat] = {}
    found: dict[str, list[str]] = {}
    for name in names:
        column = columns[name]
        recognized = (
            recognize(column, decimal, thousands, plain=name in plain)
            if isinstance(column, Category)
            else None
        )
        if recognized is None:
            continue
        formats[name], example = recognized
        columns[name], _ = formats[name].numbers(column)  # type: ignore[arg-type]
        kind = number_format(example)
        if kind is not None:
            value = formats[name].number(example)
            found.setdefault(kind, []).append(f"{name!r} ({example!r} is {value:.12g})")
    return formats, [_note(kind, described) for kind, described in found.items()]


def _note(kind: str, described: list[str]) -> str:
    more = f" and {len(described) - _MOST_LISTED} more" if len(described) > _MOST_LISTED else ""
    several = "s" if len(described) > 1 else ""
    return (
        f"numbers with {kind}, read as numbers: column{several} "
        f"{', '.join(described[:_MOST_LISTED])}{more}"
    )


def convert_written_numbers(
    columns: dict[str, Column],
    formats: Mapping[str, NumberFormat],
    place: Callable[[int], str],
) -> None:
    """Read the columns of a trained model in the formats of training; changes them in place.

    Raises:
        DataError: With the place of the first cell that is no number in its column's format.
    """
    for name, form in formats.items():
        column = columns.get(name)
        if not isinstance(column, Category):
            continue
        numbers, odd = form.numbers(column)
        if odd:
            row = int(np.flatnonzero(column.codes == column.values.index(odd[0]))[0])
            raise DataError(
                f"{place(row)}: column {name!r}: expected a number as training had them "
                f"({_described(form)}), got {odd[0]!r}; correct it, or add it to the source's "
                "`missing`"
            )
        columns[name] = numbers


def _described(form: NumberFormat) -> str:
    grouped = f", {form.thousands!r} between thousands" if form.thousands else ""
    signs = f", {' '.join(form.strip)} beside it" if form.strip else ""
    return f"{form.decimal!r} before fractions{grouped}{signs}"
