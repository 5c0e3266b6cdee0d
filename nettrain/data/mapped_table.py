"""A table on the disk as a transform makes it: rows and categories that are mapped when read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nettrain.data.features import Category, Codes, Features
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.target import Target
from nettrain.data.transform import OutsideDomain, State, Transform


@dataclass(frozen=True, eq=False)
class TableMap:
    """What a transform makes of the rows of a table.

    Attributes:
        features: The table.
        transform: Maps every row alone.
        state: What it has learned.
    """

    features: Features
    transform: Transform
    state: State

    def at(self, rows: np.ndarray) -> Features:
        """Some rows, mapped. Raises OutsideDomain with the number of a row in the table."""
        try:
            return self.transform.apply(self.features.take(rows).in_memory(), self.state)
        except OutsideDomain as error:
            raise OutsideDomain(int(rows[error.row]), str(error)) from None

    def all(self) -> Iterator[tuple[slice, Features]]:
        """All rows, mapped a chunk at a time."""
        for chunk in chunks(self.features.numbers.shape):
            yield chunk, self.at(np.arange(chunk.start, chunk.stop))

    def take(self, rows: np.ndarray) -> "TableMap":
        """The map of some rows."""
        return replace(self, features=self.features.take(rows))


@dataclass(frozen=True, eq=False)
class MappedTable(LazyRows):
    """The numbers (n, d) that a transform makes of a table.

    Attributes:
        table: The map.
        row: (d,)
    """

    table: TableMap
    row: tuple[int, ...]
    dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return len(self.table.features)

    @property
    def in_file(self) -> bool:
        """They are made of cells that are."""
        return True

    def subset(self, rows: np.ndarray) -> "MappedTable":
        """Some rows, in that order; nothing is made."""
        return replace(self, table=self.table.take(rows))

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Map the rows."""
        out[...] = self.table.at(rows).array


class MappedCategory(Category):
    """The categories that a transform makes of a column; each look at the codes maps all rows.

    Args:
        table: The map.
        name: Of the column.
        values: The distinct texts.
    """

    def __init__(self, table: TableMap, name: str, values: tuple[str, ...]) -> None:
        for key, value in {"table": table, "name": name, "values": values}.items():
            object.__setattr__(self, key, value)

    table: TableMap
    name: str

    @property
    def codes(self) -> np.ndarray:
        """Into `values` (n,), made now."""
        found = [block.categories[self.name].codes for _, block in self.table.all()]
        return np.concatenate(found)

    def __len__(self) -> int:
        return len(self.table.features)

    def take(self, rows: np.ndarray) -> "MappedCategory":
        """The cells of some rows, in that order; nothing is made."""
        return MappedCategory(self.table.take(rows), self.name, self.values)


class MappedCodes(Codes):
    """The codes that a transform makes of a column; each look at them maps all rows.

    Args:
        table: The map.
        name: Of the column.
        cardinality: How many codes there can be.
    """

    def __init__(self, table: TableMap, name: str, cardinality: int) -> None:
        for key, value in {"table": table, "name": name, "cardinality": cardinality}.items():
            object.__setattr__(self, key, value)

    table: TableMap
    name: str

    @property
    def codes(self) -> np.ndarray:
        """(n,), made now."""
        return np.concatenate([block.codes[self.name].codes for _, block in self.table.all()])

    def take(self, rows: np.ndarray) -> "MappedCodes":
        """The codes of some rows, in that order; nothing is made."""
        return MappedCodes(self.table.take(rows), self.name, self.cardinality)


def mapped(
    features: Features, transform: Transform, state: State, target: Target | None = None
) -> Features:
    """A table on the disk after a transform; what the transform leaves alone stays as it is.

    Args:
        features: The table.
        transform: Fitted.
        state: What it has learned.
        target: Of rows that a network is to be trained on. A transform that shows no row its own
            target then maps all rows together, which must fit into memory; their numbers need not.
    """
    if target is not None and shows_no_own_target(transform):
        return transform.apply_in_training(features, state, target)
    table = TableMap(features, transform, state)
    before = features.take(np.arange(min(len(features), 1))).in_memory()
    after = transform.apply(before, state)
    numbers = features.numbers
    if after.numbers is not before.numbers:
        numbers = MappedTable(table, after.numbers.shape[1:])
    categories = {
        name: features.categories[name]
        if column is before.categories.get(name)
        else MappedCategory(table, name, column.values)
        for name, column in after.categories.items()
    }
    codes = {
        name: features.codes[name]
        if column is before.codes.get(name)
        else MappedCodes(table, name, column.cardinality)
        for name, column in after.codes.items()
    }
    return Features(numbers, after.names, categories, codes)


def shows_no_own_target(transform: Transform) -> bool:
    """Whether a transform maps the rows that a network is trained on otherwise than all others."""
    return type(transform).apply_in_training is not Transform.apply_in_training
