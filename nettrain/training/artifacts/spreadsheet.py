"""CSV that people open in a spreadsheet: no cell of it is a formula.

A cell that begins with = + - or @ is computed when the file is opened, and may then run a program
or send the rest of the sheet away. Such a text is written with an apostrophe before it, which
makes it a text there (OWASP, CSV Injection). Numbers, signed ones too, stay as they are.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from nettrain.data.readers.number_text import is_number, number_format

_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # and the full-width ones
_SIGNS = frozenset("+-")
_END = "\r\n"
# A phone number, a date: without letters there is nothing to call.
_HARMLESS = re.compile(r"[+-][\d\s.,:'()/%-]*", re.ASCII)


class CsvText:
    """Delimited text in UTF-8, with line feeds.

    None becomes an empty cell; true and false, lists and objects are written as in JSON.

    Args:
        delimiter: Between the cells.

    Attributes:
        guarded: How many cells were given an apostrophe, once the text is written.
    """

    def __init__(self, delimiter: str = ",") -> None:
        self._delimiter = delimiter
        self.guarded = 0

    def chunks(
        self, header: Sequence[str], blocks: Iterable[Sequence[Sequence[Any]]]
    ) -> Iterator[bytes]:
        """The header, and the lines of one block after the other.

        Args:
            header: The names of the columns.
            blocks: The values of each column, of some rows.
        """
        yield self._lines([[name] for name in header])
        for block in blocks:
            yield self._lines(block)

    def _lines(self, columns: Sequence[Sequence[Any]]) -> bytes:
        lines: list[str] = []
        # csv puts quotes around the line ends in a cell that occur in its own one
        writer = csv.writer(
            SimpleNamespace(write=lines.append), delimiter=self._delimiter, lineterminator=_END
        )
        writer.writerows(zip(*map(self._cells, columns), strict=True))
        text = "".join(f"{line.removesuffix(_END)}\n" for line in lines)
        return text.encode(errors="backslashreplace")  # half of a character: a lone surrogate

    def _cells(self, values: Sequence[Any]) -> Sequence[Any]:
        kinds = {*map(type, values)}
        if kinds <= {int, float}:
            return values
        return [self._cell(value) for value in values]

    def _cell(self, value: object) -> object:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str) and value[:1] in _STARTS and is_formula(value):
            self.guarded += 1
            return f"'{value}"
        if isinstance(value, list | dict):
            return json.dumps(value, ensure_ascii=False, default=str)
        return value


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A header and one line per row, as `CsvText` writes them."""
    return b"".join(CsvText().chunks(header, [list(zip(*rows, strict=True))]))


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute a text.

    Example:
        >>> [is_formula(text) for text in ("=1+1", "@SUM(A1)", "-2+A1", "-2,5", "+41 44 123", "-")]
        [True, True, True, False, False, False]
    """
    if text[:1] not in _STARTS:
        return False
    is_signed_number = is_number(text) or number_format(text) or _HARMLESS.fullmatch(text)
    return not (text[0] in _SIGNS and is_signed_number)
