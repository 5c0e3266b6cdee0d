"""Which source reads a file, told by its first bytes rather than its name."""

import zipfile
from pathlib import Path

from nettrain.data.readers.arrays import DAMAGED_ZIP
from nettrain.files import UNREADABLE, cannot_read, open_unpacked

_SIGNATURES = {
    "npy": b"\x93NUM",
    "parquet": b"PAR1",
    "arrow": b"ARRO",
    "jsonl": b"{",
}
_ZIP = b"PK\x03\x04"  # npz, and spreadsheets since 2007
_OLE = b"\xd0\xcf\x11\xe0"  # older spreadsheets
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff")


def file_kind(path: Path) -> str:
    """The name of the source that reads this file, looking into gzip.

    Returns:
        npz, npy, parquet, arrow, jsonl, excel, idx, images; csv for anything else.

    Raises:
        DataError: The file cannot be opened or unpacked, or is not a regular file.
    """
    try:
        with open_unpacked(path) as file:
            first = file.read(4)
    except UNREADABLE as error:
        raise cannot_read(path, error) from None
    if first == _ZIP:
        return "excel" if _holds_sheets(path) else "npz"
    if first == _OLE:
        return "excel"
    for kind, signature in _SIGNATURES.items():
        if first.startswith(signature):
            return kind
    if first.startswith(_IMAGES):
        return "images"
    return "idx" if len(first) == 4 and first[:2] == b"\0\0" and first[3] in range(1, 5) else "csv"


def _holds_sheets(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return not {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}.isdisjoint(
                archive.namelist()
            )
    except DAMAGED_ZIP:  # damaged: what its name says
        return path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods")
