"""Which source reads a file, told by its name."""

from pathlib import PurePath

# How the names of files end, and which source reads them.
_ENDINGS = (
    {
        ".csv": "csv",
        ".tsv": "csv",
        ".txt": "csv",
        ".npz": "npz",
        ".npy": "npy",
        "-ubyte": "idx",
        ".idx": "idx",
    }
    | {
        ".parquet": "parquet",
        ".arrow": "arrow",
        ".feather": "arrow",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
    }
    | dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel")
    | {".png": "images", ".jpg": "images", ".jpeg": "images"}
)


def kind_by_name(name: str | PurePath) -> str | None:
    """The name of the source that reads files whose names end so, .gz aside; None: no source."""
    stem = PurePath(name).name.lower().removesuffix(".gz")
    return next((kind for ending, kind in _ENDINGS.items() if stem.endswith(ending)), None)
