"""Predictions as the bytes of a file: CSV, JSON lines or Parquet, by its ending."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from nettrain.errors import ConfigError

Columns = Sequence[tuple[str, list[Any]]]


def as_csv(columns: Columns) -> bytes:
    """A header and a line per row."""
    from nettrain.inference.prediction_table import as_csv as csv_text

    return csv_text(columns).encode()


def as_json_lines(columns: Columns) -> bytes:
    """One JSON object per row; NaN and infinity, which JSON does not have, become null."""
    from nettrain.training.artifacts.files import finite

    names = [name for name, _ in columns]
    rows = zip(*(values for _, values in columns), strict=True)
    lines = (
        json.dumps(finite(dict(zip(names, row, strict=True))), ensure_ascii=False) for row in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


def as_parquet(columns: Columns) -> bytes:
    """A Parquet file, written by polars (extra `tables`)."""
    try:
        import polars
    except ImportError:
        raise ConfigError(
            'writing .parquet needs polars: pip install "nettrain[tables]", or write .csv or .jsonl'
        ) from None
    file = io.BytesIO()
    polars.DataFrame(dict(columns)).write_parquet(file)
    return file.getvalue()


WRITERS: dict[str, Callable[[Columns], bytes]] = {
    ".csv": as_csv,
    ".jsonl": as_json_lines,
    ".parquet": as_parquet,
}
