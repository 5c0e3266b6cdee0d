"""Which rows train, which steer (validation), which judge (test): shares, row ranges, or what the source itself assigns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, Flag, Index, Record, Share, Text
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.features import MISSING, Category
from nettrain.errors import ConfigError, DataError, nearest
from nettrain.files import absolute_path
from nettrain.streams import generator

RowRange = tuple[Index, Count]
Rows = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class RowRanges(Record):
    """[first, end] of each part: the rows first ... end - 1, counted from 0. Rows in no range are left out."""

    train: Annotated[RowRange, Field(description="rows that train", examples=[[0, 1000]])]
    validation: Annotated[
        RowRange | None, Field(description="rows that steer", examples=[[1000, 1200]])
    ] = None
    test: Annotated[
        RowRange | None, Field(description="rows that judge", examples=[[1200, 1400]])
    ] = None


@dataclass(frozen=True, kw_only=True)
class Split(Record):
    """Which rows train, which steer (validation), which judge (test). Rows that the source itself assigns to a part stay there."""

    validation: Annotated[Share, Field(description="share of the rows", examples=[0.2])] = 0.0
    test: Annotated[Share, Field(description="share of the rows", examples=[0.2])] = 0.0
    stratify: Annotated[Flag, Field(description="keep the shares of the classes in every part")] = (
        False
    )
    column: Annotated[
        Text | None, Field(description="column that holds train, validation or test (CSV)")
    ] = None
    rows: Annotated[RowRanges | None, Field(description="row ranges instead of shares")] = None
    group: Annotated[
        Text | None,
        Field(
            description="column of what must not be torn apart (the patient): whole groups go to a part; no feature (CSV)"
        ),
    ] = None
    file: Annotated[
        Text | None,
        Field(
            description="npz with the rows of each part, as runs write splits.npz; it decides alone: a `group` or `column` beside it only "
            "names a column that is no feature"
        ),
    ] = None

    def absolute(self, folder_of: Callable[[str], Path]) -> "Split":
        """The same with a path that counts from no folder; `folder_of` says from which that of a key does."""
        return (
            self
            if self.file is None
            else replace(self, file=str(absolute_path(self.file, folder_of("file"))))
        )


def check_split(split: Split, separate_parts: tuple[str, ...]) -> None:
    """Raises ConfigError where keys contradict each other. separate_parts: the parts that have a source of their own."""
    shares = {"validation": split.validation, "test": split.test}
    problems = [
        f"dataset.split.{part}: {part}_source is given too; leave one of them out"
        for part in separate_parts
        if shares[part] or (split.rows is not None and getattr(split.rows, part) is not None)
    ]
    if split.file is not None and (
        any(shares.values()) or split.stratify or split.rows is not None
    ):
        problems.append(
            "dataset.split.file: rows from a file and shares (validation, test, stratify) or row ranges exclude each other; "
            "leave one of them out"
        )
    if split.validation + split.test >= 1:
        problems.append(
            f"dataset.split: validation {split.validation} + test {split.test} leave none to train on; keep the sum below 1"
        )
    if split.rows is not None and (any(shares.values()) or split.stratify):
        problems.append(
            "dataset.split.rows: row ranges and shares (validation, test, stratify) exclude each other; leave one of them out"
        )
    if split.column is not None and (
        any(shares.values()) or split.stratify or split.rows is not None
    ):
        problems.append(
            "dataset.split.column: a split column and shares or row ranges exclude each other; leave one of them out"
        )
    if (
        split.file is None
        and split.group is not None
        and (split.stratify or split.rows is not None or split.column is not None)
    ):
        problems.append(
            "dataset.split.group: groups, and stratify, row ranges or a split column exclude each other; leave one of them out"
        )
    if problems:
        raise ConfigError(problems)


def split_rows(dataset: Dataset, split: Split, seed: int) -> Rows:
    """The rows of each part, in the order of the source; parts without rows are absent. Depends on (seed, "split") alone.

    `dataset.target` must hold codes if `split.stratify`. Raises ConfigError or DataError with the remedy.
    """
    assigned = _assigned(dataset, split)
    free = np.flatnonzero(assigned == UNASSIGNED)
    if split.rows is not None:
        divided = _by_ranges(split.rows, free)
    elif split.group is not None:
        divided = _by_group(dataset, split, split.group, free, seed)
    elif split.stratify:
        divided = _by_class(dataset, split, free, seed)
    else:
        divided = _by_share(split, free, seed)
    rows = {}
    for index, part in enumerate(PARTS):
        official = np.flatnonzero(assigned == index)
        found = np.sort(np.concatenate([official, divided[part]]))
        if getattr(split, part, 0) and not len(found):
            raise DataError(
                f"dataset.split.{part}: {getattr(split, part)} of {len(free)} rows is none; make the share larger"
            )
        if len(found):
            rows[part] = found
    if "train" not in rows:
        raise DataError(
            f"{dataset.origin}: no rows are left to train on ({', '.join(f'{k} {len(v)}' for k, v in rows.items())})"
        )
    return rows


def limit_rows(rows: Rows, limit: int, seed: int) -> Rows:
    """`limit` rows of all, drawn with the seed, the same share of every part (at least one row), order kept."""
    total = sum(len(found) for found in rows.values())
    if limit >= total:
        return rows
    counts = _apportion(np.array([len(found) for found in rows.values()]), limit)
    kept = {}
    for (part, found), count in zip(rows.items(), np.maximum(counts, 1), strict=True):
        drawn = generator(seed, "limit", PARTS.index(part)).permutation(len(found))[:count]
        kept[part] = found[np.sort(drawn)]
    return kept


def _assigned(dataset: Dataset, split: Split) -> np.ndarray:
    """(n,) the part of each row that is not to be divided."""
    if split.column is not None:
        return _from_column(dataset, split.column)
    if dataset.part is None:
        return np.full(len(dataset), UNASSIGNED)
    for index, part in enumerate(PARTS[1:], start=1):
        asked = getattr(split, part) or (
            split.rows is not None and getattr(split.rows, part) is not None
        )
        if asked and (dataset.part == index).any():
            raise ConfigError(
                f"dataset.split.{part}: {dataset.origin} has an official {part} part, which is used; leave this key out"
            )
    return dataset.part


def _from_column(dataset: Dataset, name: str) -> np.ndarray:
    column = _aside(dataset, "column", name)
    lookup = np.array(
        [PARTS.index(value) if value in PARTS else UNASSIGNED for value in (*column.values, "")]
    )
    part: np.ndarray = lookup[column.codes]  # MISSING is -1: the last place
    wrong = np.flatnonzero(part == UNASSIGNED)
    if wrong.size:
        code = column.codes[wrong[0]]
        value = "" if code == MISSING else column.values[code]
        raise DataError(
            f"{dataset.place(int(wrong[0]))}: split column {name!r}: expected train, validation or test, "
            f"got {value!r}{nearest(value, PARTS)}"
        )
    return part


def _aside(dataset: Dataset, key: str, name: str) -> Category:
    if name not in dataset.extra_columns:
        raise ConfigError(
            f"dataset.split.{key}: {dataset.origin} has no column {name!r} beside its features; only files with named "
            "columns have (csv, parquet, arrow, jsonl)"
        )
    return dataset.extra_columns[name]


def _by_ranges(ranges: RowRanges, free: np.ndarray) -> Rows:
    taken = np.zeros(len(free), dtype=bool)
    divided = {}
    for part in PARTS:
        first, end = getattr(ranges, part) or (0, 0)
        place = f"dataset.split.rows.{part}"
        if getattr(ranges, part) is not None and first >= end:
            raise ConfigError(
                f"{place}: [{first}, {end}] holds no rows; the first must be below the end"
            )
        if end > len(free):
            raise ConfigError(
                f"{place}: [{first}, {end}] ends beyond the {len(free)} rows of the data"
            )
        if taken[first:end].any():
            raise ConfigError(
                f"{place}: [{first}, {end}] overlaps another part's range; no row may be in two parts"
            )
        taken[first:end] = True
        divided[part] = free[first:end]
    return divided


def _by_share(split: Split, free: np.ndarray, seed: int) -> Rows:
    order = free[generator(seed, "split").permutation(len(free))]
    test = _rounded(split.test * len(free))
    validation = _rounded(split.validation * len(free))
    return {
        "test": order[:test],
        "validation": order[test : test + validation],
        "train": order[test + validation :],
    }


def _by_class(dataset: Dataset, split: Split, free: np.ndarray, seed: int) -> Rows:
    """Each class divided alone; sizes by largest remainder, so every class keeps its share within one row."""
    target = dataset.target
    if target is None or target.classes is None:
        raise ConfigError(
            "dataset.split.stratify: only classes have shares to keep, and the target is numbers; leave stratify out"
        )
    codes = target.values[free]
    sizes = np.bincount(codes, minlength=len(target.classes))
    alone = np.flatnonzero(sizes == 1)
    if alone.size and (split.test or split.validation):
        row = free[np.flatnonzero(codes == alone[0])[0]]
        raise DataError(
            f"{dataset.place(int(row))}: class {target.classes[alone[0]]!r} has one row only, and a "
            "stratified split needs two of each; add rows of this class, merge it with another, or "
            "leave the row out"
        )
    spare = np.maximum(
        sizes - 1, 0
    )  # every class keeps a row to train on where its share allows it
    test = _apportion(sizes, _rounded(split.test * len(free)), split.test, spare)
    validation = _apportion(
        sizes, _rounded(split.validation * len(free)), split.validation, spare - test
    )
    order = generator(seed, "split").permutation(len(free))
    divided: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    for code in range(len(sizes)):
        own = free[order[codes[order] == code]]
        divided["test"].append(own[: test[code]])
        divided["validation"].append(own[test[code] : test[code] + validation[code]])
        divided["train"].append(own[test[code] + validation[code] :])
    return {part: np.concatenate(found) for part, found in divided.items()}


def _by_group(dataset: Dataset, split: Split, name: str, free: np.ndarray, seed: int) -> Rows:
    """Whole groups, in an order drawn with the seed: a group goes to a part if that brings the part's size nearer to its share."""
    codes = _aside(dataset, "group", name).codes[free]
    if (codes == MISSING).any():
        row = int(free[np.flatnonzero(codes == MISSING)[0]])
        raise DataError(
            f"{dataset.place(row)}: the group {name!r} is missing; fill it in, or leave the row out"
        )
    groups, members, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    asked = [part for part in ("test", "validation") if getattr(split, part)]
    if len(groups) <= len(asked):
        raise DataError(
            f"dataset.split.group: {dataset.origin}: column {name!r} has {len(groups)} group{'s' * (len(groups) != 1)} for "
            f"{len(asked) + 1} parts, and each needs one; leave out {' or '.join(asked)}, or divide by another column"
        )
    left = generator(seed, "split").permutation(len(groups))
    divided: Rows = {}
    for later, part in zip(
        range(len(asked), 0, -1), asked, strict=True
    ):  # the parts that still need a group after this one
        taken = _nearest(sizes[left], _rounded(getattr(split, part) * len(free)), len(left) - later)
        divided[part] = free[np.isin(members, left[taken])]
        left = left[~taken]
    nothing = free[:0]
    return (
        {"test": nothing, "validation": nothing} | divided | {"train": free[np.isin(members, left)]}
    )


def _nearest(sizes: np.ndarray, total: int, most: int) -> np.ndarray:
    """Which groups (g,) to take, in turn, so that their sizes add to nearly `total`: between one group and `most`."""
    taken = np.zeros(len(sizes), dtype=bool)
    count = 0
    for place, size in enumerate(sizes):
        if taken.sum() < most and abs(count + size - total) < abs(count - total):
            taken[place] = True
            count += size
    if not taken.any():
        taken[sizes.argmin()] = True
    return taken


def _apportion(
    sizes: np.ndarray, total: int, share: float | None = None, room: np.ndarray | None = None
) -> np.ndarray:
    """Whole counts near share * sizes (default: total / sum) that add to `total`: rounded down, then up where the remainder is largest."""
    exact = sizes * (total / sizes.sum() if share is None else share)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    for place in np.argsort(counts - exact, kind="stable"):
        if counts.sum() >= total:
            break
        if counts[place] < exact[place] and (room is None or counts[place] < room[place]):
            counts[place] += 1
    return counts


def _rounded(rows: float) -> int:
    return int(np.floor(rows + 0.5))
