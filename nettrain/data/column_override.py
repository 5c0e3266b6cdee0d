"""What a user says about single columns of a table, over what their cells tell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PlainValidator

from nettrain.component import Record, Text
from nettrain.data.features import MISSING, Category
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.readers.number_text import MissingMarks
from nettrain.data.stored_columns import StoredColumn

ColumnType = Literal["number", "category", "text", "date", "ignore"]
_AS_TEXT: tuple[ColumnType, ...] = (
    "category",
    "text",
    "date",
)  # what transforms make of a text is theirs to decide


def missing_marks(value: object) -> tuple[str, ...]:
    """Strings, or numbers, which become strings; what YAML reads as something else is named."""
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if item is None or isinstance(item, bool):
            written = "null" if item is None else str(item).lower()
            raise ValueError(
                f"expected strings or numbers, got {written}, which is no string without quotes; "
                f"write '{'NULL' if item is None else written}' in quotes, as in the file"
            )
        if not isinstance(item, str | int | float):
            raise ValueError(f"expected strings or numbers, got {item!r}")
    return tuple(item if isinstance(item, str) else repr(item) for item in items)


Marks = Annotated[
    tuple[str, ...],
    PlainValidator(missing_marks, json_schema_input_type=list[str | float] | str | float),
]


@dataclass(frozen=True, kw_only=True)
class ColumnOverride(Record):
    """What one column holds."""

    type: Annotated[
        ColumnType | None,
        Field(
            description="number; category, text or date: read as text; ignore: left out; null: the "
            "cells decide"
        ),
    ] = None
    missing: Annotated[
        Marks,
        Field(description="cells of this column that stand for a missing value", examples=[[-200]]),
    ] = ()


Overrides = dict[Text, ColumnOverride]


def named(overrides: Mapping[str, ColumnOverride], *types: ColumnType) -> tuple[str, ...]:
    """The columns that are of one of these types."""
    return tuple(name for name, override in overrides.items() if override.type in types)


def texts(overrides: Mapping[str, ColumnOverride]) -> tuple[str, ...]:
    """The columns whose cells are read as texts."""
    return named(overrides, *_AS_TEXT)


def without_marks(column: Column, marks: tuple[str, ...]) -> Column:
    """A column whose cells that are marks of a missing value are missing."""
    missing = MissingMarks(marks)
    if isinstance(column, Category):
        kept = [text not in missing for text in column.values]
        lookup = np.array([*np.where(kept, np.cumsum(kept) - 1, MISSING), MISSING], np.int32)
        values = tuple(text for text, keep in zip(column.values, kept, strict=True) if keep)
        return column.recoded(lookup, values)
    if isinstance(column, StoredColumn):
        return replace(column, marks=tuple(missing.numbers.tolist()))
    return np.where(np.isin(column, missing.numbers), np.nan, column)


def take_out_marks(
    columns: dict[str, Column], marks: Mapping[str, tuple[str, ...]], table: OpenTable
) -> None:
    """Makes the marked cells of columns missing, in place, where the file does not do it itself.

    Args:
        columns: That were read.
        marks: By column.
        table: From which they were read.
    """
    for name, of_column in marks.items() if table.typed else ():
        if name in columns:
            columns[name] = without_marks(columns[name], of_column)
