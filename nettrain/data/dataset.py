"""What a source gives: features, target, and which rows it has itself assigned to a part."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from nettrain.data.features import Category, Features
from nettrain.data.target import Target

PARTS = ("train", "validation", "test")
UNASSIGNED = -1


@dataclass(frozen=True)
class Dataset:
    """`target` is None in a file that is only to be predicted.

    part (n,): an index into `PARTS` for rows that the source assigns (an official test set, a split column), `UNASSIGNED` for
    rows that `split` may divide; None where the source assigns nothing.
    origin   the file or set, as messages name it; lines (n,): where in the file each row begins, if it is a text file
    extra_columns    columns that are neither feature nor target and were asked for by name (`Source.load`)
    weights  (n,) of the rows in the loss; None: all equal
    files    (n,) the name of the file that each row is, where each is one
    notes    what the source assumed about the data, a sentence each
    """

    features: Features
    target: Target | None
    part: np.ndarray | None = None
    origin: str = "data"
    lines: np.ndarray | None = None
    extra_columns: dict[str, Category] = field(default_factory=dict)
    weights: np.ndarray | None = None
    files: np.ndarray | None = None
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
            lines=None if self.lines is None else self.lines[rows],
            weights=None if self.weights is None else self.weights[rows],
            files=None if self.files is None else self.files[rows],
            extra_columns={name: column.take(rows) for name, column in self.extra_columns.items()},
        )

    def place(self, row: int) -> str:
        """Where a row stands, for messages: `wine.csv:12`, `flowers: rose/7.png`, or `digits: row 11` (counted from 0)."""
        if self.files is not None:
            return f"{self.origin}: {self.files[row]}"
        return (
            f"{self.origin}: row {row}"
            if self.lines is None
            else f"{self.origin}:{self.lines[row]}"
        )
