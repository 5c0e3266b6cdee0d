"""Rows of numbers and nothing else, separated by spaces or one character; plain or gzip."""

from pathlib import Path

import numpy as np

from nettrain.errors import DataError
from nettrain.files import UNREADABLE, cannot_read, open_unpacked


def read_numbers(path: Path, width: int, separator: str | None = None) -> np.ndarray:
    """The numbers of a file, (n, width) float64; blank lines are skipped.

    Args:
        path: The file.
        width: How many numbers every row has.
        separator: Between them; None: spaces.

    Raises:
        DataError: With the line, for a row of another width and what is not a number.
    """
    rows: list[list[float]] = []
    try:
        with open_unpacked(path) as lines:
            for number, line in enumerate(lines, start=1):
                text = line.strip()
                if not text:
                    continue
                cells = text.split(None if separator is None else separator.encode())
                if len(cells) != width:
                    raise DataError(
                        f"{path}:{number}: {len(cells)} cells where {width} are expected; the file "
                        "is damaged"
                    )
                try:
                    rows.append([float(cell) for cell in cells])
                except ValueError as error:
                    raise DataError(f"{path}:{number}: {error}; the file is damaged") from None
    except UNREADABLE as error:
        raise cannot_read(path, error) from None
    if not rows:
        raise DataError(f"{path}: no numbers in it")
    return np.array(rows)
