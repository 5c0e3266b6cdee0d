"""Text files decoded: plain or gzip, the encoding told by a byte-order mark where there is one."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr, TextIO

from nettrain.errors import ConfigError, DataError
from nettrain.files import UNREADABLE, cannot_read, open_unpacked

_MARKS = {  # UTF-32's begins as UTF-16's does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def encoding_of(path: Path, encoding: str) -> tuple[str, str | None]:
    """The encoding that a byte-order mark names, else the given one; and a note if they differ.

    Raises DataError where the file cannot be read.
    """
    try:
        with open_unpacked(path) as file:
            first = file.read(4)
    except UNREADABLE as error:
        raise cannot_read(path, error) from None
    marked = next((name for mark, name in _MARKS.items() if first.startswith(mark)), None)
    if marked is None or encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return encoding, None
    return (
        marked,
        f"encoding: {marked}, as the byte-order mark of {path.name} says",
    )


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, unpacked where it is gzip; line ends stay as they are."""
    codecs.lookup(encoding)  # before the file is open
    return io.TextIOWrapper(open_unpacked(path), encoding=encoding, newline="")


def some_lines(text: AnyStr, end: AnyStr, multiple: int) -> AnyStr:
    """The beginning of a text, a multiple of so many lines; empty where it has fewer.

    Args:
        text: Lines, the last of which may be cut.
        end: Of a line.
        multiple: Of which the number of lines is to be one.
    """
    count, cut = text.count(end), len(text)
    if count < multiple:
        return text[:0]
    for _ in range(count % multiple + 1):
        cut = text.rfind(end, 0, cut)
    return text[: cut + len(end)]


@contextmanager
def decoding(path: Path, encoding: str) -> Iterator[None]:
    """Says in the user's terms what goes wrong when a text file is read.

    Raises:
        DataError: The file cannot be opened, unpacked or decoded.
        ConfigError: There is no such encoding.
    """
    try:
        yield
    except UnicodeError:
        raise DataError(
            f"{path}{_undecodable_line(path, encoding)}: not {encoding.removesuffix('-sig')} text; "
            "set the source's `encoding` (often latin-1 or cp1252)"
        ) from None
    except LookupError:
        raise ConfigError(
            f"dataset.source.encoding: there is no encoding {encoding!r}; try utf-8, latin-1, "
            "cp1252 or utf-16"
        ) from None
    except UNREADABLE as error:
        raise cannot_read(path, error) from None


def check_no_nul(path: Path, sample: str) -> None:
    """Raises DataError for NUL characters, which show that the encoding is another, or no text."""
    place = sample.find("\0")
    if place < 0:
        return
    even, odd = sample[::2].count("\0"), sample[1::2].count("\0")
    likely = max(even, odd) > len(sample) // 4
    remedy = (
        f"set the source's `encoding`, probably utf-16-{'le' if odd > even else 'be'}"
        if likely
        else "it may not be a text file, or its `encoding` is another"
    )
    line = sample.count("\n", 0, place) + 1
    raise DataError(f"{path}:{line}: holds NUL characters, which text does not; {remedy}")


def _undecodable_line(path: Path, encoding: str) -> str:
    """`:12`, the first line that does not decode; "" where only decoding tells lines apart."""
    with open_unpacked(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f":{number}"
    return ""
