"""Arrays in NumPy's npy format."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.align import align
from nettrain.data.arrays import features_from, weights_from
from nettrain.data.dataset import Dataset
from nettrain.data.readers.arrays import locate_npy, read_npy
from nettrain.data.readers.predefined_split import join_parts
from nettrain.data.rows.stored import Read, StoredRows, stored_rows
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.errors import DataError
from nettrain.files import absolute_path


@dataclass(frozen=True, kw_only=True)
class Npy(Source):
    """NumPy arrays (npy): x (n, d) a table, (n, h, w) or (n, h, w, c) images; y (n,) or (n, t).

    The rows are in one file, the targets in another, row weights (n,) in a third. Rows that stay
    on the disk (`read`) are read a batch at a time. Object arrays are refused: loading them would
    run pickle.

    Raises:
        DataError: Lengths differ, or a file is damaged.
    """

    path: Annotated[
        Text, Field(description="file of the rows, relative to the config", examples=["x.npy"])
    ]
    target: Annotated[
        Text | None,
        Field(
            description="file of the targets; null: rows to be predicted only", examples=["y.npy"]
        ),
    ] = None
    weights: Annotated[
        Text | None,
        Field(description="file of how much each row counts in the loss; null: all count alike"),
    ] = None
    read: Read = "auto"

    def absolute(self, directory: Path) -> Self:
        """The same with absolute paths."""
        target, weights = (
            None if name is None else str(absolute_path(name, directory))
            for name in (self.target, self.weights)
        )
        return self.replace(
            path=str(absolute_path(self.path, directory)), target=target, weights=weights
        )

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows."""
        if self.target is None:
            raise DataError(f"{self.path}: `target` is missing: which npy file holds the targets?")
        return self._weighted(
            join_parts((self._rows(), read_npy(Path(self.target))), None, self.path)
        )

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """The rows alone."""
        return self._weighted(join_parts((self._rows(), None), None, self.path))

    def _rows(self) -> np.ndarray | StoredRows:
        stored = stored_rows([locate_npy(Path(self.path))], self.read)
        return read_npy(Path(self.path)) if stored is None else stored[0]

    def _weighted(self, dataset: Dataset) -> Dataset:
        if self.weights is None:
            return dataset
        return replace(
            dataset, weights=weights_from(read_npy(Path(self.weights)), len(dataset), self.weights)
        )

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The rows alone if no target is wanted."""
        if with_target:
            return align(self.load(seed), schema, with_target=True)
        return align(
            Dataset(features_from(self._rows(), self.path), None, origin=self.path),
            schema,
            with_target=False,
        )
