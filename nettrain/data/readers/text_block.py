"""A block of rows of delimited text, its cells made numbers and codes by polars, column by column.

What polars reads otherwise than the strict reader is not left to it: a block is taken only where
bytes alone show that all rows are whole, and a column only where every cell is certain.
"""

import io
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars

Chunk = tuple[list[tuple[str, ...]], np.ndarray]  # the columns of some rows, and their lines
DELIMITERS = ",;\t|"  # which no number, and no space that does not count, can be taken for
_NEWLINE, _QUOTE, _SPACE, _LAST_PRINTED = b'\n" ~'
_SIGNS = b"+-"
_LEADING_ZERO = r"^\s*[+-]?0\d"
_PIECE = 2**16  # bytes that are looked at together: what is made of them stays in the cache
_pool_owner: int | None = None  # the process whose threads polars has started


def blocks_are_read() -> bool:
    """Whether polars is there, and may be used in this process.

    The threads of polars do not survive a fork: a child of a process that used it would wait for
    ever.
    """
    return _pool_owner in (None, os.getpid()) and find_spec("polars") is not None


def mark_pool() -> None:
    """To be called before polars is used."""
    global _pool_owner
    _pool_owner = os.getpid()


class TextBlock:
    """Rows of delimited text that are whole: each of `width` cells, none blank, quotes closed.

    Use `of` to make one.

    Attributes:
        lines: On which each row begins (n,).
        starting_zeros: Whether a cell may be a number with a redundant leading zero.
        chunks: Reads the same rows strictly.
    """

    def __init__(
        self,
        content: bytes,
        delimiter: str,
        width: int,
        lines: np.ndarray,
        chunks: Callable[[], Iterator[Chunk]],
    ) -> None:
        self._content, self._delimiter, self._width = content, delimiter, width
        self.lines, self.chunks = lines, chunks
        self.starting_zeros = _has_leading_zero(content, delimiter)

    @classmethod
    def of(
        cls,
        text: str,
        delimiter: str,
        width: int,
        first_line: int,
        chunks: Callable[[], Iterator[Chunk]],
    ) -> "TextBlock | None":
        """The block of some lines; None where their rows are not certain.

        Args:
            text: Whole lines.
            delimiter: Between the cells, one of `DELIMITERS`.
            width: Cells of a row.
            first_line: The number of the first line.
            chunks: Reads the same rows strictly.
        """
        content = text.encode("utf-8", "surrogatepass")
        if b"\r" in content:  # a tenth of the time of a replacement that finds nothing
            content = content.replace(b"\r\n", b"\n")
        rows = 0 if b"\r" in content or not content else _whole_rows(content, delimiter, width)
        if not rows:
            return None
        lines = np.arange(first_line, first_line + rows)
        return cls(content, delimiter, width, lines, chunks)

    def columns(self, kinds: Mapping[int, bool]) -> Mapping[int, "polars.Series"] | None:
        """Columns as polars reads them.

        Args:
            kinds: The places of the columns, and whether a column is read as numbers (Float64)
                rather than as texts (String, null where a cell is empty).

        Returns:
            The columns; None where a cell of a column of numbers is none to polars.
        """
        mark_pool()
        pl: Any = import_module("polars")
        names = [f"column_{place + 1}" for place in range(self._width)]  # as polars names them
        schema = {
            name: pl.Float64 if kinds.get(place) else pl.String for place, name in enumerate(names)
        }
        try:
            frame = pl.read_csv(
                io.BytesIO(self._content),
                has_header=False,
                separator=self._delimiter,
                schema=schema,
                columns=sorted(kinds),
            )
        except pl.exceptions.ComputeError:
            return None
        return {place: frame[names[place]] for place in kinds} if len(frame) == len(self) else None

    def __len__(self) -> int:
        return len(self.lines)


def plain_numbers(
    column: "polars.Series", words: Collection[str], *, zeros: bool
) -> tuple[np.ndarray, set[str]] | None:
    """A column (n,) of which each cell is a finite number or a mark, and the marks that occur.

    Args:
        column: Of numbers, or of texts.
        words: The marks of missing values.
        zeros: Whether numbers may have redundant leading zeros.

    Returns:
        The numbers, NaN for marks; None where a cell is neither, or zeros are not allowed.
    """
    pl: Any = import_module("polars")
    if column.dtype == pl.Float64:
        numbers = column.to_numpy(writable=True)
        gaps = column.null_count()
        certain = np.count_nonzero(np.isfinite(numbers)) + gaps == len(numbers)
        return (numbers, set()) if certain and (not gaps or "" in words) else None
    if not zeros and column.str.contains(_LEADING_ZERO).any():
        return None
    cast = column.cast(pl.Float64, strict=False)
    marked = cast.is_null() | ~cast.is_finite()
    marks = {mark or "" for mark in column.filter(marked).unique().to_list()}
    if not marks.issubset(words):
        return None
    numbers = cast.to_numpy(writable=True)
    numbers[marked.fill_null(value=True).to_numpy()] = np.nan
    return numbers, marks - {""}


def distinct_texts(column: "polars.Series") -> tuple[list[str], np.ndarray]:
    """The distinct cells of a column of texts, and each cell's place among them (n,)."""
    pl: Any = import_module("polars")
    filled = column.fill_null("")
    values = filled.unique().to_list()
    return values, filled.cast(pl.Enum(values)).to_physical().cast(pl.Int32).to_numpy()


def _whole_rows(content: bytes, delimiter: str, width: int) -> int:
    """How many rows there are, if each is a line of `width` cells and not blank; otherwise 0."""
    a = np.frombuffer(content, np.uint8)
    ends, separators = np.flatnonzero(a == _NEWLINE), np.flatnonzero(a == ord(delimiter))
    if b'"' in content:
        quotes = np.flatnonzero(a == _QUOTE)
        if not _closed(a, quotes, ord(delimiter)) or between_quotes(quotes, ends).any():
            return 0
        separators = separators[~between_quotes(quotes, separators)]
    rows = len(ends)
    if len(separators) != rows * (width - 1) or a[-1] != _NEWLINE:
        return 0
    inner = separators.reshape(rows, width - 1)
    if width > 1 and ((inner[:, -1] > ends).any() or (inner[1:, 0] < ends[:-1]).any()):
        return 0
    starts = np.concatenate([[0], ends[:-1] + 1])
    return 0 if _any_blank(content, a, starts, ends, delimiter) else rows


def _closed(a: np.ndarray, quotes: np.ndarray, delimiter: int) -> bool:
    """Whether quotes enclose whole cells, and those inside are written twice."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    outside = [delimiter, _NEWLINE]
    before = np.isin(a[np.maximum(opening - 1, 0)], outside) | (opening == 0)
    after = np.isin(a[np.minimum(closing + 1, len(a) - 1)], outside)
    again = opening[1:] == closing[:-1] + 1  # a quote inside, written twice
    before[1:] |= again
    after[:-1] |= again
    return bool(before.all() and after.all())


def between_quotes(quotes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which places are between an opening and a closing quote."""
    odd: np.ndarray = np.searchsorted(quotes, places) % 2 == 1
    return odd


def _any_blank(
    content: bytes, a: np.ndarray, starts: np.ndarray, ends: np.ndarray, delimiter: str
) -> bool:
    """Whether a row has no cell with anything but spaces; only rows that begin so are looked at."""
    first = a[starts]
    likely = (first <= _SPACE) | (first > _LAST_PRINTED) | (first == ord(delimiter))
    likely |= (first == _QUOTE) & (a[np.minimum(starts + 1, len(a) - 1)] <= _QUOTE)
    return any(
        not content[start:end].decode().replace('"', "").replace(delimiter, "").strip()
        for start, end in zip(starts[likely].tolist(), ends[likely].tolist(), strict=True)
    )


def _has_leading_zero(content: bytes, delimiter: str) -> bool:
    """Whether a cell begins like 007 or -01. A row begins with the first byte."""
    first = b"\n" + content[:_PIECE]
    rest = range(_PIECE, len(content), _PIECE)
    pieces = chain([first], (content[start - 3 : start + _PIECE] for start in rest))
    return any(_holds_leading_zero(piece, delimiter) for piece in pieces)


def _holds_leading_zero(piece: bytes, delimiter: str) -> bool:
    """Whether there is the edge of a cell, a sign or none, 0 and a digit."""
    a = np.frombuffer(piece, np.uint8)
    likely = (a[:-2] < ord(".")) | (a[:-2] == ord(delimiter))  # edges, signs, and little else
    likely &= a[1:-1] == ord("0")
    likely &= _is_digit(a[2:])
    if not likely.any():
        return False
    before = np.flatnonzero(likely)
    before = np.maximum(before - np.isin(a[before], list(_SIGNS)), 0)
    edges = np.frombuffer(f'{delimiter}\n" '.encode(), np.uint8)
    return bool(np.isin(a[before], edges).any())


def _is_digit(a: np.ndarray) -> np.ndarray:
    return (a >= ord("0")) & (a <= ord("9"))
