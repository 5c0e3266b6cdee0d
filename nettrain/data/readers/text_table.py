"""Delimited text read in chunks of columns, strictly: whatever is wrong is a DataError with the file and the line."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from nettrain.errors import ConfigError, DataError
from nettrain.files import cannot_read

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t|"
_SAMPLE = 65536  # characters in which delimiter and header are sought
_FIRST_ROWS = 16384  # the first chunk, in which a column shows what it holds
_ROWS = 512  # later ones: what stays in the cache is twice as fast
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LINE_END = re.compile(r"\r\n|\r|\n")


def is_number(text: str) -> bool:
    """A decimal number and nothing else; Python's float() would also take `1_000`, `nan` and digits of other scripts."""
    return _NUMBER.fullmatch(text) is not None


@dataclass(frozen=True)
class TextTable:
    """One file, its delimiter known. `header` is how many rows stand above the data: 0 or 1.

    comment  rows of a single cell that begin with it are no data; "": there are none
    """

    path: Path
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header: int
    comment: str = ""

    @classmethod
    def open(
        cls,
        path: Path,
        encoding: str,
        delimiter: str | None,
        header: bool | None,
        missing: frozenset[str],
        known: frozenset[str],
    ) -> "TextTable":
        """Look at the file's beginning: what is None is found out. Raises DataError for a file without rows.

        known: names that the columns should have; one of them in the first row makes it a header.
        """
        with _reading(path, encoding), _open(path, encoding) as file:
            sample = file.read(_SAMPLE)
        if len(sample) == _SAMPLE:  # the last row may be cut: leave it out
            sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
        delimiter = delimiter or sniff_delimiter(sample)
        try:
            rows = _reader(io.StringIO(sample, newline=""), delimiter)
            first = next((row for row in rows if not _is_blank(row)), [])
        except csv.Error as error:
            raise cls(path, encoding, delimiter, (), 0)._malformed(error) from None
        if not first:
            raise DataError(f"{path}: the file is empty; expected rows of cells")
        if header is None:
            header = not known.isdisjoint(map(str.strip, first)) or _looks_like_header(
                first, missing
            )
        return cls(
            path,
            encoding,
            delimiter,
            _header_names(path, first) if header else positional(len(first)),
            int(header),
        )

    def chunks(self) -> Iterator[tuple[list[tuple[str, ...]], np.ndarray]]:
        """The columns of so many rows, and the line on which each row begins. Blank lines are passed over."""
        with _reading(self.path, self.encoding), _open(self.path, self.encoding) as file:
            reader = _reader(file, self.delimiter)
            skip = self.header
            try:
                before = 0
                while rows := list(islice(reader, _ROWS if before else _FIRST_ROWS)):
                    lines = _lines(rows, before, reader.line_num)
                    before = reader.line_num
                    rows, lines = self._whole(rows, lines)
                    rows, lines, skip = rows[skip:], lines[skip:], max(skip - len(rows), 0)
                    if rows:
                        yield list(zip(*rows, strict=True)), lines
            except csv.Error as error:
                raise self._malformed(error) from None

    def _whole(
        self, rows: list[list[str]], lines: np.ndarray
    ) -> tuple[list[list[str]], np.ndarray]:
        """The rows that are not blank, all of one width."""
        width = len(self.names)
        if all(len(row) == width for row in rows):
            return rows, lines
        kept = [i for i, row in enumerate(rows) if not (_is_blank(row) or self._is_comment(row))]
        for i in kept:
            if len(rows[i]) != width:
                raise DataError(
                    f"{self.path}:{lines[i]}: {len(rows[i])} cells where {width} are expected (separated by {self.delimiter!r}); "
                    "complete the row, or put quotes around cells that hold the separator"
                )
        return [rows[i] for i in kept], lines[kept]

    def _is_comment(self, row: list[str]) -> bool:
        return bool(self.comment) and len(row) == 1 and row[0].startswith(self.comment)

    def _malformed(self, error: csv.Error) -> DataError:
        """csv's error with the line on which the row begins, which only a second reading tells."""
        start = 1
        with _open(self.path, self.encoding) as file:
            reader = _reader(file, self.delimiter)
            with suppress(csv.Error):
                for _ in reader:
                    start = reader.line_num + 1
        reason = str(error)
        if "end of data" in reason or "field limit" in reason:
            reason = "a quote is opened and never closed"
        return DataError(
            f"{self.path}:{start}: malformed row: {reason}; quotes enclose whole cells, and a quote inside is written twice"
        )


def positional(width: int) -> tuple[str, ...]:
    """The names of columns without a header, counted from 0 as `target: 0` counts."""
    return tuple(f"column_{i}" for i in range(width))


def sniff_delimiter(sample: str) -> str:
    """Of comma, semicolon, tab and bar the one that divides most rows alike; at a tie into most cells; comma if none divides."""
    best = (0.0, 1, ",")
    for delimiter in _DELIMITERS:
        widths: list[int] = []
        with suppress(csv.Error):  # the wrong delimiter, or the sample's end inside quotes
            widths.extend(
                len(row)
                for row in _reader(io.StringIO(sample, newline=""), delimiter)
                if not _is_blank(row)
            )
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        if common > 1:
            best = max(
                best,
                (widths.count(common) / len(widths), common, delimiter),
                key=lambda found: found[:2],
            )
    return best[2]


def _looks_like_header(row: list[str], missing: frozenset[str]) -> bool:
    """A header holds no number, no missing cell and no name twice."""
    cells = [cell.strip() for cell in row]
    return not any(is_number(cell) or cell in missing for cell in cells) and len(set(cells)) == len(
        cells
    )


def _header_names(path: Path, row: list[str]) -> tuple[str, ...]:
    names = [cell.strip().removeprefix("\ufeff") or f"column_{i}" for i, cell in enumerate(row)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(
                f"{path}:1: columns {names.index(name)} and {i} (counted from 0) are both named {name!r}; rename one of them"
            )
    return tuple(names)


def _is_blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _lines(rows: list[list[str]], before: int, after: int) -> np.ndarray:
    """The first line of each row, counted from 1: one a row unless quoted cells hold line ends."""
    if after - before == len(rows):
        return np.arange(before + 1, after + 1)
    spans = np.array([1 + sum(len(_LINE_END.findall(cell)) for cell in row) for row in rows])
    starts: np.ndarray = before + 1 + np.cumsum(spans) - spans
    return starts


def _reader(file: TextIO, delimiter: str) -> "Reader":
    return csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)


def _open(path: Path, encoding: str) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return io.TextIOWrapper(gzip.open(path), encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


@contextmanager
def _reading(path: Path, encoding: str) -> Iterator[None]:
    """What can go wrong below the rows, said in the user's terms."""
    try:
        yield
    except UnicodeError:
        raise DataError(
            f"{path}{_undecodable(path, encoding)}: not {encoding.removesuffix('-sig')} text; set the source's `encoding` "
            "(often latin-1 or cp1252)"
        ) from None
    except LookupError:
        raise ConfigError(
            f"dataset.source.encoding: there is no encoding {encoding!r}; try utf-8, latin-1, cp1252 or utf-16"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None


def _undecodable(path: Path, encoding: str) -> str:
    """`:12`, the first line that does not decode; nothing where lines cannot be told apart before decoding."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f":{number}"
    return ""
