"""Rows divided into parts: by fractions, classes, groups, ranges, or as the source assigns them."""

import numpy as np

from nettrain.data.chronological import divide_by_time, times_of
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.features import MISSING, Category
from nettrain.data.split import RowRanges, Rows, Split
from nettrain.errors import ConfigError, DataError, nearest
from nettrain.streams import generator


def split_rows(dataset: Dataset, split: Split, seed: int) -> Rows:
    """The rows of each part, in the order of the source; parts without rows are absent.

    They depend on the data and on (seed, "split") alone.

    Args:
        dataset: All rows; its target holds codes if they are stratified.
        split: The keys of `dataset.split`, with every fraction given.
        seed: Of the run.

    Raises:
        ConfigError: A key does not fit the data.
        DataError: A part would have no rows, or a class or group cannot be divided.
    """
    assigned = _assigned(dataset, split)
    free = np.flatnonzero(assigned == UNASSIGNED)
    if split.rows is not None:
        divided = _by_ranges(split.rows, free)
    elif split.time is not None:
        divided = _by_time(dataset, split, split.time, free)
    elif split.group is not None:
        divided = _by_group(dataset, split, split.group, free, seed)
    elif split.stratify:
        divided = _by_class(dataset, split, free, seed)
    else:
        divided = _by_fraction(split, free, seed)
    rows = {}
    for index, part in enumerate(PARTS):
        predefined = np.flatnonzero(assigned == index)
        chosen = np.sort(np.concatenate([predefined, divided[part]]))
        if getattr(split, part, 0) and not len(chosen):
            raise DataError(
                f"dataset.split.{part}: {getattr(split, part)} of {len(free)} rows is none; make "
                "the fraction larger"
            )
        if len(chosen):
            rows[part] = chosen
    if "train" not in rows:
        counts = ", ".join(f"{part} {len(chosen)}" for part, chosen in rows.items())
        raise DataError(f"{dataset.origin}: no rows are left to train on ({counts})")
    return rows


def limit_rows(rows: Rows, limit: int, seed: int) -> Rows:
    """`limit` of all rows, drawn with the seed: the same fraction of every part, order kept.

    Every part keeps at least one row.
    """
    sizes = np.array([len(all_rows) for all_rows in rows.values()])
    if limit >= sizes.sum():
        return rows
    counts = np.maximum(_apportion(sizes, limit), 1)
    kept = {}
    for (part, all_rows), count in zip(rows.items(), counts, strict=True):
        drawn = generator(seed, "limit", PARTS.index(part)).permutation(len(all_rows))[:count]
        kept[part] = all_rows[np.sort(drawn)]
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
                f"dataset.split.{part}: {dataset.origin} has a predefined {part} part, which is "
                "used; leave this key out"
            )
    return dataset.part


def _from_column(dataset: Dataset, name: str) -> np.ndarray:
    column = _extra_column(dataset, "column", name)
    lookup = np.array(
        [PARTS.index(value) if value in PARTS else UNASSIGNED for value in (*column.values, "")]
    )
    part: np.ndarray = lookup[column.codes]  # MISSING is -1: the last place
    wrong = np.flatnonzero(part == UNASSIGNED)
    if wrong.size:
        code = column.codes[wrong[0]]
        value = "" if code == MISSING else column.values[code]
        raise DataError(
            f"{dataset.place(int(wrong[0]))}: split column {name!r}: expected train, validation or "
            f"test, got {value!r}{nearest(value, PARTS)}"
        )
    return part


def _extra_column(dataset: Dataset, key: str, name: str) -> Category:
    if name not in dataset.extra_columns:
        raise ConfigError(
            f"dataset.split.{key}: {dataset.origin} has no column {name!r} apart from its "
            "features; only files with named columns can have one (csv, parquet, arrow, jsonl)"
        )
    return dataset.extra_columns[name]


def _by_ranges(ranges: RowRanges, free: np.ndarray) -> Rows:
    taken = np.zeros(len(free), dtype=bool)
    divided = {}
    for part in PARTS:
        first, end = getattr(ranges, part) or (0, 0)
        key = f"dataset.split.rows.{part}"
        if getattr(ranges, part) is not None and first >= end:
            raise ConfigError(
                f"{key}: [{first}, {end}] holds no rows; the first must be below the end"
            )
        if end > len(free):
            raise ConfigError(
                f"{key}: [{first}, {end}] ends beyond the {len(free)} rows of the data"
            )
        if taken[first:end].any():
            raise ConfigError(
                f"{key}: [{first}, {end}] overlaps another part's range; no row may be in two parts"
            )
        taken[first:end] = True
        divided[part] = free[first:end]
    return divided


def _by_fraction(split: Split, free: np.ndarray, seed: int) -> Rows:
    order = free[generator(seed, "split").permutation(len(free))]
    test = _rounded((split.test or 0) * len(free))
    validation = _rounded((split.validation or 0) * len(free))
    return {
        "test": order[:test],
        "validation": order[test : test + validation],
        "train": order[test + validation :],
    }


def _by_time(dataset: Dataset, split: Split, name: str, free: np.ndarray) -> Rows:
    _extra_column(dataset, "time", name)
    times = times_of(dataset, name, free)
    parts = divide_by_time(times, split.validation or 0, split.test or 0)
    return {part: free[chosen] for part, chosen in parts.items()}


def _by_class(dataset: Dataset, split: Split, free: np.ndarray, seed: int) -> Rows:
    """Each class divided alone, and its part sizes by largest remainder, exact within one row."""
    target = dataset.target
    if target is None or target.classes is None:
        raise ConfigError(
            "dataset.split.stratify: only classes have proportions to keep, and the target is "
            "numbers; leave stratify out"
        )
    codes = target.values[free]
    sizes = np.bincount(codes, minlength=len(target.classes))
    alone = np.flatnonzero(sizes == 1)
    if alone.size and (split.test or split.validation):
        row = free[np.flatnonzero(codes == alone[0])[0]]
        raise DataError(
            f"{dataset.place(int(row))}: class {target.classes[alone[0]]!r} has one row only, and "
            "a stratified split needs two of each; add rows of this class, merge it with another, "
            "or leave the row out"
        )
    spare = np.maximum(sizes - 1, 0)  # every class keeps a row to train on
    test_share, validation_share = split.test or 0.0, split.validation or 0.0
    test = _apportion(sizes, _rounded(test_share * len(free)), test_share, spare)
    validation = _apportion(
        sizes, _rounded(validation_share * len(free)), validation_share, spare - test
    )
    order = generator(seed, "split").permutation(len(free))
    divided: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    for code in range(len(sizes)):
        own = free[order[codes[order] == code]]
        divided["test"].append(own[: test[code]])
        divided["validation"].append(own[test[code] : test[code] + validation[code]])
        divided["train"].append(own[test[code] + validation[code] :])
    return {part: np.concatenate(rows) for part, rows in divided.items()}


def _by_group(dataset: Dataset, split: Split, name: str, free: np.ndarray, seed: int) -> Rows:
    """Whole groups, in an order drawn with the seed.

    A group goes to a part if that brings the part's size nearer to its fraction of the rows.
    """
    codes = _extra_column(dataset, "group", name).codes[free]
    if (codes == MISSING).any():
        row = int(free[np.flatnonzero(codes == MISSING)[0]])
        raise DataError(
            f"{dataset.place(row)}: the group {name!r} is missing; fill it in, or leave the row out"
        )
    groups, members, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    asked = [part for part in ("test", "validation") if getattr(split, part)]
    if len(groups) <= len(asked):
        raise DataError(
            f"dataset.split.group: {dataset.origin}: column {name!r} has {len(groups)} "
            f"group{'s' * (len(groups) != 1)} for {len(asked) + 1} parts, and each needs one; "
            f"leave out {' or '.join(asked)}, or divide by another column"
        )
    left = generator(seed, "split").permutation(len(groups))
    divided: Rows = {}
    for index, part in enumerate(asked):
        most = len(left) - (len(asked) - index)  # the parts after this one need a group each
        taken = _nearest(sizes[left], _rounded(getattr(split, part) * len(free)), most)
        divided[part] = free[np.isin(members, left[taken])]
        left = left[~taken]
    nothing = free[:0]
    return (
        {"test": nothing, "validation": nothing} | divided | {"train": free[np.isin(members, left)]}
    )


def _nearest(sizes: np.ndarray, total: int, most: int) -> np.ndarray:
    """Which groups (g,) to take, in turn, so that their sizes add up to nearly `total`.

    At least one group is taken, and `most` at most.
    """
    taken = np.zeros(len(sizes), dtype=bool)
    count = 0
    for index, size in enumerate(sizes):
        if taken.sum() < most and abs(count + size - total) < abs(count - total):
            taken[index] = True
            count += size
    if not taken.any():
        taken[sizes.argmin()] = True
    return taken


def _apportion(
    sizes: np.ndarray, total: int, fraction: float | None = None, room: np.ndarray | None = None
) -> np.ndarray:
    """Integers near fraction * sizes that add up to `total`, or to less where there is no room.

    The total is reached by largest remainder.

    Args:
        sizes: To be multiplied.
        total: Of the result.
        fraction: None: total / the sum of the sizes.
        room: The largest count of each; None: there is no bound.
    """
    exact = sizes * (total / sizes.sum() if fraction is None else fraction)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    if room is not None:
        counts = np.minimum(counts, room)
    for index in np.argsort(counts - exact, kind="stable"):
        if counts.sum() >= total:
            break
        if counts[index] < exact[index] and (room is None or counts[index] < room[index]):
            counts[index] += 1
    return counts


def _rounded(rows: float) -> int:
    return int(np.floor(rows + 0.5))
