"""Tables in columnar files (Parquet, Arrow) and spreadsheets, read with polars.

polars comes with the extra `tables`. A damaged file can make it abort the process that reads it, so
a process of its own does.
"""

import atexit
import io
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.data.collect import Cells, InMemory, Store, TextCodes
from nettrain.data.features import MISSING
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.written_columns import Block
from nettrain.errors import ConfigError, DataError
from nettrain.files import (
    LIMIT_KEY,
    cannot_read,
    check_memory,
    check_unpacked,
    open_regular,
    unpacked_limit,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PIPE = 2**20  # bytes
_SCRIPT = Path(__file__).with_name("_frame_process.py")
_COPIES = 4  # of a file's columns that live at once while they are converted
_PART = 2**25  # bytes of a file that is read in parts, for the disk
_ALL = 2**62  # rows
_ROWS = 16384  # of a block of `written`


class FrameTable(OpenTable):
    """A columnar file, its columns named by a process that waits to read them.

    Numbers and truth values become numbers, texts and dates categories; null and NaN are missing.

    Args:
        path: The file.
        kind: What polars calls its format: parquet, ipc or excel.
        sheet: Of a spreadsheet; None: the first.

    Raises:
        DataError: The file is damaged, or a column holds anything else (lists).
        ConfigError: polars is not installed.
    """

    def __init__(self, path: str, kind: str, sheet: str | None = None) -> None:
        super().__init__()
        for package in ("polars", "fastexcel") if kind == "excel" else ("polars",):
            if find_spec(package) is None:
                raise ConfigError(
                    f"dataset.source: {path}: such files are read with {package}, which is not "
                    'installed: pip install "nettrain[tables]"'
                )
        self.place = self._path = path
        self._kind, self._sheet = kind, sheet
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise cannot_read(path, error) from None
        self._size, self._limit = size, unpacked_limit(size)
        self._reader, answer = _open([path, kind, self._limit * _COPIES, sheet])
        self._release = weakref.finalize(self, _decline, self._reader)
        schema = self._checked(answer)
        self.names, self._promised_rows = tuple(schema["names"]), schema["rows"]
        self.notes += schema["notes"]

    def read(
        self, names: Sequence[str], numeric: dict[str, bool], store: Store
    ) -> tuple[dict[str, Column], Cells | None]:
        """The named columns, once; rows have no lines."""
        columns = {name: numeric.get(name) for name in names}
        whole = isinstance(store, InMemory)
        if whole:
            check_unpacked(self._path, self._size, 8 * self._promised_rows * len(columns))
        self._release.detach()
        part = _ALL if whole else max(_PART // (8 * max(len(columns), 1)), 1)
        answer = self._checked(self._reader.ask({"columns": columns, "part": part}))
        collected = [
            (name, cells, TextCodes(name, self._path, store.most_text))
            for name, cells in zip(columns, store.collectors(len(columns)), strict=True)
        ]
        categories: set[str] = set()
        total = 0
        while rows := answer["rows"]:
            total += rows
            check_memory(self._path, 8 * rows * len(columns))
            for (name, cells, codes), texts in zip(collected, answer["texts"], strict=True):
                found = self._received(rows, is_text=texts is not None)
                if texts is not None:
                    categories.add(name)
                    found = np.array([*(codes[text] for text in texts), MISSING], np.int32)[found]
                cells.append(found)
            answer = self._checked(self._reader.answer())
        self.booleans = frozenset(answer["booleans"])
        _IDLE.append(self._reader)
        if not total:
            raise DataError(
                f"{self._path}: columns ({', '.join(self.names[:20])}) and no rows in them"
            )
        return {
            name: codes.category(cells, sorted(codes)) if name in categories else cells.numbers()
            for name, cells, codes in collected
        }, None

    def written(self, names: Sequence[str]) -> Iterator[Block]:
        """Series of polars, whose types are those of the file."""
        import polars

        # opened again: a process that has waited through a long prediction may have ended
        content = FrameTable(self._path, self._kind, self._sheet)._arrow_file(names)
        for block in polars.read_ipc(io.BytesIO(content)).iter_slices(_ROWS):
            yield block.get_columns()

    def _arrow_file(self, names: Sequence[str]) -> bytearray:
        """An Arrow file of the named columns, which the process writes and so is sound."""
        self._release.detach()
        size = self._checked(self._reader.ask(list(names)))["size"]
        check_memory(self._path, size)
        content = bytearray(size)
        if not self._reader.fill(np.frombuffer(content, np.uint8)):
            raise self._ended()
        _IDLE.append(self._reader)
        return content

    def _received(self, rows: int, *, is_text: bool) -> np.ndarray:
        """The next column: numbers, or codes of texts."""
        found = np.empty(rows, np.int32 if is_text else np.float64)
        if not self._reader.fill(found):
            raise self._ended()
        return found

    def _checked(self, answer: dict[str, Any] | None) -> dict[str, Any]:
        """An answer. Raises DataError where it is an error, and where the process has ended."""
        if answer is None:
            raise self._ended()
        if "error" in answer:
            self._release.detach()
            _IDLE.append(self._reader)
            raise DataError(f"{self._path}: {answer['error']}")
        return answer

    def _ended(self) -> DataError:
        self._release.detach()
        code = self._reader.end()
        reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return DataError(
            f"{self._path}: cannot be read: polars fails at it ({reason}); it is damaged, not of "
            f"the kind that its source says, or unpacks to more than {self._limit / 1e9:.3g} GB, a "
            f"limit that {LIMIT_KEY} in the environment sets"
        )


class _Reader:
    """The process that reads: it is asked in JSON lines, and answers so, or not at all."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where polars tells of its panics
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        with suppress(AttributeError, OSError):  # Linux: larger chunks, fewer switches
            fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, _PIPE)

    def ask(self, request: object) -> dict[str, Any] | None:
        """The answer to a request; None where the process has ended."""
        self.tell(request)
        return self.answer()

    def answer(self) -> dict[str, Any] | None:
        """The next answer; None where the process has ended."""
        line = self._answers.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def tell(self, request: object) -> None:
        """Send a request. That the process has ended shows when its answer is read."""
        with suppress(BrokenPipeError):
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()

    def fill(self, numbers: np.ndarray) -> bool:
        """Fill an array with the next raw bytes; False where they end too early."""
        rest = numbers.data.cast("B") if numbers.size else memoryview(b"")
        while len(rest):
            count = self._answers.readinto(rest)  # type: ignore[attr-defined]
            if not count:
                return False
            rest = rest[count:]
        return True

    def end(self) -> int:
        """Close the pipes, upon which the process ends; gives its exit code."""
        for pipe in (self._requests, self._answers):
            with suppress(BrokenPipeError):
                pipe.close()
        return self._process.wait()


_IDLE: list[_Reader] = []  # processes that wait for a file, some seconds long


def _open(request: object) -> tuple[_Reader, dict[str, Any] | None]:
    """A process that has looked at the file, and its answer. Some that wait may have ended."""
    while _IDLE:
        reader = _IDLE.pop()
        answer = reader.ask(request)
        if answer is not None:
            return reader, answer
        reader.end()
    reader = _Reader()
    return reader, reader.ask(request)


def _decline(reader: _Reader) -> None:
    """The columns are not wanted."""
    reader.tell(None)
    _IDLE.append(reader)


def _end_idle() -> None:
    while _IDLE:
        _IDLE.pop().end()


atexit.register(_end_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDLE.clear)  # they answer to the parent
