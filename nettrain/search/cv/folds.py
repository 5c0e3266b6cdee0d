"""The assignment of rows to folds: plain, stratified by class, or with groups kept together."""

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING
from nettrain.errors import ConfigError, DataError
from nettrain.streams import generator


def assign(
    dataset: Dataset,
    rows: np.ndarray,
    folds: int,
    *,
    stratify: bool | None = None,
    group: str | None = None,
    seed: int = 0,
    repeat: int = 0,
) -> np.ndarray:
    """The fold 0 ... folds - 1 of each row, (n,); depends on (seed, "folds", repeat) alone.

    Sizes, and the rows of each class in each fold, are those of scikit-learn's StratifiedKFold,
    GroupKFold and KFold; which rows these are is drawn here.

    Args:
        dataset: All rows.
        rows: The indices (n,) of those to assign.
        folds: How many folds.
        stratify: Keep the class proportions; None: where there are classes and no groups.
        group: A column of `dataset.extra_columns`; the rows of one group are in one fold.
        seed, repeat: Of the assignment.

    Raises:
        ConfigError, DataError: The rows cannot be divided so.
    """
    if folds > len(rows):
        raise DataError(
            f"{dataset.origin}: {len(rows)} rows cannot be divided into {folds} folds: "
            f"ask for {len(rows)} at most"
        )
    random = generator(seed, "folds", repeat)
    codes = (
        None
        if dataset.target is None or dataset.target.classes is None
        else dataset.target.values[rows]
    )
    if group is not None:
        if stratify:
            raise ConfigError(
                "--group and --stratify cannot be used together: whole groups cannot keep the "
                "class proportions; leave one out"
            )
        return grouped(_groups(dataset, rows, folds, group), folds, random)
    if stratify is False or (codes is None and stratify is None):
        return plain(len(rows), folds, random)
    if codes is None:
        raise ConfigError(
            "--stratify: only classes have shares to keep, and the target is numbers; leave it out"
        )
    _check_classes(dataset, codes, folds)
    return stratified(codes, folds, random)


def plain(rows: int, folds: int, random: np.random.Generator) -> np.ndarray:
    """Deal rows to the folds in a random order; the first `rows % folds` folds get one more."""
    found = np.empty(rows, np.int64)
    found[random.permutation(rows)] = np.arange(rows) % folds
    return found


def stratified(codes: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Deal rows class after class: folds differ by one row at most, in each class and in total.

    The deal begins with the class of the first row; each class continues with the next fold.
    """
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    turn = np.argsort(np.argsort(first))  # of each class: how many classes begin before it
    order = random.permutation(len(codes))
    order = order[np.argsort(turn[codes[order]], kind="stable")]
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) % folds
    return found


def grouped(groups: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Deal groups, the largest first, each to the fold with the fewest rows so far.

    Groups of equal size come in a random order.
    """
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = random.permutation(len(sizes))
    filled = np.zeros(folds, np.int64)
    home = np.empty(len(sizes), np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        home[group] = filled.argmin()
        filled[home[group]] += sizes[group]
    return home[groups]


def _groups(dataset: Dataset, rows: np.ndarray, folds: int, column: str) -> np.ndarray:
    if column not in dataset.extra_columns:
        raise ConfigError(
            f"group {column!r}: {dataset.origin} has no such column beside its features; only "
            "files with named columns have (csv, parquet, arrow, jsonl)"
        )
    codes = dataset.extra_columns[column].codes[rows]
    if (codes == MISSING).any():
        row = int(rows[np.flatnonzero(codes == MISSING)[0]])
        raise DataError(
            f"{dataset.place(row)}: the group {column!r} is missing; fill it in, or leave the row "
            "out"
        )
    count = len(np.unique(codes))
    if count < folds:
        raise DataError(
            f"{dataset.origin}: column {column!r} has {count} group{'s' * (count != 1)} for "
            f"{folds} folds, and each needs one; "
            + (f"ask for {count} folds at most" if count > 1 else "group by another column")
        )
    return codes


def _check_classes(dataset: Dataset, codes: np.ndarray, folds: int) -> None:
    names = (
        dataset.target.classes
        if dataset.target is not None and dataset.target.classes is not None
        else ()
    )
    counts = np.bincount(codes, minlength=len(names)).tolist()
    few = [code for code in range(len(names)) if 0 < counts[code] < folds]
    if few:
        least = min(few, key=lambda code: counts[code])
        fewer = f"ask for {counts[least]} folds at most, " if counts[least] > 1 else ""
        raise DataError(
            f"{dataset.origin}: class {names[least]!r} has {counts[least]} "
            f"row{'s' * (counts[least] != 1)} for {folds} folds, and each needs one; "
            f"{fewer}leave the class out, or let its proportion vary (--no-stratify)"
        )
