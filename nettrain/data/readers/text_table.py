"""Delimited text read in chunks of columns, strictly: whatever is wrong is named with its line."""

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from nettrain.data.readers.number_text import MissingMarks, is_number, number_format
from nettrain.data.readers.text_block import DELIMITERS, Chunk, TextBlock, blocks_are_read
from nettrain.data.readers.text_file import (
    check_no_nul,
    decoding,
    encoding_of,
    open_text,
    some_lines,
)
from nettrain.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

csv.field_size_limit(2**31 - 1)  # the longest that all platforms take; 131,072 without it
_SAMPLE = 65536  # characters in which delimiter and header are sought, or more ...
_SAMPLE_LINES = 3  # ... until it holds so many lines
_SAMPLE_ROWS = 50  # rows of the sample in which numbers are counted
_FIRST_ROWS = 16384  # the first chunk, in which a column shows what it holds
_ROWS = 512  # later ones: what stays in the cache is twice as fast
_BLOCK = 2**23  # characters that are read at once where blocks are whole rows
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class TextTable:
    """One file of delimited text, its delimiter known.

    Attributes:
        path: The file.
        encoding: Of its characters.
        delimiter: Between the cells.
        names: Of the columns.
        header: How many rows stand above the data: 0 or 1.
        comment: Rows of a single cell that begin with this character are skipped; "": none.
        notes: What `open` assumed, a sentence each.
        empty: The lines of the rows without any value that the last reading skipped.
    """

    path: Path
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header: int
    comment: str = ""
    notes: tuple[str, ...] = ()
    empty: list[int] = field(default_factory=list, compare=False)

    @classmethod
    def open(
        cls,
        path: Path,
        encoding: str,
        delimiter: str | None,
        header: bool | None,
        missing: MissingMarks,
        known: frozenset[str],
    ) -> "TextTable":
        """Look at the beginning of a file; what is None is found out.

        Args:
            path: The file.
            encoding: Of its characters; a byte-order mark of UTF-16 or UTF-32 overrides it.
            delimiter: Between the cells.
            header: Whether the first row names the columns.
            missing: The cells that stand for a missing value; no header holds one.
            known: Names that the columns should have; one of them in the first row makes it a
                header.

        Raises:
            DataError: The file has no rows, or its first row is malformed.
        """
        encoding, note = encoding_of(path, encoding)
        notes = [] if note is None else [note]
        with decoding(path, encoding):
            with open_text(path, encoding) as file:
                sample = _sample(file)
            check_no_nul(path, sample)
            delimiter = delimiter or sniff_delimiter(sample)
            table = cls(path, encoding, delimiter, (), 0)
            try:
                with open_text(path, encoding) as file:
                    rows = _reader(file, delimiter)
                    first = next((row for row in rows if not _is_empty(row)), [])
                    line = rows.line_num
            except csv.Error as error:
                raise table._malformed(error) from None
        if not first:
            raise DataError(f"{path}: the file is empty; expected rows of cells")
        if header is None:
            below = [row for row in _rows(sample, delimiter)[1:] if len(row) == len(first)]
            header, assumed = _guess_header(first, below, missing, known)
            notes += assumed
        names = _header_names(path, line, first) if header else positional(len(first))
        return cls(path, encoding, delimiter, names, int(header), notes=tuple(notes))

    def chunks(self) -> Iterator[Chunk]:
        """The columns of some rows, and the line on which each begins. Empty rows are skipped."""
        for chunk in self._read(blocks=False):
            if not isinstance(chunk, TextBlock):
                yield chunk

    def blocks(self) -> Iterator[Chunk | TextBlock]:
        """The same rows; behind the first chunk of a large file, blocks take the place of chunks.

        From the first row on that is not certainly whole, chunks come again.
        """
        return self._read(blocks=True)

    def _read(self, *, blocks: bool) -> Iterator[Chunk | TextBlock]:
        self.empty.clear()
        with decoding(self.path, self.encoding), open_text(self.path, self.encoding) as file:
            try:
                reader = _reader(file, self.delimiter)
                rows = list(islice(reader, _FIRST_ROWS))
                above, pending = reader.line_num, ""
                found, skip = self._chunk(rows, 0, above, self.header)
                yield from found
                if blocks and not (skip or self.comment) and self.delimiter in DELIMITERS:
                    pending, above = yield from self._blocks(file, above)
                lines = io.StringIO(pending + file.readline(), newline="")
                yield from self._chunks(chain(lines, file), above, skip)
            except csv.Error as error:
                raise self._malformed(error) from None

    def _blocks(self, file: TextIO, above: int) -> Generator[TextBlock, None, tuple[str, int]]:
        """Blocks of whole rows while there are any; what was read in vain, and the lines above it.

        They hold a multiple of `_ROWS` rows each, so that chunks behind them begin where they would
        without blocks.
        """
        read = pending = file.read(_BLOCK)
        if len(read) < _BLOCK or not blocks_are_read():  # polars would take longer to load
            return pending, above
        while pending:
            text = some_lines(pending, "\n", _ROWS) if read else pending.rstrip("\n") + "\n"
            strictly = partial(self._chunks, io.StringIO(text, newline=""), above)
            block = TextBlock.of(text, self.delimiter, len(self.names), above + 1, strictly)
            if block is None:
                break
            yield block
            above += len(block)
            read = file.read(_BLOCK)
            pending = pending[len(text) :] + read
        return pending, above

    def _chunks(self, lines: Iterable[str], above: int, skip: int = 0) -> Iterator[Chunk]:
        reader = _reader(lines, self.delimiter)
        before = 0
        while rows := list(islice(reader, _ROWS)):
            found, skip = self._chunk(rows, above + before, above + reader.line_num, skip)
            before = reader.line_num
            yield from found

    def _chunk(
        self, rows: list[list[str]], before: int, after: int, skip: int
    ) -> tuple[list[Chunk], int]:
        """The chunk of some rows, if any holds a value, and how many more are to be skipped."""
        rows, lines = self._whole(rows, _lines(rows, before, after))
        kept, lines = rows[skip:], lines[skip:]
        found = [(list(zip(*kept, strict=True)), lines)] if kept else []
        return found, max(skip - len(rows), 0)

    def _whole(
        self, rows: list[list[str]], lines: np.ndarray
    ) -> tuple[list[list[str]], np.ndarray]:
        """The rows that are not empty, all of one width."""
        width = len(self.names)
        if all(len(row) == width and any(row) for row in rows):
            return rows, lines
        kept = []
        for i, row in enumerate(rows):
            if _is_empty(row):
                self.empty.extend([int(lines[i])] if len(row) > 1 else [])
            elif not self._is_comment(row):
                kept.append(i)
        for i in kept:
            if len(rows[i]) != width:
                raise DataError(
                    f"{self.path}:{lines[i]}: {len(rows[i])} cells where {width} are expected "
                    f"(separated by {self.delimiter!r}); complete the row, or put quotes around "
                    "cells that hold the separator"
                )
        return [rows[i] for i in kept], lines[kept]

    def _is_comment(self, row: list[str]) -> bool:
        return bool(self.comment) and len(row) == 1 and row[0].startswith(self.comment)

    def _malformed(self, error: csv.Error) -> DataError:
        """csv's error with the line on which the row begins, which only a second reading tells."""
        start = 1
        with open_text(self.path, self.encoding) as file:
            reader = _reader(file, self.delimiter)
            with suppress(csv.Error):
                for _ in reader:
                    start = reader.line_num + 1
        reason = str(error)
        if "end of data" in reason:
            reason = "a quote is opened and never closed"
        elif "field limit" in reason:
            reason = "a cell of more than 2 GB, or a quote that is never closed"
        return DataError(
            f"{self.path}:{start}: malformed row: {reason}; quotes enclose whole cells, and a "
            "quote inside is written twice"
        )


def positional(width: int) -> tuple[str, ...]:
    """The names of columns without a header, counted from 0 as `target: 0` counts."""
    return tuple(f"column_{i}" for i in range(width))


def sniff_delimiter(sample: str) -> str:
    """Comma, semicolon, tab or bar: the one that divides most rows into the same number of cells.

    Where several do, the one that leaves most cells numbers, with a decimal comma too (0,82;-1,38);
    then the one with most cells. Comma if none divides.
    """
    best = (0.0, 0.0, 1, ",")
    for delimiter in DELIMITERS:
        rows = _rows(sample, delimiter)
        widths = [len(row) for row in rows]
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        if common > 1:
            alike = [row for row in rows if len(row) == common]
            cells = [cell.strip() for row in alike[:_SAMPLE_ROWS] for cell in row]
            numbers = sum(is_number(cell) or number_format(cell) is not None for cell in cells)
            score = (len(alike) / len(rows), numbers / len(cells), common, delimiter)
            best = max(best, score, key=lambda found: found[:3])
    return best[3]


def _sample(file: TextIO) -> str:
    """The beginning of a file, of whole lines if it has several."""
    parts: list[str] = []
    ends = 0
    while ends < _SAMPLE_LINES and (part := file.read(_SAMPLE)):
        parts.append(part)
        ends += len(_LINE_END.findall(part))
    sample = "".join(parts)
    if not file.read(1):
        return sample
    return sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1]


def _rows(sample: str, delimiter: str) -> list[list[str]]:
    """The rows of a sample that are not empty, up to one that the sample's end may have cut."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in _reader(io.StringIO(sample, newline=""), delimiter):
            if not _is_empty(row):
                rows.append(row)
    return rows


def _guess_header(
    first: Sequence[str],
    below: Sequence[Sequence[str]],
    missing: MissingMarks,
    known: frozenset[str],
) -> tuple[bool, list[str]]:
    """Whether the first row names the columns, and a note where the rows leave that open."""
    cells = [cell.strip() for cell in first]
    if not known.isdisjoint(cells):
        return True, []
    width = len(cells)
    columns = [{row[i].strip() for row in below} for i in range(width)]
    names = cells[1:] if _index_is_unnamed(cells, columns) else cells
    if (
        any(is_number(cell) or cell in missing for cell in names)
        or len(set(cells)) < width
        or any(
            number_format(cell) and any(map(number_format, columns[i]))
            for i, cell in enumerate(cells)
        )
        or (below and all(cell in columns[i] for i, cell in enumerate(cells)))
    ):
        return False, [
            "no header found: the first row is data (`header: true` if it names the columns)"
        ]
    if not any(is_number(cell) or number_format(cell) for column in columns for cell in column):
        shown = ", ".join(cells[:5]) + (" ..." if width > 5 else "")
        return True, [
            f"the first row names the columns ({shown}), as no column tells it from data "
            "(`header: false` if it is data)"
        ]
    return True, []


def _index_is_unnamed(cells: Sequence[str], columns: Sequence[set[str]]) -> bool:
    """Whether the first cell is empty above numbers, as pandas writes the numbers of rows."""
    return len(cells) > 1 and not cells[0] and bool(columns[0]) and all(map(is_number, columns[0]))


def _header_names(path: Path, line: int, row: list[str]) -> tuple[str, ...]:
    names = [cell.strip().removeprefix("\ufeff") or f"column_{i}" for i, cell in enumerate(row)]
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if first.setdefault(name, i) != i:
            raise DataError(
                f"{path}:{line}: columns {first[name]} and {i} (counted from 0) are both named "
                f"{name!r}; rename one of them"
            )
    return tuple(names)


def _is_empty(row: list[str]) -> bool:
    """A blank line, or a row of cells without any value (`,,,,`)."""
    return not any(row) or not any(cell.strip() for cell in row)


def _lines(rows: list[list[str]], before: int, after: int) -> np.ndarray:
    """The first line of each row, from 1: one per row unless quoted cells hold line ends."""
    if after - before == len(rows):
        return np.arange(before + 1, after + 1)
    spans = np.array([1 + sum(len(_LINE_END.findall(cell)) for cell in row) for row in rows])
    starts: np.ndarray = before + 1 + np.cumsum(spans) - spans
    return starts


def _reader(file: Iterable[str], delimiter: str) -> "Reader":
    return csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
