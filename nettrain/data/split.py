"""The keys of `dataset.split`: which rows train, validate and test."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nettrain.component import Count, Flag, Index, Record, Share, Text
from nettrain.errors import ConfigError
from nettrain.files import absolute_path

RowRange = tuple[Index, Count]
Rows = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class RowRanges(Record):
    """[first, end] of each part: the rows first to end - 1, counted from 0; others are left out."""

    train: Annotated[RowRange, Field(description="rows to train on", examples=[[0, 1000]])]
    validation: Annotated[
        RowRange | None, Field(description="rows used for validation", examples=[[1000, 1200]])
    ] = None
    test: Annotated[
        RowRange | None, Field(description="rows for the final test", examples=[[1200, 1400]])
    ] = None


NONE = "none"  # in place of the keys: all rows are trained on


@dataclass(frozen=True, kw_only=True)
class Split(Record):
    """Which rows are trained on, used for validation, and used for the final test.

    Rows that the source itself assigns to a part stay there. Without fractions, ranges, column or
    file, 20 % of the rows are used for validation and 20 % for the final test, with the proportions
    of the classes kept where there are classes. `split: none` trains on all rows.
    """

    shorthand: ClassVar[str | None] = NONE

    validation: Annotated[
        Share | None,
        Field(
            description="fraction of the rows; null: 0.2 if `test` is null too, else 0",
            examples=[0.2],
        ),
    ] = None
    test: Annotated[
        Share | None,
        Field(
            description="fraction of the rows; null: 0.2 if `validation` is null too, else 0",
            examples=[0.2],
        ),
    ] = None
    stratify: Annotated[
        Flag | None,
        Field(
            description="keep the proportions of the classes in every part; null: with the default "
            "fractions, where there are classes"
        ),
    ] = None
    column: Annotated[
        Text | None,
        Field(description="column that holds train, validation or test; no feature (tables)"),
    ] = None
    rows: Annotated[RowRanges | None, Field(description="row ranges instead of fractions")] = None
    group: Annotated[
        Text | None,
        Field(
            description="group column (the patient): rows of one group stay in one part; no "
            "feature (tables)"
        ),
    ] = None
    time: Annotated[
        Text | None,
        Field(
            description="column of dates or numbers: the earliest rows train, the latest test; no "
            "feature (tables)",
            examples=["date"],
        ),
    ] = None
    file: Annotated[
        Text | None,
        Field(
            description="npz with the rows of each part, as runs write splits.npz; with it, "
            "`group`, `time` and `column` only name columns that are no features"
        ),
    ] = None

    def absolute(self, folder_of: Callable[[str], Path]) -> "Split":
        """The same with an absolute path; `folder_of` says where that of a key counts from."""
        if self.file is None:
            return self
        return replace(self, file=str(absolute_path(self.file, folder_of("file"))))

    @property
    def is_default(self) -> bool:
        """Whether nothing says which rows are whose, so that the default fractions hold."""
        named = (self.validation, self.test, self.column, self.rows, self.file)
        return all(value is None for value in named)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that divide the rows, and are no features."""
        return tuple(name for name in (self.column, self.group, self.time) if name is not None)

    @classmethod
    def expand_shorthand(cls, value: object) -> object:
        """`none` as fractions of 0."""
        return {"validation": 0.0, "test": 0.0} if value == NONE else value

    @classmethod
    def _suggest_keys(cls, value: object, validate: Callable[[object], object]) -> object:
        return super()._suggest_keys(cls.expand_shorthand(value), validate)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"const": NONE}, handler(schema)]}


ALL_ROWS = Split(validation=0.0, test=0.0)  # `split: none`


def check_split(split: Split, separate_parts: tuple[str, ...]) -> None:
    """Check that the keys fit together.

    Args:
        split: The keys.
        separate_parts: The parts that have a source of their own.

    Raises:
        ConfigError: Keys contradict each other.
    """
    fractions = {"validation": split.validation or 0.0, "test": split.test or 0.0}
    divides = any(fractions.values()) or bool(split.stratify)
    problems = [
        f"dataset.split.{part}: {part}_source is given too; leave one of them out"
        for part in separate_parts
        if fractions[part] or (split.rows is not None and getattr(split.rows, part) is not None)
    ]
    if sum(fractions.values()) >= 1:
        problems.append(
            f"dataset.split: validation {split.validation} + test {split.test} leave none to train "
            "on; keep the sum below 1"
        )
    by_fraction = "fractions (validation, test, stratify)"
    conflicts = {
        "file": (
            split.file is not None and (divides or split.rows is not None),
            f"rows from a file, and {by_fraction} or row ranges",
        ),
        "rows": (split.rows is not None and divides, f"row ranges and {by_fraction}"),
        "column": (
            split.column is not None and (divides or split.rows is not None),
            "a split column, and fractions or row ranges",
        ),
        "group": (
            split.group is not None
            and split.file is None
            and (bool(split.stratify) or split.rows is not None or split.column is not None),
            "groups, and stratify, row ranges or a split column",
        ),
        "time": (
            split.time is not None
            and split.file is None
            and (
                bool(split.stratify)
                or any(key is not None for key in (split.rows, split.column, split.group))
            ),
            "time, and stratify, groups, row ranges or a split column",
        ),
    }
    problems += [
        f"dataset.split.{key}: {what} cannot be used together; leave one of them out"
        for key, (conflicting, what) in conflicts.items()
        if conflicting
    ]
    if problems:
        raise ConfigError(problems)
