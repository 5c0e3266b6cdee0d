"""The keys of `dataset.split`: which rows train, validate and test."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

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


@dataclass(frozen=True, kw_only=True)
class Split(Record):
    """Which rows are trained on, used for validation, and used for the final test.

    Rows that the source itself assigns to a part stay there.
    """

    validation: Annotated[Share, Field(description="fraction of the rows", examples=[0.2])] = 0.0
    test: Annotated[Share, Field(description="fraction of the rows", examples=[0.2])] = 0.0
    stratify: Annotated[
        Flag, Field(description="keep the proportions of the classes in every part")
    ] = False
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
    file: Annotated[
        Text | None,
        Field(
            description="npz with the rows of each part, as runs write splits.npz; with it, "
            "`group` and `column` only name columns that are no features"
        ),
    ] = None

    def absolute(self, folder_of: Callable[[str], Path]) -> "Split":
        """The same with an absolute path; `folder_of` says where that of a key counts from."""
        if self.file is None:
            return self
        return replace(self, file=str(absolute_path(self.file, folder_of("file"))))


def check_split(split: Split, separate_parts: tuple[str, ...]) -> None:
    """Check that the keys fit together.

    Args:
        split: The keys.
        separate_parts: The parts that have a source of their own.

    Raises:
        ConfigError: Keys contradict each other.
    """
    fractions = {"validation": split.validation, "test": split.test}
    divides = any(fractions.values()) or split.stratify
    problems = [
        f"dataset.split.{part}: {part}_source is given too; leave one of them out"
        for part in separate_parts
        if fractions[part] or (split.rows is not None and getattr(split.rows, part) is not None)
    ]
    if split.validation + split.test >= 1:
        problems.append(
            f"dataset.split: validation {split.validation} + test {split.test} leave none to train "
            "on; keep the sum below 1"
        )
    conflicts = {
        "file": (
            split.file is not None and (divides or split.rows is not None),
            "rows from a file, and fractions (validation, test, stratify) or row ranges",
        ),
        "rows": (
            split.rows is not None and divides,
            "row ranges and fractions (validation, test, stratify)",
        ),
        "column": (
            split.column is not None and (divides or split.rows is not None),
            "a split column, and fractions or row ranges",
        ),
        "group": (
            split.group is not None
            and split.file is None
            and (split.stratify or split.rows is not None or split.column is not None),
            "groups, and stratify, row ranges or a split column",
        ),
    }
    problems += [
        f"dataset.split.{key}: {what} cannot be used together; leave one of them out"
        for key, (conflicting, what) in conflicts.items()
        if conflicting
    ]
    if problems:
        raise ConfigError(problems)
