"""The inputs of n rows: an array of numbers, and for tables the categorical columns that no transform has made numbers of yet."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from nettrain.data.rows.base import LazyRows

MISSING = -1


@dataclass(frozen=True)
class Category:
    """One categorical column: codes (n,) into `values`; `MISSING` where the cell is empty."""

    codes: np.ndarray
    values: tuple[str, ...]

    def take(self, rows: np.ndarray) -> "Category":
        """The cells of some rows, in that order."""
        return Category(self.codes[rows], self.values)


@dataclass(frozen=True)
class Features:
    """`numbers` (n, d) for tables and (n, h, w, c) for images, NaN where missing; `names` of the d columns, empty for images.

    Images may be rows that wait in a file, or are made when they are asked for.
    """

    numbers: np.ndarray | LazyRows
    names: tuple[str, ...] = ()
    categories: dict[str, Category] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def array(self) -> np.ndarray:
        """The numbers as an array; those that wait in a file are read."""
        return self.numbers if isinstance(self.numbers, np.ndarray) else self.numbers[:]

    def take(self, rows: np.ndarray) -> "Features":
        """The features of some rows, in that order; those that wait in a file go on waiting."""
        kept = {name: column.take(rows) for name, column in self.categories.items()}
        numbers = (
            self.numbers[rows]
            if isinstance(self.numbers, np.ndarray)
            else self.numbers.subset(rows)
        )
        return dataclasses.replace(self, numbers=numbers, categories=kept)
