"""Predictions as the bytes of a file: CSV, JSON lines, Parquet or Arrow, by its ending."""

import io
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from nettrain.cli.output_file import ending_of
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    import polars

    from nettrain.data.written_columns import Block

_GZIP = ".gz"
_GZIP_WINDOW = 31  # zlib's number for the format of gzip, without a time in it


class TableWriter(ABC):
    """Turns a table into the bytes of a file, some at a time.

    Attributes:
        note: What a reader of the file must know; known once it is written.
    """

    note: str | None = None

    @abstractmethod
    def chunks(self, names: Sequence[str], blocks: Iterable["Block"]) -> Iterator[bytes]:
        """The bytes.

        Args:
            names: Of the columns.
            blocks: The values of each column, of some rows.
        """


class DelimitedWriter(TableWriter):
    """A header and a line per row; no cell is a formula."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter

    def chunks(self, names: Sequence[str], blocks: Iterable["Block"]) -> Iterator[bytes]:
        """The header, then the lines of each block."""
        from nettrain.training.artifacts.spreadsheet import CsvText

        text = CsvText(self._delimiter)
        yield from text.chunks(names, map(_python_values, blocks))
        if text.guarded:
            self.note = (
                "texts that begin as a formula does (= + - @) are written behind an apostrophe, so "
                f"that no spreadsheet computes them (cells like that: {text.guarded:,}); .jsonl "
                "and .parquet hold them as they are"
            )


class JsonLinesWriter(TableWriter):
    """One JSON object per row; NaN and infinity, which JSON does not have, become null."""

    def chunks(self, names: Sequence[str], blocks: Iterable["Block"]) -> Iterator[bytes]:
        """The lines of each block."""
        for block in blocks:
            rows = zip(*_python_values(block), strict=True)
            lines = (_json(dict(zip(names, row, strict=True))) for row in rows)
            yield _encoded("".join(f"{line}\n" for line in lines))


class PolarsWriter(TableWriter):
    """A columnar file, written by polars (extra `tables`).

    Args:
        kind: parquet, or ipc for Arrow.
    """

    def __init__(self, kind: str) -> None:
        if find_spec("polars") is None:
            raise ConfigError(
                f"writing .{'parquet' if kind == 'parquet' else 'arrow'} needs polars: pip install "
                '"nettrain[tables]", or write .csv or .jsonl'
            )
        self._kind = kind

    def chunks(self, names: Sequence[str], blocks: Iterable["Block"]) -> Iterator[bytes]:
        """All bytes at once: such files end with what describes them."""
        import polars

        frames = [_frame(names, block) for block in blocks]
        frame = polars.concat(frames, how="vertical_relaxed")  # a block may hold no value at all
        file = io.BytesIO()
        if self._kind == "parquet":
            frame.write_parquet(file)
        else:
            frame.write_ipc(file, compat_level=polars.CompatLevel.oldest())  # for older readers
        yield file.getvalue()


_WRITERS: dict[str, Callable[[], TableWriter]] = {
    ".csv": partial(DelimitedWriter, ","),
    ".tsv": partial(DelimitedWriter, "\t"),
    ".jsonl": JsonLinesWriter,
    ".parquet": partial(PolarsWriter, "parquet"),
    ".arrow": partial(PolarsWriter, "ipc"),
    ".feather": partial(PolarsWriter, "ipc"),
}
_PACKED = tuple(f"{text}{_GZIP}" for text in (".csv", ".tsv", ".jsonl"))
ENDINGS = (*_WRITERS, *_PACKED)


class _Packed(TableWriter):
    """The bytes of another writer as gzip."""

    def __init__(self, writer: TableWriter) -> None:
        self._writer = writer

    def chunks(self, names: Sequence[str], blocks: Iterable["Block"]) -> Iterator[bytes]:
        """The bytes; the same ones for the same table."""
        packing = zlib.compressobj(wbits=_GZIP_WINDOW)
        for chunk in self._writer.chunks(names, blocks):
            yield packing.compress(chunk)
        yield packing.flush()
        self.note = self._writer.note


def writer_for(path: Path | None) -> TableWriter:
    """What writes a file, by its ending; CSV for stdout, and for a device, which has none.

    Raises:
        ConfigError: polars is needed and not installed.
    """
    ending = (path and ending_of(path, ENDINGS)) or ".csv"
    if ending in _PACKED:
        return _Packed(_WRITERS[ending.removesuffix(_GZIP)]())
    return _WRITERS[ending]()


def _python_values(block: "Block") -> list[list[Any]]:
    return [values if isinstance(values, list) else values.to_list() for values in block]


def _json(value: object) -> str:
    from nettrain.training.artifacts.files import finite

    try:
        return _ENCODER.encode(value)
    except ValueError:  # NaN or infinity
        return _ENCODER.encode(finite(value))


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str)  # dates as texts


def _frame(names: Sequence[str], block: "Block") -> "polars.DataFrame":
    import polars

    return polars.DataFrame(
        [
            values.alias(name) if isinstance(values, polars.Series) else _series(name, values)
            for name, values in zip(names, block, strict=True)
        ]
    )


def _series(name: str, values: list[Any]) -> "polars.Series":
    """Values of one type; others, which a column of JSON may hold, become texts as in JSON."""
    import polars

    kinds = {*map(type, values)} - {NoneType}
    if kinds <= {int, float} or kinds in ({str}, {bool}):
        try:
            return polars.Series(name, values, polars.Float64 if float in kinds else None)
        except (OverflowError, TypeError, UnicodeEncodeError):
            pass  # an integer of more than 128 bits, half of a character
    texts = (one if one is None or isinstance(one, str) else _json(one) for one in values)
    return polars.Series(name, [one and _encoded(one).decode() for one in texts], polars.String)


def _encoded(text: str) -> bytes:
    """UTF-8; half of a character (a lone surrogate), which JSON may hold, as JSON escapes it."""
    return text.encode(errors="backslashreplace")
