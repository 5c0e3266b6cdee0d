"""What a source loads: features, target, and which rows it has itself assigned to a part."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from nettrain.data.features import Category, Features
from nettrain.data.readers.number_format import NumberFormat
from nettrain.data.stored_columns import StoredColumn
from nettrain.data.target import Target

PARTS = ("train", "validation", "test")
UNASSIGNED = -1


@dataclass(frozen=True)
class Dataset:
    """Raw rows.

    Attributes:
        features: What is learned from.
        target: What is to be predicted; None in a file that is only to be predicted.
        part: Of each row (n,), the index in `PARTS` if the source assigns it (a predefined test
            part), or `UNASSIGNED` if `split` may divide it; None if the source assigns nothing.
        origin: The file or set, as messages name it.
        lines: Where in a text file each row (n,) begins.
        numbers: Of each row (n,) its number in the source; None: 0, 1, 2 ...
        extra_columns: Neither feature nor target, and asked for by name (`Source.load`).
        weights: Of the rows (n,) in the loss; None: all equal.
        files: The file that each row (n,) is, if each is one.
        formats: Of the columns whose numbers are written otherwise than plainly.
        notes: What the source assumed about the data, a sentence each.
    """

    features: Features
    target: Target | None
    part: np.ndarray | None = None
    origin: str = "data"
    lines: np.ndarray | StoredColumn | None = None
    numbers: np.ndarray | None = None
    extra_columns: dict[str, Category] = field(default_factory=dict)
    weights: np.ndarray | None = None
    files: np.ndarray | None = None
    formats: dict[str, NumberFormat] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: np.ndarray) -> "Dataset":
        """Some rows, in that order."""
        return dataclasses.replace(
            self,
            features=self.features.take(rows),
            target=None if self.target is None else self.target.take(rows),
            part=None if self.part is None else self.part[rows],
            lines=None if self.lines is None else self.lines.take(rows),
            numbers=np.asarray(rows) if self.numbers is None else self.numbers[rows],
            weights=None if self.weights is None else self.weights[rows],
            files=None if self.files is None else self.files[rows],
            extra_columns={name: column.take(rows) for name, column in self.extra_columns.items()},
        )

    def place(self, row: int) -> str:
        """Where a row is, for messages: `wine.csv:12`, `flowers: rose/7.png`, `digits: row 11`."""
        if self.files is not None:
            return f"{self.origin}: {self.files[row]}"
        if self.lines is not None:
            return f"{self.origin}:{self.lines[row]}"
        return f"{self.origin}: row {row if self.numbers is None else self.numbers[row]}"
