"""Tables as delimited text."""
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, PlainValidator

from nettrain.component import Flag, Text
from nettrain.data.conform import check_names, conform_target
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.file_kind import file_kind
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.data.text_column import TextColumn
from nettrain.data.text_table import TextTable, positional
from nettrain.errors import DataError, nearest


def _column_list(value: object) -> tuple[str | int, ...]:
    """One column or several, by name, or by place where there is no header."""
    items = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, str | int) and not isinstance(item, bool) and item != "" for item in items):
        raise ValueError("expected a column's name (or its place, counted from 0), or a list of them")
    return tuple(items)


ColumnList = Annotated[tuple[str | int, ...], PlainValidator(_column_list, json_schema_input_type=str | int | list[str | int])]


@dataclass(frozen=True, kw_only=True)
class Csv(Source):
    """Rows of cells, separated by commas or what the file uses; plain or gzip.

    Columns of numbers become numbers, columns of texts categories; a column in which most cells are numbers and some are not is an error.
    Spaces around cells and blank lines do not count. Columns are named as in the header, or column_0, column_1 ... without one.
    Raises DataError with file and line for ragged rows, bad quotes, infinite numbers, a missing target, and unknown or repeated columns.
    """

    path: Annotated[Text, Field(description="file, relative to the config")]
    target: Annotated[ColumnList, Field(description="column(s) to predict: by name, or by place from 0 (-1: the last)")] = ()
    features: Annotated[ColumnList, Field(description="columns to learn from; none named: all others")] = ()
    ignore: Annotated[ColumnList, Field(description="columns to leave out")] = ()
    categorical: Annotated[ColumnList, Field(description="columns whose numbers are names (a postcode), not quantities")] = ()
    delimiter: Annotated[str | None, Field(min_length=1, max_length=1, description="between cells; null: found out (, ; tab |)")] = None
    header: Annotated[Flag | None, Field(description="whether the first row names the columns; null: found out")] = None
    encoding: Annotated[Text, Field(description="of the file's characters; a byte order mark is passed over")] = "utf-8-sig"
    missing: Annotated[tuple[str, ...], Field(description="cells that stand for a missing value")] = (
        "", "NA", "N/A", "NaN", "nan", "null", "?",
    )

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(directory / Path(self.path).expanduser()))

    def like(self, path: Path) -> Source:
        """The same manner for another file, unless that is an array."""
        return self.replace(path=str(path)) if file_kind(path) == "csv" else super().like(path)

    def load(self, seed: int, aside: tuple[str, ...] = ()) -> Dataset:
        """All rows."""
        table = self._open(self.header)
        target = self._find("target", self.target, table)
        if not target:
            raise DataError(f"{self.path}: `target` is missing: which column is to be predicted? (there are: {_listed(table.names)})")
        chosen, ignored = self._find("features", self.features, table), self._find("ignore", self.ignore, table)
        categorical, kept = self._find("categorical", self.categorical, table), self._find("dataset.split.column", aside, table)
        both = sorted({*target} & {*chosen, *ignored} | {*chosen} & {*ignored})
        if both:
            raise DataError(f"{self.path}: column {both[0]!r} is named under two of `target`, `features` and `ignore`; name it once")
        features = [name for name in chosen or table.names if name not in (*target, *ignored, *kept)]
        if not features:
            raise DataError(f"{self.path}: no column is left to learn from (there are: {_listed(table.names)}; target: {_listed(target)})")
        numeric = dict.fromkeys(categorical, False) | dict.fromkeys(kept, False)
        columns, lines = self._read(table, [*features, *target, *kept], numeric)
        plain = Dataset(_features(columns, features), None, origin=self.path, lines=lines)
        texts = {name: column for name in kept if isinstance(column := columns[name], Category)}
        return replace(plain, target=_target(columns, target, plain), aside=texts)

    def load_again(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The model's columns by name, or by place where there is no header; other columns are passed over."""
        table = self._open(self._header_again(schema))
        named = (*schema.numbers, *schema.texts)
        if not table.header:
            table = replace(table, names=_without_header(table.names, schema))
        if not named:                                        # images: every column but the target, row after row of pixels
            named = tuple(name for name in table.names if name not in schema.targets)
            if len(named) != np.prod(schema.shape):
                raise DataError(f"{self.path}: {len(named)} columns of pixels, the model was trained on rows of shape {schema.shape}")
            schema = replace(schema, numbers=named)
        check_names(self.path, schema, table.names)
        targets = schema.targets if with_target else ()
        for name in targets:
            if name not in table.names:
                raise DataError(f"{self.path}: no target column {name!r} to evaluate against{nearest(name, table.names)}")
        classes = schema.task == "classification"
        numeric = dict.fromkeys(schema.texts, False) | dict.fromkeys(schema.numbers, True) | dict.fromkeys(targets, not classes)
        columns, lines = self._read(table, [*named, *targets], numeric)
        found = _features(columns, [*schema.numbers, *schema.texts])
        names = found.names if len(schema.shape) == 1 else ()
        features = Features(found.numbers.reshape(len(lines), *schema.shape), names, found.categories)
        plain = Dataset(features, None, origin=self.path, lines=lines)
        if not with_target:
            return plain
        plain = replace(plain, target=_target(columns, list(targets), plain))
        return replace(plain, target=conform_target(plain, schema))

    def _open(self, header: bool | None) -> TextTable:
        known = frozenset(name for name in (*self.target, *self.features, *self.ignore, *self.categorical) if isinstance(name, str))
        return TextTable.open(Path(self.path), self.encoding, self.delimiter, header, frozenset(self.missing), known)

    def _header_again(self, schema: Schema) -> bool | None:
        """A model trained without header expects none; one trained with names expects them, if only one row follows."""
        if self.header is not None or not (schema.numbers or schema.texts):
            return self.header
        return not all(re.fullmatch(r"column_\d+", name) for name in (*schema.numbers, *schema.texts))

    def _find(self, key: str, wanted: tuple[str | int, ...], table: TextTable) -> list[str]:
        """The names of columns given by name or place."""
        names = table.names
        found = []
        for item in wanted:
            if isinstance(item, int):
                if not -len(names) <= item < len(names):
                    raise DataError(f"{self.path}: {key}: there is no column {item}, the columns are 0 to {len(names) - 1}")
                item = names[item]
            if item not in names:
                hint = "" if table.header else "; the file has no header (say `header: true` if it has), so name columns by place"
                raise DataError(f"{self.path}:1: {key}: no column {item!r}{nearest(item, names)}{hint} (there are: {_listed(names)})")
            found.append(item)
        return found

    def _read(self, table: TextTable, names: list[str], numeric: dict[str, bool]) -> tuple[dict[str, np.ndarray | Category], np.ndarray]:
        """The named columns and the line of each row."""
        missing = frozenset(self.missing)
        columns = [(table.names.index(name), TextColumn(name, self.path, missing, numeric.get(name))) for name in names]
        lines = []
        for cells, first_lines in table.portions():
            lines.append(first_lines)
            for place, column in columns:
                column.add(cells[place], first_lines)
        if not lines:
            raise DataError(f"{self.path}: a header ({_listed(table.names)}) and no rows below it")
        return {column.name: column.finish() for _, column in columns}, np.concatenate(lines)


def _features(columns: dict[str, np.ndarray | Category], names: list[str]) -> Features:
    """Numbers (n, d) and categories. Each column is let go once it is copied, so that a large file is in memory once."""
    categories = {name: column for name in names if isinstance(column := columns[name], Category)}
    rest = [name for name in names if name not in categories]
    rows = len(next(iter(categories.values())).codes if categories else columns[rest[0]])  # type: ignore[arg-type]
    numbers = np.empty((rows, len(rest)))
    for place, name in enumerate(rest):
        numbers[:, place] = columns.pop(name)  # type: ignore[assignment]
    return Features(numbers, tuple(rest), categories)


def _target(columns: dict[str, np.ndarray | Category], names: list[str], dataset: Dataset) -> Target:
    """Texts become classes. Raises DataError for a missing cell, and for texts in one of several targets."""
    for name in names:
        column = columns[name]
        empty = np.flatnonzero(column.codes == MISSING if isinstance(column, Category) else np.isnan(column))
        if empty.size:
            raise DataError(f"{dataset.place(int(empty[0]))}: the target {name!r} is missing (rows like that: {empty.size}); fill it in, "
                            "or leave the rows out")
        if isinstance(column, Category) and len(names) > 1:
            raise DataError(f"{dataset.place(0)}: target {name!r} holds texts; several targets must be numbers")
    first = columns[names[0]]
    if isinstance(first, Category):
        return Target(first.codes.astype(np.int64), tuple(names), first.values)
    return Target(np.stack([np.asarray(columns[name]) for name in names], axis=1), tuple(names))


def _without_header(names: tuple[str, ...], schema: Schema) -> tuple[str, ...]:
    """Names by place; if the model's columns do not fit so, the file may lack the target, and those behind it have moved up."""
    wanted = (*schema.numbers, *schema.texts)
    if set(wanted) <= set(names):
        return names
    shifted = tuple(name for name in positional(len(names) + len(schema.targets)) if name not in schema.targets)
    return shifted if set(wanted) <= set(shifted) and len(shifted) == len(names) else names


def _listed(names: list[str] | tuple[str, ...], most: int = 20) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
