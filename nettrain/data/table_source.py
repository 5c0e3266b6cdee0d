"""The base of sources that read a table with named columns."""

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, Self

from pydantic import Field

from nettrain.component import Text, to_mapping
from nettrain.data.cache import cached_name, file_state, is_whole, made_once
from nettrain.data.collect import InMemory, OnDisk, Store
from nettrain.data.column_override import Overrides, named, take_out_marks, texts
from nettrain.data.column_roles import ColumnKeys, ColumnList, assign_roles, find_columns
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category
from nettrain.data.model_columns import ModelColumns
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.number_text import (
    OTHER_DIGITS,
    formatted_numbers,
    mend_numbers,
    text_column_note,
)
from nettrain.data.rows.base import MAX_TABLE
from nettrain.data.rows.stored import Read
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.table_columns import features_of, target_of, weighted
from nettrain.data.table_file import read_table, write_table
from nettrain.data.written_columns import WrittenColumns, split_names
from nettrain.data.written_numbers import read_written_numbers
from nettrain.errors import DataError
from nettrain.files import UNREADABLE, absolute_path, cannot_read, unpacked_size
from nettrain.version import __version__


@dataclass(frozen=True, kw_only=True)
class TableSource(Source):
    """Rows of named columns: columns of numbers become numbers, columns of texts categories.

    Raises DataError for a missing target, and unknown or repeated columns.
    """

    path: Annotated[Text, Field(description="file, relative to the config", examples=["wine.csv"])]
    target: Annotated[
        ColumnList,
        Field(
            description="column(s) to predict: by name, or by place from 0 (-1: the last)",
            examples=["quality"],
        ),
    ] = ()
    features: Annotated[
        ColumnList, Field(description="columns to learn from; none named: all others")
    ] = ()
    ignore: Annotated[ColumnList, Field(description="columns to leave out")] = ()
    weights: Annotated[
        ColumnList,
        Field(description="column of how much each row counts in the loss; 0: not at all"),
    ] = ()
    categorical: Annotated[
        ColumnList,
        Field(description="columns whose numbers are names (a postcode), not quantities"),
    ] = ()
    numeric: Annotated[
        ColumnList,
        Field(description="columns read as numbers though some have leading zeros (007)"),
    ] = ()
    decimal: Annotated[
        Literal[".", ","] | None,
        Field(description="before the fraction of numbers that are texts; null: detected"),
    ] = None
    thousands: Annotated[
        Literal["", ".", ",", "'", " "] | None,
        Field(description="between groups of three digits in such numbers; null: detected"),
    ] = None
    columns: Annotated[
        Overrides,
        Field(
            description="what single columns hold, where the cells would be understood otherwise",
            examples=[{"zip": {"type": "category"}, "co": {"missing": [-200]}}],
        ),
    ] = field(default_factory=dict)
    read: Read = "auto"

    def __post_init__(self) -> None:
        if len(self.weights) > 1:
            raise ValueError("weights: expected one column")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; they must differ")

    @abstractmethod
    def open(self, schema: Schema | None = None) -> OpenTable:
        """The file's columns.

        Args:
            schema: The columns of a trained model, which help to tell a header from a row.
        """

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(absolute_path(self.path, directory)))

    def with_path(self, path: Path) -> Source:
        """The same keys for another file; without a weights column, its rows count alike."""
        if file_kind(path) != self.name():
            return super().with_path(path)
        same = self.replace(path=str(path))
        named = {name for name in self.weights if isinstance(name, str)}
        return same if not named or named <= {*same.open().names} else same.replace(weights=())

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows."""
        load = partial(self._load, extra_columns, with_target=True)
        return self._placed(load, ("all", *extra_columns))

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, without the target columns if any are named."""
        load = partial(self._load, extra_columns, with_target=False)
        return self._placed(load, ("inputs", *extra_columns))

    def _placed(self, load: Callable[[Store], Dataset], decisive: Sequence[str]) -> Dataset:
        """The dataset in memory, or in a file of the cache that all later readings use.

        Args:
            load: Reads it.
            decisive: What decides its content beside the keys of the source and the file.
        """
        path = Path(self.path)
        try:
            stays = self.read == "disk" or (self.read == "auto" and self._memory() > MAX_TABLE)
            state = file_state(path) if stays else ""
        except UNREADABLE as error:
            raise cannot_read(self.path, error) from None
        if not stays:
            return load(InMemory())

        def write(file: BinaryIO) -> None:
            store = OnDisk(file, Path(file.name))
            write_table(file, load(store), store)

        keys = json.dumps(to_mapping(self.replace(read="auto")))
        file = made_once(
            "tables",
            cached_name(path.name, (__version__, keys, state, *decisive), ".table"),
            write,
            of=self.path,
            size=self._memory(),
            remedy="set dataset.source.read: memory",
            valid=is_whole,
        )
        return read_table(file)

    def _memory(self) -> int:
        """About how many bytes the table takes in memory; a number takes as many as its text."""
        return unpacked_size(self.path)

    def _load(self, extra_columns: tuple[str, ...], store: Store, *, with_target: bool) -> Dataset:
        table = self.open()
        keys = ColumnKeys(
            target=self.target,
            features=self.features,
            ignore=(*self.ignore, *named(self.columns, "ignore")),
            weights=self.weights,
            categorical=(*self.categorical, *texts(self.columns)),
            numeric=(*self.numeric, *named(self.columns, "number")),
            extra=extra_columns,
            columns=tuple(self.columns),
        )
        roles = assign_roles(keys, table, self.path, with_target=with_target)
        learned = [*roles.features, *(roles.target if with_target else ())]
        numbers = [name for name in dict.fromkeys(learned) if roles.numeric.get(name, True)]
        kinds = roles.numeric | (dict.fromkeys(numbers, False) if self._format_given(table) else {})
        columns, lines = table.read([*learned, *roles.extra, *roles.weights], kinds, store)
        take_out_marks(columns, self._marked(), table)
        formats, notes = read_written_numbers(
            columns, numbers, self.decimal, self.thousands, plain={*self._marked()}
        )
        table.check_mixed(formats)
        undecided = [name for name in numbers if name not in roles.numeric]
        notes = [*table.notes, *notes]
        notes += self._column_notes(table, columns, undecided, roles.target)
        extra = {
            name: column for name in roles.extra if isinstance(column := columns[name], Category)
        }
        dataset = Dataset(
            features_of(columns, roles.features),
            None,
            origin=self.path,
            lines=lines,
            extra_columns=extra,
            formats=formats,
            notes=tuple(notes),
        )
        dataset = weighted(dataset, columns, roles.weights)
        if not with_target:
            return dataset
        return replace(dataset, target=target_of(columns, roles.target, dataset, table))

    def _format_given(self, table: OpenTable) -> bool:
        """Whether cells that look like plain numbers may be others: 1.500 with a decimal comma."""
        return not table.typed and (self.decimal == "," or self.thousands == ".")

    def _marked(self) -> dict[str, tuple[str, ...]]:
        """The columns that have marks of missing values of their own."""
        return {name: one.missing for name, one in self.columns.items() if one.missing}

    def _column_notes(
        self,
        table: OpenTable,
        columns: dict[str, Column],
        names: Sequence[str],
        target: Sequence[str],
    ) -> list[str]:
        """Notes on columns of texts that may be meant as numbers.

        Raises:
            DataError: A target looks so, or digits are of another script.
        """
        notes = []
        for name in names:
            column = columns[name]
            if not isinstance(column, Category):
                continue
            formatted = formatted_numbers(column)
            if formatted is not None and formatted[0] == OTHER_DIGITS:
                raise DataError(
                    f"{self.path}: column {name!r}: most cells are numbers in {OTHER_DIGITS} "
                    f"({formatted[1]!r}); write them with the digits 0 to 9, or list the column "
                    "under `categorical` if they name something"
                )
            if formatted is not None and name in target:
                raise DataError(
                    f"{self.path}: target {name!r}: most cells look like numbers with "
                    f"{formatted[0]} ({formatted[1]!r}) and are read as text, so its "
                    f"{len(column.values)} distinct values would be classes; "
                    f"{mend_numbers(column, formatted[0])}, or list the column under `categorical` "
                    "if they name classes"
                )
            note = text_column_note(name, column)
            notes += [] if note is None else [note]
        return notes

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The model's columns by name; other columns are passed over."""
        load = partial(self._load_for, schema, with_target=with_target)
        if len(schema.shape) > 1:  # pixels are put in their places in memory
            return load(InMemory())
        return self._placed(load, ("for", repr(schema), repr(with_target)))

    def _load_for(self, schema: Schema, store: Store, *, with_target: bool) -> Dataset:
        columns = ModelColumns(self.path, self.open(schema), schema, self._marked())
        return columns.load(store, self.weights, with_target=with_target)

    def written_columns(self, asked: Sequence[str], schema: Schema) -> WrittenColumns:
        """The named columns, untouched: missing marks and number formats do not count."""
        table = self.open(schema)
        names = find_columns("--keep", split_names(asked, table.names), table, self.path)
        return WrittenColumns(names, table.written(names))
