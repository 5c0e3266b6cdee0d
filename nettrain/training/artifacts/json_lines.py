"""A file with a row of figures an epoch, each one line of JSON: it only grows, and is cut when a run goes on from an earlier checkpoint."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nettrain.errors import RunError
from nettrain.training.artifacts.files import disk_errors, finite, write_atomically


class RowFile:
    """metrics.jsonl, diagnostics.jsonl."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """One complete line."""
        with disk_errors(self.path), open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(finite(row)) + "\n")

    def sync(self) -> None:
        """Force the rows to the disk: a checkpoint that counts them must not outlive them."""
        if self.path.exists():
            with disk_errors(self.path), open(self.path, "ab") as file:
                os.fsync(file.fileno())

    def cut(self, rows: int) -> None:
        """Keep the first rows, so that no epoch stands there twice after a resume; a torn last line goes too."""
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        if len(lines) < rows:
            raise RunError(
                f"{self.path}: has {len(lines)} rows, the checkpoint was written after {rows}: it was changed; train again"
            )
        if len(lines) > rows:
            write_atomically(self.path, b"".join(lines[:rows]))
