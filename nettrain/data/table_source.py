"""The base of sources that read a table with named columns: which columns are the target, which are learned from, which are left out."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, PlainValidator

from nettrain.component import Text
from nettrain.data.align import align_target, check_names
from nettrain.data.arrays import weights_from
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.number_text import formatted_numbers, text_column_note
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.errors import DataError, nearest
from nettrain.files import absolute_path

Column = np.ndarray | Category  # numbers (n,), NaN where missing, or texts


def _column_list(value: object) -> tuple[str | int, ...]:
    """One column or several, by name, or by place where there is no header."""
    items = value if isinstance(value, list | tuple) else [value]
    if not all(
        isinstance(item, str | int) and not isinstance(item, bool) and item != "" for item in items
    ):
        raise ValueError(
            "expected a column's name (or its place, counted from 0), or a list of them"
        )
    return tuple(items)


ColumnList = Annotated[
    tuple[str | int, ...],
    PlainValidator(_column_list, json_schema_input_type=Text | int | list[Text | int]),
]


class OpenTable(ABC):
    """A file whose columns are known and not read yet.

    Attributes:
        names: Of all columns.
        place: Of those names, as messages name it.
        hint: What to add to the message where a name is not found.
        missing: The cells that stand for a missing value, where the file has such marks.
        marks: The missing marks that occurred in each column; known once it is read.
        notes: What was assumed about the file, a sentence each; complete once it is read.
    """

    names: tuple[str, ...]
    place: str
    hint: str = ""
    missing: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.marks: dict[str, set[str]] = {}
        self.notes: list[str] = []

    @abstractmethod
    def read(
        self, names: Sequence[str], numeric: dict[str, bool]
    ) -> tuple[dict[str, Column], np.ndarray | None]:
        """The named columns, and the line of each row if the file has lines.

        Args:
            names: Of the columns.
            numeric: The kind of those whose cells do not decide it: True for numbers, False for texts.
        """


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

    def __post_init__(self) -> None:
        if len(self.weights) > 1:
            raise ValueError("weights: expected one column")

    @abstractmethod
    def open(self, schema: Schema | None = None) -> OpenTable:
        """The file's columns; schema: those that a trained model wants, which help to tell a header from a row."""

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(absolute_path(self.path, directory)))

    def with_path(self, path: Path) -> Source:
        """The same manner for another file of this kind. If it lacks the column of weights, its rows count alike."""
        if file_kind(path) != self.name():
            return super().with_path(path)
        same = self.replace(path=str(path))
        named = {name for name in self.weights if isinstance(name, str)}
        return same if not named or named <= {*same.open().names} else same.replace(weights=())

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows."""
        if not self.target:
            raise DataError(
                f"{self.path}: `target` is missing: which column is to be predicted? (there are: {_listed(self.open().names)})"
            )
        return self._load(extra_columns, with_target=True)

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, without the target columns if any are named."""
        return self._load(extra_columns, with_target=False)

    def _load(self, extra_columns: tuple[str, ...], *, with_target: bool) -> Dataset:
        table = self.open()
        target, chosen, ignored, categorical, kept, weights, numbers = self._find_all(
            table,
            {
                "target": self.target,
                "features": self.features,
                "ignore": self.ignore,
                "categorical": self.categorical,
                "dataset.split": extra_columns,
                "weights": self.weights,
                "numeric": self.numeric,
            },
        )
        named = Counter(name for names in (target, chosen, ignored, weights) for name in {*names})
        both = sorted(name for name, times in named.items() if times > 1)
        if both:
            keys = "`target`, `features`, `ignore` and `weights`"
            raise DataError(
                f"{self.path}: column {both[0]!r} is named under two of {keys}; name it once"
            )
        twofold = sorted({*categorical} & {*numbers})
        if twofold:
            raise DataError(
                f"{self.path}: column {twofold[0]!r} is named under `categorical` and `numeric`; name "
                "it under one"
            )
        features = [
            name
            for name in chosen or table.names
            if name not in (*target, *ignored, *kept, *weights)
        ]
        if not features:
            raise DataError(
                f"{self.path}: no column is left to learn from (there are: {_listed(table.names)}; target: {_listed(target)})"
            )
        numeric = dict.fromkeys((*categorical, *kept), False)
        numeric |= dict.fromkeys((*numbers, *weights), True)
        learned = [*features, *(target if with_target else ())]
        columns, lines = table.read([*learned, *kept, *weights], numeric)
        open_kinds = [name for name in dict.fromkeys(learned) if name not in numeric]
        notes = [*table.notes, *self._column_notes(table, columns, open_kinds, target)]
        texts = {name: column for name in kept if isinstance(column := columns[name], Category)}
        plain = Dataset(
            features_of(columns, features),
            None,
            origin=self.path,
            lines=lines,
            extra_columns=texts,
            notes=tuple(notes),
        )
        plain = _weighted(plain, columns, weights)
        if not with_target:
            return plain
        return replace(plain, target=target_of(columns, target, plain, table))

    def _column_notes(
        self,
        table: OpenTable,
        columns: dict[str, Column],
        names: Sequence[str],
        target: Sequence[str],
    ) -> list[str]:
        """Notes on columns of texts that may be meant as numbers. Raises DataError for a target."""
        notes = []
        for name in names:
            column = columns[name]
            if not isinstance(column, Category):
                continue
            formatted = formatted_numbers(column) if name in target else None
            if formatted is not None:
                raise DataError(
                    f"{self.path}: target {name!r}: most cells look like numbers with {formatted[0]} "
                    f"({formatted[1]!r}) and are read as text, so its {len(column.values)} distinct "
                    "values would be classes; write them as plain numbers, such as 1234.5, or list "
                    "the column under `categorical` if they name classes"
                )
            note = text_column_note(name, column, table.missing)
            notes += [] if note is None else [note]
        return notes

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The model's columns by name; other columns are passed over."""
        table = self.open(schema)
        named = (*schema.numbers, *schema.texts)
        weights = self._find("weights", self.weights, table) if with_target else []
        if not named:  # images: every column but the target, row after row of pixels
            named = tuple(name for name in table.names if name not in (*schema.targets, *weights))
            if len(named) != np.prod(schema.shape):
                raise DataError(
                    f"{self.path}: {len(named)} columns of pixels, the model was trained on rows of shape {schema.shape}"
                )
            schema = replace(schema, numbers=named)
        check_names(self.path, schema, table.names)
        targets = schema.targets if with_target else ()
        for name in targets:
            if name not in table.names:
                raise DataError(
                    f"{self.path}: no target column {name!r} to evaluate against{nearest(name, table.names)}"
                )
        one_column_of_classes = schema.task == "classification" and len(targets) == 1
        numeric = (
            dict.fromkeys(schema.texts, False)
            | dict.fromkeys(schema.numbers, True)
            | dict.fromkeys(targets, not one_column_of_classes)
        )
        columns, lines = table.read(
            [*named, *targets, *weights], numeric | dict.fromkeys(weights, True)
        )
        found = features_of(columns, [*schema.numbers, *schema.texts])
        names = found.names if len(schema.shape) == 1 else ()
        features = Features(found.array.reshape(len(found), *schema.shape), names, found.categories)
        plain = Dataset(features, None, origin=self.path, lines=lines, notes=tuple(table.notes))
        plain = _weighted(plain, columns, weights)
        if not with_target:
            return plain
        plain = replace(plain, target=target_of(columns, list(targets), plain, table))
        return replace(plain, target=align_target(plain, schema))

    def _find_all(
        self, table: OpenTable, keys: Mapping[str, tuple[str | int, ...]]
    ) -> list[list[str]]:
        """The columns named under each key. Raises one DataError for all that do not exist."""
        problems = []
        for key, wanted in keys.items():
            for item in wanted:
                try:
                    self._find(key, (item,), table)
                except DataError as error:
                    problems.append(str(error))
        if problems:
            raise DataError("\n".join(problems))
        return [self._find(key, wanted, table) for key, wanted in keys.items()]

    def _find(self, key: str, wanted: tuple[str | int, ...], table: OpenTable) -> list[str]:
        """The names of columns given by name or place."""
        names = table.names
        found = []
        for item in wanted:
            if isinstance(item, int):
                item = self._name_of_place(key, item, names)
            if item not in names:
                known = f"(there are: {_listed(names)})"
                raise DataError(
                    f"{table.place}: {key}: no column {item!r}{nearest(item, names)}{table.hint} {known}"
                )
            found.append(item)
        return found

    def _name_of_place(self, key: str, place: int, names: tuple[str, ...]) -> str:
        """The name of the column at a place; of a whole number that is no place, the column so named."""
        inside = -len(names) <= place < len(names)
        if str(place) in names and not (inside and names[place] == str(place)):
            if not inside:
                return str(place)
            raise DataError(
                f"{self.path}: {key}: {place} is both the place of column {names[place]!r} and a "
                f"column's name; write '{place}' in quotes, or the name {names[place]!r}"
            )
        if not inside:
            raise DataError(
                f"{self.path}: {key}: there is no column {place}, the columns are 0 to "
                f"{len(names) - 1}; if it is a column's name, write it in quotes: {key}: '{place}'"
            )
        return names[place]


def features_of(columns: dict[str, Column], names: Sequence[str]) -> Features:
    """Numbers (n, d) and categories. Each column is let go once it is copied, so that a large file is in memory once."""
    categories = {name: column for name in names if isinstance(column := columns[name], Category)}
    rest = [name for name in names if name not in categories]
    rows = len(next(iter(categories.values())).codes if categories else columns[rest[0]])  # type: ignore[arg-type]
    numbers = np.empty((rows, len(rest)))
    for place, name in enumerate(rest):
        numbers[:, place] = columns.pop(name)  # type: ignore[assignment]
    return Features(numbers, tuple(rest), categories)


def target_of(
    columns: dict[str, Column],
    names: Sequence[str],
    dataset: Dataset,
    table: OpenTable | None = None,
) -> Target:
    """Texts become classes, numbers stay. Raises DataError for texts in one of several targets."""
    hint = "".join(_marks_met(table, name) for name in names)
    for name in names:
        if isinstance(columns[name], Category) and len(names) > 1:
            raise DataError(
                f"{dataset.place(0)}: target {name!r} holds texts; several targets must be numbers"
            )
    first = columns[names[0]]
    if isinstance(first, Category):
        codes = first.codes.astype(np.int64)
        return Target(codes, tuple(names), first.values, missing_hint=hint)
    values = np.stack([np.asarray(columns[name]) for name in names], axis=1)
    return Target(values, tuple(names), missing_hint=hint)


def _weighted(dataset: Dataset, columns: dict[str, Column], names: Sequence[str]) -> Dataset:
    """The dataset with the row weights of the named column, if one is named."""
    if not names:
        return dataset
    return replace(
        dataset,
        weights=weights_from(
            columns[names[0]], len(dataset), f"weights column {names[0]!r}", dataset.place
        ),
    )


def _marks_met(table: OpenTable | None, name: str) -> str:
    """That marks of missing values stand in a column, and how to make classes of them."""
    met = sorted(table.marks.get(name, ())) if table is not None else []
    if table is None or not met:
        return ""
    rest = [mark for mark in table.missing if mark not in met]
    return (
        f"{', '.join(map(repr, met))} counts as missing: if it is a class, set the source's "
        f"`missing: {rest}` without it; otherwise "
    )


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
