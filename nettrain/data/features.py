"""The inputs of n rows: numbers, and for tables categorical columns."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from nettrain.data.rows.base import LazyRows

MISSING = -1


@dataclass(frozen=True)
class Category:
    """One categorical column.

    Attributes:
        codes: Into `values` (n,); `MISSING` where the cell is empty.
        values: The distinct texts.
    """

    codes: np.ndarray
    values: tuple[str, ...]

    def take(self, rows: np.ndarray) -> "Category":
        """The cells of some rows, in that order."""
        return Category(self.codes[rows], self.values)


@dataclass(frozen=True)
class Features:
    """The inputs of n rows.

    Attributes:
        numbers: (n, d) for tables, (n, h, w, c) for images, NaN where missing. Images may be rows
            that are read or made only when they are wanted.
        names: Of the d columns; empty for images.
        categories: The categorical columns by name, which no transform has made numbers yet.
    """

    numbers: np.ndarray | LazyRows
    names: tuple[str, ...] = ()
    categories: dict[str, Category] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def array(self) -> np.ndarray:
        """The numbers as an array; lazy rows are read."""
        return self.numbers if isinstance(self.numbers, np.ndarray) else self.numbers[:]

    def take(self, rows: np.ndarray) -> "Features":
        """The features of some rows, in that order; lazy rows stay lazy."""
        kept = {name: column.take(rows) for name, column in self.categories.items()}
        numbers = (
            self.numbers[rows]
            if isinstance(self.numbers, np.ndarray)
            else self.numbers.subset(rows)
        )
        return dataclasses.replace(self, numbers=numbers, categories=kept)
