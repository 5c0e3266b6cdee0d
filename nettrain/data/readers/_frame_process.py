"""The process that reads columnar files with polars, so that damage takes down this process alone.

Run as a script by `frames`. For each file it reads a JSON line with the path, the kind, a bound on
memory and the sheet of a spreadsheet (null: the first), and writes one with the names of the
columns, the number of rows and notes; it reads one with the columns that are wanted (null: none)
and how many rows are wanted at once. For each part of so many rows it writes one that describes
them, then their numbers as raw bytes: float64, or int32 codes of texts; behind the last part one
with 0 rows. For a list of columns it writes one with a size, then that many bytes: an Arrow file of
these columns as they are. A JSON line with the key `error` takes the place of an answer. The
process ends when it has been idle for some seconds.
"""

import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import polars

MISSING = -1  # the code of a missing text, as in nettrain.data.features
_IDLE = 5  # seconds
# Dates become texts, as text files hold them: times as they stand in their zone.
_DATES = {
    polars.Date: "%Y-%m-%d",
    polars.Datetime: "%Y-%m-%d %H:%M:%S",
    polars.Time: "%H:%M:%S",
}


class _Refused(Exception):
    """A column that cannot be learned from; the message says why."""


def main() -> None:
    """Answer for one file after the other on the standard streams."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _start_threads()
    while line := _next_line(requests):
        path, kind, memory, sheet = json.loads(line)
        _bound_memory(memory)
        try:
            file = _Spreadsheet(path, sheet) if kind == "excel" else _ColumnarFile(path, kind)
            _serve(file, requests, answers)
        except _Refused as error:
            _say(answers, {"error": str(error)})
        except polars.exceptions.PanicException as error:
            _say(answers, {"error": _damaged(error)})
            return  # who knows what a panic leaves behind
        except Exception as error:  # at damaged files polars raises errors of nearly every kind
            _say(answers, {"error": _damaged(error)})


def _start_threads() -> None:
    """Let polars start its threads, whose stacks a bound on memory is not to count."""
    file = io.BytesIO()
    polars.DataFrame({"a": [0]}).write_parquet(file)
    file.seek(0)
    polars.scan_parquet(file).select(polars.len()).collect()


class _ColumnarFile:
    """A Parquet or Arrow file, whose columns are read when they are wanted."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: str, kind: str) -> None:
        self._path, self._kind = path, kind
        with open(path, "rb") as file:
            self.names = list(getattr(polars, f"read_{kind}_schema")(file))
        self.rows = _promised_rows(path) if kind == "parquet" else 0

    def read(self, names: list[str]) -> Any:
        with open(self._path, "rb") as file:
            return getattr(polars, f"read_{self._kind}")(file, columns=names)

    def parts(self, names: list[str], rows: int) -> Iterator[Any]:
        scan = self._scan().select(names)
        total = scan.select(polars.len()).collect().item()
        if total <= rows:
            yield self.read(names)
            return
        for start in range(0, total, rows):
            yield scan.slice(start, rows).collect()

    def all_whole(self, name: str) -> bool:
        column = polars.col(name)
        return bool(self._scan().select((column == column.floor()).all()).collect().item())

    def _scan(self) -> Any:
        return getattr(polars, f"scan_{self._kind}")(self._path)


class _Spreadsheet:
    """A sheet, which is read whole: the type of a column is that of all of its cells."""

    def __init__(self, path: str, sheet: str | None) -> None:
        import fastexcel

        sheets = fastexcel.read_excel(path).sheet_names
        if sheet is not None and sheet not in sheets:
            raise _Refused(f"has no sheet {sheet!r} (there are: {', '.join(sheets)})")
        chosen = sheet or sheets[0]
        self.notes: tuple[str, ...] = ()
        if sheet is None and len(sheets) > 1:
            self.notes = (
                f"sheet {chosen!r} of {', '.join(map(repr, sheets))} (`sheet` names another)",
            )
        try:
            self._frame = polars.read_excel(
                path, sheet_name=chosen, engine="calamine", infer_schema_length=None
            )
        except polars.exceptions.NoDataError:
            raise _Refused(f"sheet {chosen!r} is empty") from None
        self.names, self.rows = self._frame.columns, len(self._frame)

    def read(self, names: list[str]) -> Any:
        return self._frame.select(names)

    def parts(self, names: list[str], rows: int) -> Iterator[Any]:
        yield from self.read(names).iter_slices(rows)

    def all_whole(self, name: str) -> bool:
        column = self._frame[name]
        return bool((column == column.floor()).all())


def _serve(file: _ColumnarFile | _Spreadsheet, requests: BinaryIO, answers: BinaryIO) -> None:
    _say(answers, {"names": file.names, "rows": file.rows, "notes": file.notes})
    wanted = json.loads(requests.readline() or "null")
    if wanted is None:
        return
    if isinstance(wanted, list):
        _write_as_is(file.read(wanted).select(wanted), answers)
        return
    kinds = wanted["columns"]
    booleans: list[str] = []
    whole: list[str] | None = None
    for frame in file.parts(list(kinds), wanted["part"]):
        if not len(frame):
            continue
        if whole is None:
            booleans = [name for name in kinds if frame[name].dtype == polars.Boolean]
            texts = [name for name, numeric in kinds.items() if numeric is False]
            floats = [name for name in texts if frame[name].dtype.is_float()]
            whole = [name for name in floats if file.all_whole(name)]
        columns = [
            _column(frame[name], numeric, whole=name in whole) for name, numeric in kinds.items()
        ]
        if any(len(numbers) != len(frame) for numbers, _ in columns):
            raise _Refused(_damaged(ValueError("its columns differ in length")))
        _say(answers, {"rows": len(frame), "texts": [texts for _, texts in columns]})
        for numbers, _ in columns:
            answers.write(numbers.data)
    _say(answers, {"rows": 0, "booleans": booleans})
    answers.flush()


def _write_as_is(frame: Any, answers: BinaryIO) -> None:
    file = io.BytesIO()
    frame.write_ipc(file)
    _say(answers, {"size": file.tell()})
    answers.write(file.getbuffer())
    answers.flush()


def _promised_rows(path: str) -> int:
    """How many rows the metadata of a Parquet file promise: few bytes may unpack to very many."""
    with open(path, "rb") as file:
        return int(polars.scan_parquet(file).select(polars.len()).collect().item())


def _next_line(requests: BinaryIO) -> bytes:
    end = threading.Timer(_IDLE, os._exit, (0,))
    end.daemon = True
    end.start()
    line = requests.readline()
    end.cancel()
    return line


def _bound_memory(memory: int) -> None:
    """Beyond the bound, allocations fail; there is none but on Linux."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _damaged(error: BaseException) -> str:
    reason = str(error).partition("\n")[0][:200] or type(error).__name__
    return f"cannot be read: {reason}; it is damaged, or not of the kind that its source says"


def _column(series: Any, numeric: bool | None, *, whole: bool) -> tuple[Any, list[str] | None]:
    """(numbers (n,) float64, None), or (codes (n,) int32, the sorted texts)."""
    written = _DATES.get(series.dtype.base_type())
    if written is not None:
        series = series.dt.to_string(written)
    texts = series.dtype in (polars.String, polars.Categorical, polars.Enum)
    if not (texts or series.dtype.is_numeric() or series.dtype in (polars.Boolean, polars.Null)):
        raise _Refused(
            f"column {series.name!r} holds values of type {series.dtype}; only numbers, truth "
            "values and texts can be learned from: list it under `ignore`, or write it as one of "
            "them"
        )
    present = series.drop_nulls()
    if texts and numeric and len(present):
        raise _Refused(
            f"column {series.name!r}: expected numbers, got texts such as {present[0]!r}; correct "
            "them"
        )
    if (texts and len(present)) or (not texts and numeric is False):
        return _codes(series if texts else _as_texts(series, whole=whole))
    if texts:  # all of them missing
        series = series.cast(polars.String).cast(polars.Float64, strict=False)
    return series.cast(polars.Float64).fill_null(float("nan")).to_numpy(writable=True), None


def _codes(series: Any) -> tuple[Any, list[str]]:
    texts = series.cast(polars.String)
    values = texts.drop_nulls().unique().sort().to_list()
    codes = texts.cast(polars.Enum(values)).to_physical().cast(polars.Int32).fill_null(MISSING)
    return codes.to_numpy(writable=True), values


def _as_texts(series: Any, *, whole: bool) -> Any:
    """Numbers as they are written: whole ones without a point, also where the file holds floats."""
    if whole:
        series = series.fill_nan(None).cast(polars.Int64)
    return series.cast(polars.String)


if __name__ == "__main__":
    main()
