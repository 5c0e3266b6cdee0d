"""Tables as delimited text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Flag, Text
from nettrain.data.readers.text_column import read_columns
from nettrain.data.readers.text_table import TextTable, positional
from nettrain.data.schema import Schema
from nettrain.data.table_source import Column, OpenTable, TableSource


@dataclass(frozen=True, kw_only=True)
class Csv(TableSource):
    """Rows of cells, separated by commas or what the file uses; plain or gzip.

    Columns of numbers become numbers, columns of texts categories; a column in which most cells are numbers and some are not is an error.
    Spaces around cells and blank lines do not count. Columns are named as in the header, or column_0, column_1 ... without one.
    Raises DataError with file and line for ragged rows, bad quotes, infinite numbers, a missing target, and unknown or repeated columns.
    """

    delimiter: Annotated[
        str | None,
        Field(min_length=1, max_length=1, description="between cells; null: found out (, ; tab |)"),
    ] = None
    header: Annotated[
        Flag | None, Field(description="whether the first row names the columns; null: found out")
    ] = None
    encoding: Annotated[
        Text, Field(description="of the file's characters; a byte order mark is passed over")
    ] = "utf-8-sig"
    missing: Annotated[
        tuple[str, ...], Field(description="cells that stand for a missing value")
    ] = (
        "",
        "NA",
        "N/A",
        "NaN",
        "nan",
        "null",
        "?",
    )

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The columns: without a header they are named by place."""
        named = (*self.target, *self.features, *self.ignore, *self.categorical, *self.weights)
        known = frozenset(name for name in named if isinstance(name, str))
        header = self.header if schema is None else self._header_again(schema)
        missing = frozenset(self.missing)
        table = TextTable.open(
            Path(self.path), self.encoding, self.delimiter, header, missing, known
        )
        if schema is not None and not table.header:
            table = replace(table, names=_without_header(table.names, schema))
        return _OpenText(table, self.path, missing)

    def _header_again(self, schema: Schema) -> bool | None:
        """A model trained without header expects none; one trained with names expects them, if only one row follows."""
        if self.header is not None or not (schema.numbers or schema.texts):
            return self.header
        return not all(
            re.fullmatch(r"column_\d+", name) for name in (*schema.numbers, *schema.texts)
        )


class _OpenText(OpenTable):
    """A text table as `TableSource` reads it."""

    def __init__(self, table: TextTable, origin: str, missing: frozenset[str]) -> None:
        self.names, self.place = table.names, f"{origin}:1"
        self._table, self._origin, self._missing = table, origin, missing
        if not table.header:
            self.hint = (
                "; the file has no header (say `header: true` if it has), so name columns by place"
            )

    def read(
        self, names: Sequence[str], numeric: dict[str, bool]
    ) -> tuple[dict[str, Column], np.ndarray | None]:
        return read_columns(self._table, names, numeric, self._missing, self._origin)


def _without_header(names: tuple[str, ...], schema: Schema) -> tuple[str, ...]:
    """Names by place; if the model's columns do not fit so, the file may lack the target, and those behind it have moved up."""
    wanted = (*schema.numbers, *schema.texts)
    if set(wanted) <= set(names):
        return names
    shifted = tuple(
        name for name in positional(len(names) + len(schema.targets)) if name not in schema.targets
    )
    return shifted if set(wanted) <= set(shifted) and len(shifted) == len(names) else names
