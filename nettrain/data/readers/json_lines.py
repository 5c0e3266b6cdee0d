"""JSON lines read strictly with the standard library: whatever is wrong is named with its line."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from nettrain.data.collect import Cells, Collector, Store, TextCodes
from nettrain.data.features import MISSING
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.readers.json_block import JsonBlock
from nettrain.data.readers.text_block import blocks_are_read
from nettrain.data.readers.text_file import encoding_of, open_text, some_lines
from nettrain.data.written_columns import Block
from nettrain.errors import DataError
from nettrain.files import UNREADABLE, cannot_read, open_unpacked

_UTF_8 = "utf-8-sig"
_Lines = Iterable[tuple[int, str | bytes]]  # with their numbers
_LARGEST = sys.float_info.max
_BLOCK = 2**23  # bytes that are read at once
_ROWS = 4096  # become arrays at a time, so that few Python objects live at once


class JsonLinesTable(OpenTable):
    """One JSON object per line, plain or gzip.

    The columns are the keys of all lines, in the order in which they first appear; a key that is
    left out is missing.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.place = self._path = path
        self._encoding, note = encoding_of(Path(path), _UTF_8)
        self.notes += [] if note is None else [note]
        self._kinds: dict[int, Mapping[str, Any]] = {}  # of each block, by its first line
        names: dict[str, None] = {}
        for block in self._blocks():
            if isinstance(block, JsonBlock):
                self._kinds[int(block.lines[0])] = block.kinds
                names.update(dict.fromkeys(block.names))
            else:
                for _, row in self._rows(block, _STRICT):
                    names.update(dict.fromkeys(row))
        self.names = tuple(names)
        if not names:
            raise DataError(
                f'{path}: no rows in it; expected an object a line, such as {{"a": 1, "b": "x"}}'
            )

    def read(
        self, names: Sequence[str], numeric: dict[str, bool], store: Store
    ) -> tuple[dict[str, Column], Cells | None]:
        """The named columns, and the line of each row."""
        names = list(dict.fromkeys(names))
        *collectors, lines = store.collectors(len(names) + 1)
        columns = [
            _JsonColumn(name, self._path, numeric.get(name), cells, store.most_text)
            for name, cells in zip(names, collectors, strict=True)
        ]
        for block in self._blocks(columns, again=True):
            if isinstance(block, JsonBlock):
                for column in columns:
                    column.add_block(block)
                lines.append(block.lines)
                continue
            for chunk in self._chunks(block):
                numbers = [line for line, _ in chunk]
                for column in columns:
                    column.add([row.get(column.name) for _, row in chunk], numbers)
                lines.append(np.array(numbers, np.int64))
        self.booleans = frozenset(column.name for column in columns if column.types == {bool})
        return {column.name: column.finish() for column in columns}, store.lines(lines)

    def written(self, names: Sequence[str]) -> Iterator[Block]:
        """The values of JSON; None for keys that are left out."""
        for chunk in self._chunks(enumerate(self._lines(), start=1)):
            yield [[row.get(name) for _, row in chunk] for name in names]

    def _chunks(self, lines: _Lines) -> Iterator[list[tuple[int, dict[str, object]]]]:
        chunk: list[tuple[int, dict[str, object]]] = []
        for row in self._rows(lines, _PLAIN):
            chunk.append(row)
            if len(chunk) == _ROWS:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _rows(
        self, lines: _Lines, decoder: json.JSONDecoder
    ) -> Iterator[tuple[int, dict[str, object]]]:
        """The objects, each with its line; blank lines are skipped."""
        try:
            for number, line in lines:
                if line.strip():
                    yield number, self._row(number, line, decoder)
        except UNREADABLE as error:
            raise cannot_read(self._path, error) from None
        except UnicodeDecodeError as error:
            raise DataError(f"{self._path}: not {self._encoding} text: {error}") from None

    def _blocks(
        self, columns: "Sequence[_JsonColumn]" = (), *, again: bool = False
    ) -> Iterator[JsonBlock | _Lines]:
        """Blocks of a large file that polars converts, and lines that are to be read strictly.

        Args:
            columns: A block that one of them does not take comes as lines.
            again: Whether the file was read before.
        """
        if self._encoding != _UTF_8 or not blocks_are_read():
            yield enumerate(self._lines(), start=1)
            return
        first, pending = 1, b""
        for read in self._read():
            text = some_lines(pending + read, b"\n", _ROWS) if read else pending
            pending = (pending + read)[len(text) :]
            block = None
            certain = first in self._kinds if again else first > 1 or len(read) == _BLOCK
            if text and certain:
                whole = text.rstrip(b"\n") + b"\n"  # for less, loading polars would take longer
                block = JsonBlock.of(whole, first, self._kinds.get(first))
            if block is not None and all(column.takes(block) for column in columns):
                yield block
            else:
                yield enumerate(io.BytesIO(text), start=first)
            first += text.count(b"\n")

    def _read(self) -> Iterator[bytes]:
        """The bytes of the file, and at its end none."""
        try:
            with open_unpacked(Path(self._path)) as file:
                while read := file.read(_BLOCK):
                    yield read
        except UNREADABLE as error:
            raise cannot_read(self._path, error) from None
        yield b""

    def _lines(self) -> Iterator[str | bytes]:
        """Bytes where lines can be told before they are decoded, so that errors have a line."""
        path = Path(self._path)
        if self._encoding == _UTF_8:
            with open_unpacked(path) as lines:
                yield from lines
        else:
            with open_text(path, self._encoding) as text:
                yield from text

    def _row(self, number: int, line: str | bytes, decoder: json.JSONDecoder) -> dict[str, object]:
        try:
            text = line if isinstance(line, str) else line.decode(_UTF_8)
            row = decoder.decode(text)
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
            raise DataError(f"{self._path}:{number}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DataError(
                f'{self._path}:{number}: expected an object, such as {{"a": 1}}, got '
                f"{text.strip()[:40]}"
            )
        return row


class _JsonColumn:
    """Collects the values of one key. numeric None: the first value decides."""

    def __init__(
        self,
        name: str,
        path: str,
        numeric: bool | None,
        cells: Collector,
        most_text: int | None,
    ) -> None:
        self.name, self._path, self._numeric, self._fixed = name, path, numeric, numeric is False
        self.types: set[type] = set()  # of the values, None left out
        self._cells = cells
        self._codes = TextCodes(name, path, most_text)

    def add(self, values: list[object], lines: list[int]) -> None:
        """The values of the next rows, and their lines."""
        if self._numeric is None:
            first = next((value for value in values if value is not None), None)
            self._numeric = None if first is None else not isinstance(first, str)
        types = {*map(type, values)} - {NoneType}
        self.types |= types
        if self._numeric is False:
            self._cells.append(np.array([*map(self._code, lines, values)], np.int32))
        else:
            # Of floats and None NumPy makes numbers and NaN at once.
            quick = types <= {float}
            numbers = np.array(values, np.float64) if quick else None
            if numbers is None or np.isinf(numbers).any():
                numbers = np.array([*map(self._number, lines, values)], np.float64)
            self._cells.append(numbers)

    def takes(self, block: JsonBlock) -> bool:
        """Whether all values of a block are of the column's kind."""
        kind = block.type_of(self.name)
        return kind is None or self._numeric is None or self._numeric == (kind is not str)

    def add_block(self, block: JsonBlock) -> None:
        """The values of a block that it takes."""
        kind = block.type_of(self.name)
        if kind is not None:
            self.types.add(kind)
            self._numeric = kind is not str
        if self._numeric is not False:
            self._cells.append(block.numbers(self.name))
            return
        values, places = block.texts(self.name)
        codes = [MISSING if value is None else self._codes[value] for value in values]
        self._cells.append(np.array(codes, np.int32)[places])

    def finish(self) -> Column:
        """Numbers (n,) with NaN where missing, or codes into the sorted texts."""
        if self._numeric is not False:
            return self._cells.numbers()
        return self._codes.category(self._cells, sorted(self._codes))

    def _number(self, line: int, value: object) -> float:
        if value is None:
            return np.nan
        if isinstance(value, int | float) and abs(value) <= _LARGEST:
            return float(value)
        raise self._wrong(line, value, "a number")

    def _code(self, line: int, value: object) -> int:
        if value is None:
            return MISSING
        if self._fixed and isinstance(value, int | float):
            if abs(value) > _LARGEST:
                raise self._wrong(line, value, "a finite number")
            whole = not isinstance(value, bool) and value == int(value)
            value = str(int(value)) if whole else json.dumps(value)
        if not isinstance(value, str):
            raise self._wrong(line, value, "a text")
        return self._codes[value]

    def _wrong(self, line: int, value: object, expected: str) -> DataError:
        shown = json.dumps(value)[:40]
        return DataError(
            f"{self._path}:{line}: column {self.name!r}: expected {expected}, as in the rows "
            f"before, got {shown}; correct it, or list the column under `categorical` or `ignore`"
        )


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice"
        )
    return row


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON number; write null where a value is missing")


# The first reading checks what the second, which is twice as fast, may take for granted.
_STRICT, _PLAIN = (
    json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse),
    json.JSONDecoder(),
)
