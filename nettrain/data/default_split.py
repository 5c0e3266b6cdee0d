"""What the keys of `dataset.split` that are left out become for the rows at hand."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.split import NONE, Split

FRACTION = 0.2  # of the rows, for validation and for the test each
FEWEST_ROWS = 10  # that are divided unasked


def settle_split(
    split: Split, dataset: Dataset, separate_parts: Collection[str] = ()
) -> tuple[Split, str]:
    """The split with every fraction given, and a sentence on what was chosen (or nothing).

    By default 20 % validate and 20 % test; a part that the data brings is not drawn. Where there
    are classes, their proportions are kept, unless whole groups or a time divide the rows, or a
    class has a single row.

    Args:
        split: The keys of `dataset.split`.
        dataset: All rows; its target holds codes if there are classes.
        separate_parts: The parts that have a source of their own.
    """
    if not split.is_default:
        validation, test = split.validation or 0.0, split.test or 0.0
        return replace(split, validation=validation, test=test, stratify=bool(split.stratify)), ""
    free = free_rows(dataset)
    missing = [
        part
        for part in ("validation", "test")
        if part not in separate_parts and part not in predefined_parts(dataset)
    ]
    if not missing:
        return replace(split, validation=0.0, test=0.0, stratify=False), ""
    if len(free) < FEWEST_ROWS:
        rows = f"{len(free)} row{'s' * (len(free) != 1)}"
        note = f"split: none, for {rows} cannot be divided well: all are trained on"
        return replace(split, validation=0.0, test=0.0, stratify=False), note
    stratify, how = _manner(split, dataset, free)
    validation, test = (FRACTION if part in missing else 0.0 for part in ("validation", "test"))
    settled = replace(split, validation=validation, test=test, stratify=stratify)
    kept = " and ".join(f"{FRACTION:.0%} for {part}" for part in missing).replace("%", " %")
    return settled, f"split: {kept}, {how} (`dataset.split` overrides, `{NONE}` trains on all rows)"


def predefined_parts(dataset: Dataset) -> tuple[str, ...]:
    """The parts, but for training, to which the source has assigned rows."""
    if dataset.part is None:
        return ()
    return tuple(part for part in PARTS[1:] if (dataset.part == PARTS.index(part)).any())


def may_stratify(dataset: Dataset, rows: np.ndarray) -> bool:
    """Whether there are classes, each with rows for more than one part."""
    target = dataset.target
    if target is None or target.classes is None:
        return False
    return 1 not in np.bincount(target.values[rows])


def free_rows(dataset: Dataset) -> np.ndarray:
    """The rows that the source has not assigned to a part."""
    if dataset.part is None:
        return np.arange(len(dataset))
    return np.flatnonzero(dataset.part == UNASSIGNED)


def _manner(split: Split, dataset: Dataset, free: np.ndarray) -> tuple[bool, str]:
    """Whether to stratify, and how the rows are drawn, in words."""
    if split.group is not None:
        return False, f"whole groups of {split.group!r}"
    if split.time is not None:
        return False, f"the latest by {split.time!r}"
    stratify = may_stratify(dataset, free) if split.stratify is None else split.stratify
    return stratify, "stratified by class" if stratify else "drawn with the seed"
