"""Raw rows that the processes of one machine share: mapped from a file of the cache."""

import dataclasses
from typing import BinaryIO

import numpy as np

from nettrain.data.cache import add_checksum, cached_name, digest_of, is_whole, made_once
from nettrain.data.dataset import Dataset
from nettrain.data.rows.memory_map import MemoryMap
from nettrain.errors import DataError

LEAST = 2**24  # bytes of an array: smaller ones are not worth a file


def shared(dataset: Dataset) -> Dataset:
    """The same rows; of large arrays there is one copy for all processes that ask for it.

    Files are named after their content, so whoever has loaded the same rows maps the same file, and
    its own copy goes. Where the cache has no room the rows stay as they are.
    """
    features, target = dataset.features, dataset.target
    numbers = features.numbers
    categories = {
        name: dataclasses.replace(column, codes=_shared(column.codes, dataset.origin))
        for name, column in features.categories.items()
    }
    return dataclasses.replace(
        dataset,
        features=dataclasses.replace(
            features,
            numbers=(
                _shared(numbers, dataset.origin) if isinstance(numbers, np.ndarray) else numbers
            ),
            categories=categories,
        ),
        target=(
            None
            if target is None
            else dataclasses.replace(target, values=_shared(target.values, dataset.origin))
        ),
    )


def _shared(array: np.ndarray, origin: str) -> np.ndarray:
    if array.nbytes < LEAST:
        return array

    def write(file: BinaryIO) -> None:
        file.write(np.ascontiguousarray(array).data.cast("B"))
        add_checksum(file)

    name = cached_name("rows", [digest_of(array), array.dtype.str, str(array.shape)], ".bin")
    try:
        path = made_once(
            "shared",
            name,
            write,
            of=origin,
            size=array.nbytes,
            remedy="make fewer runs at the same time",
            valid=is_whole,
        )
        return MemoryMap(path).array(0, array.dtype, array.shape)
    except DataError:
        return array
