"""The rows of each part from a file, such as the splits.npz of a run."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np

from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.readers.arrays import array_names, read_npz
from nettrain.data.split import Rows
from nettrain.errors import DataError, nearest


def rows_in_file(path: str, dataset: Dataset, separate_parts: Mapping[str, Dataset]) -> Rows:
    """The rows of each part, from an npz file with an array (n,) per part.

    A row may occur several times in one part (a bootstrap sample), and not in two parts. Rows in
    no part are left out, also those that the source assigns to a part.

    Args:
        path: Of the file. Its rows are counted from 0 in the part's own source.
        dataset: The rows of the main source.
        separate_parts: The rows of the parts that have a source of their own.

    Raises:
        DataError: The file holds anything else, or belongs to other data.
    """
    names = array_names(Path(path))
    for name in names:
        if name not in PARTS:
            raise DataError(
                f"{path}: there is an array {name!r}{nearest(name, PARTS)}; expected "
                f"{', '.join(PARTS)} (dataset.split.file)"
            )
    arrays = read_npz(Path(path), {name: name for name in names})
    rows = {part: arrays[part] for part in PARTS if part in arrays and arrays[part].size}
    if "train" not in rows:
        raise DataError(
            f"{path}: no rows to train on: expected an array 'train' of row numbers "
            "(dataset.split.file)"
        )
    for part, numbers in rows.items():
        _check(f"{path}: {part}", numbers, separate_parts.get(part, dataset))
    for part, other in combinations([part for part in rows if part not in separate_parts], 2):
        both = np.intersect1d(rows[part], rows[other])
        if both.size:
            raise DataError(
                f"{path}: row {both[0]} is both in {part} and in {other}; no row may be in two "
                "parts, for what is measured on rows that were trained on says nothing: leave it "
                "out of one"
            )
    return {part: numbers.astype(np.int64) for part, numbers in rows.items()}


def _check(place: str, rows: np.ndarray, dataset: Dataset) -> None:
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise DataError(
            f"{place}: expected row numbers, integers of the shape (n,); got {rows.dtype} "
            f"{rows.shape}"
        )
    outside = rows[(rows < 0) | (rows >= len(dataset))]
    if outside.size:
        raise DataError(
            f"{place}: there is no row {outside[0]}: {dataset.origin} has {len(dataset)} rows, "
            "counted from 0; the file belongs to other data"
        )
