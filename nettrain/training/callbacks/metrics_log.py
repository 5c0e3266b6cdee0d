"""metrics.jsonl: one row per epoch."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from nettrain.component import Index
from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run


class MetricsLog(Callback):
    """Appends each epoch's row; on a resume it first cuts the file to the checkpoint's rows."""

    def __init__(self) -> None:
        self.rows = 0

    def begin(self, run: Run) -> None:
        """Cut what came after the checkpoint."""
        if run.directory is not None:
            run.directory.metrics.cut(self.rows)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Append."""
        if run.directory is not None:
            run.directory.metrics.append(row)
            self.rows += 1

    def state(self) -> dict[str, Any]:
        """The number of rows."""
        return {"rows": self.rows}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The number of rows."""
        self.rows = TypeAdapter(Index).validate_python(state["rows"])
