"""What comes out of a run."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from nettrain.errors import ConfigError
from nettrain.files import read_text
from nettrain.training.html import curves, metrics_table, paragraph, warning_list

Library = Literal["pandas", "polars"]


@dataclass(frozen=True)
class Result:
    """The outcome of one run; summary.json holds the same (`summary`).

    Attributes:
        run_directory: Where its files are.
        stop_reason: `epochs`, `early_stopping`, or what a callback gave.
        epochs: Complete epochs.
        best_epoch: The epoch in which `monitor` was best; None where no metric chooses an epoch.
        seconds: Of training.
        metrics: By part, then by name: in evaluation mode, with the weights of the run.
        baseline: The same of a baseline that knows the targets of the training part alone; empty
            where the configuration leaves it out.
        monitor: The metric that chose the best epoch: `validation_loss`.
        best_value: Its value in that epoch.
        weights: Which weights are those of the run: of the best epoch, or the last ones.
        notes: What was decided for the user, a sentence each.
        warnings: What went wrong, each with its epoch.
        diagnostics: The last epoch's statistics of each layer, where they were asked for.
        added: What callbacks add to summary.json, by name: `Assessment` the intervals of the
            metrics and a linear model.
    """

    run_directory: str
    stop_reason: str
    epochs: int
    best_epoch: int | None
    seconds: float
    metrics: dict[str, dict[str, float]]
    baseline: dict[str, dict[str, float]]
    monitor: str | None = None
    best_value: float | None = None
    weights: Literal["best", "last"] = "best"
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    diagnostics: dict[str, dict[str, float]] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """What summary.json holds: the attributes, with what callbacks add beside them."""
        attributes = asdict(self)
        return attributes.pop("added") | attributes

    def metrics_frame(self, library: Library | None = None) -> Any:
        """The metrics as a DataFrame with the columns part, metric, value and baseline.

        Args:
            library: pandas or polars; None: pandas if it is installed, else polars.

        Raises:
            ConfigError: It is not installed.
        """
        rows = [
            {
                "part": part,
                "metric": name,
                "value": value,
                "baseline": self.baseline.get(part, {}).get(name),
            }
            for part, metrics in self.metrics.items()
            for name, value in metrics.items()
        ]
        return _frame(rows, library)

    def epochs_frame(self, library: Library | None = None) -> Any:
        """The rows of metrics.jsonl as a DataFrame: one per epoch, with losses and metrics.

        Args:
            library: As for `metrics_frame`.

        Raises:
            ConfigError: It is not installed.
        """
        return _frame(epoch_rows(self.run_directory), library)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        best = "" if self.best_epoch is None else f"; best epoch: {self.best_epoch}"
        head = f"{self.run_directory}: trained {self.epochs} epochs in {self.seconds:.2g} s{best}"
        return (
            paragraph(head)
            + metrics_table(self.metrics, self.baseline)
            + curves(epoch_rows(self.run_directory))
            + warning_list(self.warnings)
        )


def epoch_rows(run_directory: str | Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl; none where the file is gone or damaged."""
    rows: list[dict[str, Any]] = []
    with suppress(OSError, ValueError, RecursionError):
        text = read_text(Path(run_directory) / "metrics.jsonl")
        rows += [row for line in text.splitlines() if isinstance(row := json.loads(line), dict)]
    return rows


def _frame(rows: Sequence[Mapping[str, Any]], library: Library | None) -> Any:
    """Rows as a DataFrame."""
    wanted = ("pandas", "polars") if library is None else (library,)
    name = next((one for one in wanted if find_spec(one) is not None), None)
    if name is None:
        raise ConfigError(
            f"a DataFrame needs {' or '.join(wanted)}: pip install {wanted[0]}"
            + (', or pip install "nettrain[tables]" for polars' if library is None else "")
        )
    return import_module(name).DataFrame(rows)
