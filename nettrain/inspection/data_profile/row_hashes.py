"""A hash of every row, by which identical rows are found in linear time."""

import hashlib
from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.features import Features
from nettrain.data.loaded_data import LoadedData
from nettrain.data.rows.base import LazyRows, chunks

_MOST_BYTES = 2**29  # of inputs that are hashed; of larger data a sample
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True)
class RowHashes:
    """The rows of all parts.

    Attributes:
        inputs: (n,) uint64; equal where all features are. By chance two of a million rows are equal
            once in 10 million data sets.
        targets: (n, t) class codes or numbers; t = 0 for autoencoders.
        part: (n,) the index in `PARTS`.
        where: (n,) the line in the file, or the row number.
        files: (n,) where each row is a file.
    """

    inputs: np.ndarray
    targets: np.ndarray
    part: np.ndarray
    where: np.ndarray
    files: np.ndarray | None

    def __len__(self) -> int:
        return len(self.inputs)

    @classmethod
    def of(cls, loaded: LoadedData) -> "RowHashes":
        """Hash all rows that are in memory, otherwise as many as are read quickly."""
        pieces = []
        total = sum(map(len, loaded.rows.values()))
        for name, rows in loaded.rows.items():
            dataset = loaded.separate_parts.get(name, loaded.dataset)
            pieces.append(_of_part(dataset, _within_budget(dataset, rows, total), name))
        files = [piece.files for piece in pieces if piece.files is not None]
        return cls(
            np.concatenate([piece.inputs for piece in pieces]),
            np.concatenate([piece.targets for piece in pieces]),
            np.concatenate([piece.part for piece in pieces]),
            np.concatenate([piece.where for piece in pieces]),
            np.concatenate(files) if len(files) == len(pieces) else None,
        )


def _within_budget(dataset: Dataset, rows: np.ndarray, total: int) -> np.ndarray:
    numbers = dataset.features.numbers
    size = int(np.prod(numbers.shape[1:])) * numbers.dtype.itemsize * total
    budget = _MOST_BYTES // 16 if isinstance(numbers, LazyRows) else _MOST_BYTES
    step = -(-size // budget) or 1
    return rows[::step]


def _of_part(dataset: Dataset, rows: np.ndarray, name: str) -> RowHashes:
    target = dataset.target
    values = np.empty((len(rows), 0)) if target is None else target.values[rows]
    return RowHashes(
        hash_rows(dataset.features, rows),
        values.reshape(len(rows), -1).astype(np.float64),
        np.full(len(rows), PARTS.index(name)),
        rows if dataset.lines is None else dataset.lines[rows],
        None if dataset.files is None else dataset.files[rows],
    )


def hash_rows(features: Features, rows: np.ndarray) -> np.ndarray:
    """(m,) uint64 of some rows: a multiplicative hash of their numbers' bits, and of their texts.

    0 and -0 are equal, and so are all missing numbers.
    """
    numbers = features.numbers
    hashes = np.zeros(len(rows), np.uint64)
    for chunk in chunks((len(rows), *numbers.shape[1:])):
        hashes[chunk] = _hash_block(numbers[rows[chunk]].reshape(len(rows[chunk]), -1))
    for column in features.categories.values():
        values = [int.from_bytes(_digest(text), "little") for text in column.values]
        lookup = np.array([*values, 0], np.uint64)
        hashes = mixed(hashes, lookup[column.codes[rows]])
    return hashes


def mixed(hashes: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """h' = f((h xor bits) p), where f folds the upper bits into the lower ones."""
    hashes = (hashes ^ bits) * _PRIME  # overflows, as it should
    return hashes ^ (hashes >> _SHIFT)


def _hash_block(block: np.ndarray) -> np.ndarray:
    if block.dtype.kind == "f":
        block = block.astype(np.float64) + 0.0  # -0 becomes 0
        block[np.isnan(block)] = np.nan
    raw = np.ascontiguousarray(block).view(np.uint8).reshape(len(block), -1)
    padded = np.zeros((len(raw), -(-raw.shape[1] // 8) * 8), np.uint8)
    padded[:, : raw.shape[1]] = raw
    hashes = np.full(len(block), raw.shape[1], np.uint64)
    for bits in np.ascontiguousarray(padded.view(np.uint64).T):
        hashes = mixed(hashes, bits)
    return hashes


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
