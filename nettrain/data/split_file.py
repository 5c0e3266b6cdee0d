"""The rows of each part from a file: what every run writes as splits.npz, and any division that shares and ranges cannot say."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.readers.arrays import array_names, read_npz
from nettrain.data.split import Rows
from nettrain.errors import DataError, nearest


def rows_in_file(path: str, dataset: Dataset, separate_parts: Mapping[str, Dataset]) -> Rows:
    """The rows of each part as they stand in an npz file, an array (n,) a part, counted from 0 in the part's own source.

    A row may occur several times in a part (a bootstrap sample) and in no two parts; rows in none are left out, also those that the source
    assigns to a part. Raises DataError for anything else.
    """
    there = array_names(Path(path))
    for name in there:
        if name not in PARTS:
            raise DataError(
                f"{path}: there is an array {name!r}{nearest(name, PARTS)}; expected {', '.join(PARTS)} (dataset.split.file)"
            )
    rows = {
        part: found
        for part, found in read_npz(Path(path), {part: part for part in there}).items()
        if found.size
    }
    if "train" not in rows:
        raise DataError(
            f"{path}: no rows to train on: expected an array 'train' of row numbers (dataset.split.file)"
        )
    for part, found in rows.items():
        _check(f"{path}: {part}", found, separate_parts.get(part, dataset))
    shared = [part for part in rows if part not in separate_parts]
    for place, part in enumerate(shared):
        for other in shared[place + 1 :]:
            both = np.intersect1d(rows[part], rows[other])
            if both.size:
                raise DataError(
                    f"{path}: row {both[0]} is both in {part} and in {other}; no row may be in two parts, for what is "
                    "measured on rows that were trained on says nothing: leave it out of one"
                )
    return {part: rows[part].astype(np.int64) for part in PARTS if part in rows}


def _check(place: str, rows: np.ndarray, dataset: Dataset) -> None:
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise DataError(
            f"{place}: expected row numbers, integers of the shape (n,); got {rows.dtype} {rows.shape}"
        )
    wrong = rows[(rows < 0) | (rows >= len(dataset))]
    if wrong.size:
        raise DataError(
            f"{place}: there is no row {wrong[0]}: {dataset.origin} has {len(dataset)} rows, counted from 0; the file belongs "
            "to other data"
        )
