"""A short digest of a dataset, by which a run can tell that its data changed."""

import hashlib
from collections.abc import Iterable

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.rows.stored import StoredRows


def fingerprint(datasets: Iterable[Dataset]) -> str:
    """BLAKE2b over raw numbers, texts, names, part assignments and row weights.

    Rows that stay in a file have the digest that their statistics hold, so that they are read once
    for both.
    """
    digest = hashlib.blake2b(digest_size=16)
    for dataset in datasets:
        features, target = dataset.features, dataset.target
        numbers = features.numbers
        if isinstance(numbers, StoredRows):
            _add_stored(digest, numbers)
        elif isinstance(numbers, np.ndarray):
            _add_array(digest, numbers)
        else:
            _add_lazy(digest, numbers)
        _add_texts(digest, features.names)
        for name, column in (*features.categories.items(), *dataset.extra_columns.items()):
            _add_texts(digest, (name, *column.values))
            _add_array(digest, column.codes)
        if target is not None:
            _add_texts(digest, (*target.names, *(target.classes or ())))
            _add_array(digest, target.values)
        for array in (dataset.part, dataset.weights):
            if array is not None:
                _add_array(digest, array)
    return digest.hexdigest()


def _add_array(digest: "hashlib.blake2b", array: np.ndarray) -> None:
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    if array.size:  # a memoryview of no elements cannot be cast
        digest.update(np.ascontiguousarray(array).data.cast("B"))


def _add_lazy(digest: "hashlib.blake2b", rows: LazyRows) -> None:
    """The same as of all rows in an array."""
    digest.update(f"{rows.dtype.str}{rows.shape}".encode())
    for chunk in chunks(rows.shape):
        block = rows[chunk]
        digest.update(block.data.cast("B") if block.size else b"")


def _add_stored(digest: "hashlib.blake2b", rows: StoredRows) -> None:
    digest.update(
        f"stored {rows.arrays.dtype.str}{rows.shape}".encode() + rows.arrays.statistics.digest
    )
    if rows.chosen is not None:
        _add_array(digest, rows.chosen)


def _add_texts(digest: "hashlib.blake2b", texts: Iterable[str]) -> None:
    digest.update(repr(tuple(texts)).encode())
