"""Columns of a file as it holds them, to be carried over beside predictions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Block = Sequence[Any]  # of some rows the values of each column: a list, or a series of polars


@dataclass(frozen=True)
class WrittenColumns:
    """Columns whose values are untouched: 007, 1,50 and 2024-01-31 stay what they are.

    Attributes:
        names: Of the columns.
        blocks: Their values, some rows at a time, in the order of the file: texts where the file is
            text, else values of the types that it has. They can be read once.
    """

    names: tuple[str, ...]
    blocks: Iterator[Block]


def split_names(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The names in texts such as `id,name`, each once; a column whose name has a comma is one.

    Example:
        >>> split_names(["id, name", "last, first"], ["id", "name", "last, first"])
        ['id', 'name', 'last, first']
    """
    names: dict[str, None] = {}
    for text in asked:
        parts = [text] if text in known else [part.strip() for part in text.split(",")]
        names.update(dict.fromkeys(part for part in parts if part))
    return list(names)
