"""JSON-lines files: one row per epoch; they only grow, and are cut when a run is resumed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nettrain.errors import RunError
from nettrain.files import read_bytes
from nettrain.training.artifacts.files import (
    append_line,
    disk_errors,
    finite,
    open_for_appending,
    write_atomically,
)


class JsonLines:
    """metrics.jsonl, diagnostics.jsonl."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one complete line."""
        append_line(self.path, json.dumps(finite(row)))

    def sync(self) -> None:
        """Force the rows to the disk: a checkpoint that counts them must not outlive them."""
        if self.path.exists():
            with disk_errors(self.path), open_for_appending(self.path) as file:
                os.fsync(file.fileno())

    def cut(self, rows: int) -> None:
        """Keep the first rows, so that no epoch is there twice after a resume.

        A torn last line goes too. Raises RunError where there are fewer rows, or none can be read.
        """
        try:
            lines = read_bytes(self.path).splitlines(keepends=True) if self.path.exists() else []
        except OSError as error:
            raise RunError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        if len(lines) < rows:
            raise RunError(
                f"{self.path}: has {len(lines)} rows, the checkpoint was written after {rows}: it "
                "was changed; train again"
            )
        if len(lines) > rows:
            write_atomically(self.path, b"".join(lines[:rows]))
