"""The raw rows of a run: all of them, and which of them belong to which part."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.schema import Schema
from nettrain.data.split import Rows, Split


@dataclass(frozen=True)
class LoadedData:
    """Raw rows, before any transform.

    Attributes:
        dataset: The rows of `dataset.source`, which `dataset.split` divides.
        separate_parts: The rows of the parts that have a source of their own.
        rows: The indices of each part's rows in its source.
        schema: The columns and the task.
        fingerprint: A digest of all rows.
        notes: What was assumed or decided for the user, a sentence each.
        split: How the rows were divided, with every fraction given.
    """

    dataset: Dataset
    separate_parts: dict[str, Dataset]
    rows: Rows
    schema: Schema
    fingerprint: str
    notes: tuple[str, ...]
    split: Split = Split()

    def part(self, name: str) -> Dataset:
        """A copy of the rows of one part."""
        return self.separate_parts.get(name, self.dataset).take(self.rows[name])

    def target_values(self, name: str) -> np.ndarray:
        """The targets of one part: codes (n,) or numbers (n, t)."""
        target = self.separate_parts.get(name, self.dataset).target
        if target is None:
            raise ValueError("rows without targets")
        values: np.ndarray = target.values[self.rows[name]]
        return values

    @property
    def datasets(self) -> dict[str, Dataset]:
        """A copy of the rows of every part."""
        return {name: self.part(name) for name in self.rows}
