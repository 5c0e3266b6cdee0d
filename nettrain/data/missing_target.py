"""Rows without a target: refused, or left out where the configuration says so."""

from dataclasses import replace
from typing import Literal

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.errors import DataError

MissingTarget = Literal["error", "drop"]


def with_complete_target(dataset: Dataset, policy: MissingTarget) -> Dataset:
    """The rows that have a target, with a note on how many were left out.

    Args:
        dataset: As a source gave it; without a target it stays as it is.
        policy: The key `dataset.missing_target`.

    Raises:
        DataError: A row has no target and the policy is `error`, or no row has one.
    """
    target = dataset.target
    if target is None:
        return dataset
    missing = np.flatnonzero(target.missing)
    if not missing.size:
        return dataset
    named = ", ".join(map(repr, target.names))
    count = f"{missing.size:,} of {len(dataset):,} rows"
    if policy == "error":
        raise DataError(
            f"{dataset.place(int(missing[0]))}: the target {named} is missing (rows like "
            f"that: {missing.size}); {target.missing_hint}fill it in, or set "
            "dataset.missing_target: drop to leave the rows out"
        )
    if missing.size == len(dataset):
        raise DataError(f"{dataset.origin}: the target {named} is missing in every row")
    note = f"target {named}: missing in {count}, which are left out (dataset.missing_target: drop)"
    complete = dataset.take(np.flatnonzero(~target.missing))
    return replace(complete, notes=(*dataset.notes, note))
