"""The raw rows of a run: all of them, and which of them belong to which part."""

from dataclasses import dataclass

from nettrain.data.dataset import Dataset
from nettrain.data.schema import Schema
from nettrain.data.split import Rows


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
    """

    dataset: Dataset
    separate_parts: dict[str, Dataset]
    rows: Rows
    schema: Schema
    fingerprint: str
    notes: tuple[str, ...]

    def part(self, name: str) -> Dataset:
        """A copy of the rows of one part."""
        return self.separate_parts.get(name, self.dataset).take(self.rows[name])

    @property
    def datasets(self) -> dict[str, Dataset]:
        """A copy of the rows of every part."""
        return {name: self.part(name) for name in self.rows}
