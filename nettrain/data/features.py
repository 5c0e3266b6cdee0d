"""The inputs of n rows: numbers, and for tables categorical columns."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nettrain.data.cache import digest_of
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

    def __len__(self) -> int:
        return len(self.codes)

    def looked_up(self, lookup: np.ndarray) -> Any:
        """What a lookup, for a missing cell at its end, gives for each cell (n,)."""
        return lookup[self.codes]

    def recoded(self, lookup: np.ndarray, values: tuple[str, ...]) -> "Category":
        """The same cells by other codes: those that a lookup gives, `MISSING` for a missing one."""
        return Category(lookup[self.codes], values)

    def identity(self) -> tuple[str, ...]:
        """What tells this column from all others."""
        return digest_of(self.codes), repr(self.values)

    def places(self, values: Sequence[str]) -> np.ndarray:
        """The place of each cell (n,) among other values.

        Behind them come that of missing cells, len(values), and that of all further texts.
        """
        known = {value: place for place, value in enumerate(values)}
        further = len(known) + 1
        # a missing code, -1, finds the last place
        lookup = np.array([*(known.get(text, further) for text in self.values), len(known)])
        found: np.ndarray = lookup[self.codes]
        return found


@dataclass(frozen=True)
class Codes:
    """One column of codes, which the network embeds.

    Attributes:
        codes: Whole numbers (n,) from 0 to `cardinality` - 1.
        cardinality: How many codes there can be.
    """

    codes: np.ndarray
    cardinality: int

    def take(self, rows: np.ndarray) -> "Codes":
        """The codes of some rows, in that order."""
        return Codes(self.codes[rows], self.cardinality)


@dataclass(frozen=True)
class Features:
    """The inputs of n rows.

    Attributes:
        numbers: (n, d) for tables, (n, h, w, c) for images, NaN where missing. Images may be rows
            that are read or made only when they are wanted.
        names: Of the d columns; empty for images.
        categories: The categorical columns by name, which no transform has made numbers yet.
        codes: The columns of codes by name: no transform changes them.
        indicators: Those of the names whose columns a transform has made of 0 and 1 alone.
    """

    numbers: np.ndarray | LazyRows
    names: tuple[str, ...] = ()
    categories: dict[str, Category] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)
    indicators: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def array(self) -> np.ndarray:
        """The numbers as an array; lazy rows are read."""
        return self.numbers if isinstance(self.numbers, np.ndarray) else self.numbers[:]

    @property
    def matrix(self) -> np.ndarray:
        """The numbers, and behind them the codes."""
        if not self.codes:
            return self.array
        return np.column_stack([self.array, *(column.codes for column in self.codes.values())])

    def identity(self) -> tuple[str, ...]:
        """What tells these features from all others; of what is in a file, without reading it."""
        numbers = self.numbers
        found = (digest_of(numbers),) if isinstance(numbers, np.ndarray) else numbers.identity()
        columns = [text for column in self.categories.values() for text in column.identity()]
        return (*found, repr(self.names), repr(tuple(self.categories)), *columns)

    def in_memory(self) -> "Features":
        """The same features as arrays; what is lazy is read."""
        categories = {
            name: Category(column.codes, column.values) for name, column in self.categories.items()
        }
        codes = {name: Codes(one.codes, one.cardinality) for name, one in self.codes.items()}
        return dataclasses.replace(self, numbers=self.array, categories=categories, codes=codes)

    def take(self, rows: np.ndarray) -> "Features":
        """The features of some rows, in that order; lazy rows stay lazy."""
        kept = {name: column.take(rows) for name, column in self.categories.items()}
        codes = {name: column.take(rows) for name, column in self.codes.items()}
        numbers = (
            self.numbers[rows]
            if isinstance(self.numbers, np.ndarray)
            else self.numbers.subset(rows)
        )
        return dataclasses.replace(self, numbers=numbers, categories=kept, codes=codes)
