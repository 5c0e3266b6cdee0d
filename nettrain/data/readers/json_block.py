"""A block of JSON lines converted by polars, where its bytes show that nothing is lost or changed.

polars makes texts of columns of numbers and texts, and takes one of two values of a repeated key.
Both show in how many keys, texts and nulls a block holds; such a block is read strictly.
"""

import io
import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from nettrain.data.readers.text_block import between_quotes, distinct_texts, mark_pool

if TYPE_CHECKING:
    import polars

_QUOTE, _COLON, _NEWLINE = b'":\n'
_NULL = re.compile(rb"null")


class JsonBlock:
    """Lines of one object each, of numbers, texts, truth values and nulls; none has a key twice.

    Use `of` to make one.

    Attributes:
        lines: The number of each line (n,).
        names: The keys, in the order in which they first appear.
    """

    def __init__(self, columns: "Mapping[str, polars.Series]", lines: np.ndarray) -> None:
        self._columns, self.lines = columns, lines
        self.names = tuple(columns)

    @classmethod
    def of(
        cls, content: bytes, first_line: int, kinds: "Mapping[str, Any] | None" = None
    ) -> "JsonBlock | None":
        """The block of some whole lines; None where they are to be read strictly.

        Args:
            content: The lines.
            first_line: The number of the first.
            kinds: Those of a block of the same lines that was found to be one.
        """
        mark_pool()
        pl: Any = import_module("polars")
        rows = content.count(b"\n")
        if kinds is not None:
            frame = pl.read_ndjson(io.BytesIO(content), schema=kinds)
            columns = {name: frame[name] for name in kinds}
            return cls(columns, np.arange(first_line, first_line + rows))
        if b"\\" in content:  # an escaped quote would be counted
            return None
        try:
            frame = pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)
        except pl.exceptions.PolarsError:
            return None
        columns = {name: frame[name] for name in frame.columns}
        known = (pl.Int64, pl.Float64, pl.String, pl.Boolean, pl.Null)
        if len(frame) != rows or not all(one.dtype in known for one in columns.values()):
            return None
        present = {name: rows - one.null_count() for name, one in columns.items()}
        texts = sum(present[name] for name, one in columns.items() if one.dtype == pl.String)
        if not _nothing_lost(content, sum(present.values()), texts):
            return None
        return cls(columns, np.arange(first_line, first_line + rows))

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def kinds(self) -> "Mapping[str, Any]":
        """How polars reads each column."""
        return {name: column.dtype for name, column in self._columns.items()}

    def type_of(self, name: str) -> type | None:
        """Of the values of a key: float (whole numbers too), str or bool; None: there are none."""
        column = self._columns.get(name)
        if column is None or column.null_count() == len(column):
            return None
        pl: Any = import_module("polars")
        return {pl.String: str, pl.Boolean: bool}.get(column.dtype, float)

    def numbers(self, name: str) -> np.ndarray:
        """The values (n,) of a key that has no texts, NaN where there is none."""
        if self.type_of(name) is None:
            return np.full(len(self), np.nan)
        pl: Any = import_module("polars")
        return self._columns[name].cast(pl.Float64).to_numpy(writable=True)

    def texts(self, name: str) -> tuple[list[str | None], np.ndarray]:
        """The distinct texts of a key, None where there is none, and the place of each (n,)."""
        if self.type_of(name) is None:
            return [None], np.zeros(len(self), np.int32)
        column = self._columns[name]
        values, places = distinct_texts(column.drop_nulls())
        found = np.full(len(self), len(values), np.int32)
        found[column.is_not_null().to_numpy()] = places
        return [*values, None], found


def _nothing_lost(content: bytes, values: int, texts: int) -> bool:
    """Whether the bytes hold as many values and texts as were found, and no key twice in a line."""
    a = np.frombuffer(content, np.uint8)
    quotes, colons = np.flatnonzero(a == _QUOTE), np.flatnonzero(a == _COLON)
    if len(quotes) % 2:
        return False
    colons = colons[~between_quotes(quotes, colons)]
    nulls = np.array([match.start() for match in _NULL.finditer(content)], np.int64)
    nulls = nulls[~between_quotes(quotes, nulls)]
    if len(colons) != values + len(nulls) or len(quotes) // 2 - len(colons) != texts:
        return False
    return not len(nulls) or not _any_twice(a, quotes, colons)  # else one of two would be missing


def _any_twice(a: np.ndarray, quotes: np.ndarray, colons: np.ndarray) -> bool:
    """Whether a line may hold a key twice: two keys of one length and equal sums of bytes."""
    last = np.searchsorted(quotes, colons) - 1
    start, end = quotes[last - 1] + 1, quotes[last]
    bytes_before = np.concatenate([[0], np.cumsum(a, dtype=np.int64)])
    moments = np.concatenate([[0], np.cumsum(a * np.arange(len(a)), dtype=np.int64)])
    sums = bytes_before[end] - bytes_before[start]
    weighted = moments[end] - moments[start] - start * sums
    line = np.searchsorted(np.flatnonzero(a == _NEWLINE), colons)
    keys = np.stack([line, end - start, sums, weighted])
    keys = keys[:, np.lexsort(keys)]
    return bool((keys[:, 1:] == keys[:, :-1]).all(axis=0).any())
