"""Which source reads a file, told from its first bytes rather than its name."""

import gzip
import zlib
from pathlib import Path

from nettrain.errors import DataError

_BEGINNINGS = {
    "npz": b"PK\x03\x04",
    "npy": b"\x93NUM",
    "parquet": b"PAR1",
    "arrow": b"ARRO",
    "jsonl": b"{",
}
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff")


def file_kind(path: Path) -> str:
    """npz, npy, parquet, arrow, jsonl, idx, images, or csv for anything else, looking into gzip. DataError if it cannot be opened."""
    try:
        with path.open("rb") as file:
            first = file.read(4)
        if first[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                first = packed.read(4)
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None
    for kind, beginning in _BEGINNINGS.items():
        if first.startswith(beginning):
            return kind
    if first.startswith(_IMAGES):
        return "images"
    return "idx" if len(first) == 4 and first[:2] == b"\0\0" and first[3] in range(1, 5) else "csv"


def cannot_read(path: Path | str, error: Exception) -> DataError:
    """The error for a file that is absent, a directory, not permitted, or damaged gzip."""
    if isinstance(error, FileNotFoundError):
        where = "relative ones count from the config's folder, with --set from the current one"
        return DataError(f"{path}: no such file; check the path ({where})")
    reason = (
        error.strerror
        if isinstance(error, OSError) and error.strerror
        else str(error) or type(error).__name__
    )
    return DataError(f"{path}: cannot be read: {reason[0].lower()}{reason[1:]}")
