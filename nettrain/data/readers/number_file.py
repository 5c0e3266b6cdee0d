"""Rows of numbers and nothing else, separated by spaces or one character; plain or gzip."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from nettrain.errors import DataError
from nettrain.files import cannot_read


def read_numbers(path: Path, width: int, separator: str | None = None) -> np.ndarray:
    """(n, width) float64. separator None: spaces. Raises DataError with the line for rows of another width and what is no number."""
    rows: list[list[float]] = []
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                cells = (
                    line.split() if separator is None else line.strip().split(separator.encode())
                )
                if cells in ([], [b""]):
                    continue
                if len(cells) != width:
                    raise DataError(
                        f"{path}:{number}: {len(cells)} cells where {width} are expected; the file is damaged"
                    )
                try:
                    rows.append([float(cell) for cell in cells])
                except ValueError as error:
                    raise DataError(f"{path}:{number}: {error}; the file is damaged") from None
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None
    if not rows:
        raise DataError(f"{path}: no numbers in it")
    return np.array(rows)
