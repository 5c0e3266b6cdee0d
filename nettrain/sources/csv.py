"""Tables as delimited text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nettrain.component import Flag, Text
from nettrain.data.collect import Cells, Store
from nettrain.data.column_override import Marks, Overrides
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.readers.number_text import MissingMarks
from nettrain.data.readers.text_column import read_columns
from nettrain.data.readers.text_table import TextTable, positional
from nettrain.data.schema import Schema
from nettrain.data.table_source import TableSource
from nettrain.data.written_columns import Block


@dataclass(frozen=True, kw_only=True)
class Csv(TableSource):
    """Delimited text (CSV, TSV): rows of cells, separated by commas or what the file uses.

    Plain or gzip. Columns of numbers become numbers, columns of texts categories. A column in which
    most cells are numbers and some are not is an error; one whose numbers have redundant leading
    zeros (007) stays text, with a note. Spaces around cells do not count; blank lines and rows
    without any value are skipped. Columns are named as in the header, or column_0, column_1 ...
    without one.

    Raises:
        DataError: With file and line, for ragged rows, bad quotes, infinite numbers, a missing
            target, and unknown or repeated columns.
    """

    delimiter: Annotated[
        str | None,
        Field(min_length=1, max_length=1, description="between cells; null: detected (, ; tab |)"),
    ] = None
    header: Annotated[
        Flag | None, Field(description="whether the first row names the columns; null: detected")
    ] = None
    encoding: Annotated[
        Text, Field(description="of the characters; a byte-order mark of UTF-16 or 32 overrides it")
    ] = "utf-8-sig"
    missing: Annotated[
        Marks,
        Field(description="cells that stand for a missing value; numbers are compared by value"),
    ] = (
        "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None", "?"
    )  # fmt: skip

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The columns: without a header they are named by place."""
        named = (*self.target, *self.features, *self.ignore, *self.categorical, *self.numeric)
        known = frozenset(name for name in (*named, *self.weights) if isinstance(name, str))
        header = self.header if schema is None else self._header_again(schema)
        table = TextTable.open(
            Path(self.path),
            self.encoding,
            self.delimiter,
            header,
            MissingMarks(self.missing),
            known,
        )
        if schema is not None and not table.header:
            table = replace(table, names=_without_header(table.names, schema))
        return _OpenText(table, self.path, self.missing, self.columns)

    def _header_again(self, schema: Schema) -> bool | None:
        """Whether the file has a header: None, to be detected, unless training settles it.

        A model trained without header expects none; one trained with names expects them, if only
        one row follows.
        """
        if self.header is not None or not (schema.numbers or schema.texts):
            return self.header
        return not all(
            re.fullmatch(r"column_\d+", name) for name in (*schema.numbers, *schema.texts)
        )


class _OpenText(OpenTable):
    """A text table as `TableSource` reads it."""

    typed = False

    def __init__(
        self, table: TextTable, origin: str, missing: tuple[str, ...], overrides: Overrides
    ) -> None:
        super().__init__()
        self.names, self.place, self.missing = table.names, f"{origin}:1", missing
        self.notes += table.notes
        self._table, self._origin, self._overrides = table, origin, overrides
        self.has_header = bool(table.header)
        if not table.header:
            self.hint = (
                "; the file has no header (say `header: true` if it has), so name columns by place"
            )

    def _marks_of(self, names: Sequence[str]) -> dict[str, MissingMarks]:
        marks = dict.fromkeys(names, MissingMarks(self.missing))
        return marks | {
            name: MissingMarks((*self.missing, *override.missing))
            for name, override in self._overrides.items()
            if override.missing
        }

    def read(
        self, names: Sequence[str], numeric: dict[str, bool], store: Store
    ) -> tuple[dict[str, Column], Cells | None]:
        read, columns, lines = read_columns(
            self._table, names, numeric, self._marks_of(names), self._origin, store
        )
        self.marks = {name: column.marks for name, column in read.items()}
        self.mixed = {name: column.mixed for name, column in read.items() if column.mixed}
        self.notes += [
            f"column {name!r}: its numbers have leading zeros ({column.leading_zero!r}), so it is "
            "read as text; list it under `numeric` if it holds quantities"
            for name, column in read.items()
            if column.leading_zero is not None
        ]
        empty = self._table.empty
        if empty:
            self.notes.append(
                f"rows without any value are skipped: {len(empty)} (the first in line {empty[0]})"
            )
        return columns, lines

    def written(self, names: Sequence[str]) -> Iterator[Block]:
        """The cells as texts."""
        places = [self.names.index(name) for name in names]
        for cells, _ in self._table.chunks():
            yield [list(cells[place]) for place in places]


def _without_header(names: tuple[str, ...], schema: Schema) -> tuple[str, ...]:
    """Names by place.

    If the model's columns do not fit so, the file may lack the target, and the columns behind it
    have moved up.
    """
    columns = {*schema.numbers, *schema.texts}
    if columns <= set(names):
        return names
    shifted = tuple(
        name for name in positional(len(names) + len(schema.targets)) if name not in schema.targets
    )
    return shifted if columns <= set(shifted) and len(shifted) == len(names) else names
