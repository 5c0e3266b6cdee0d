"""What comes out of a run."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Result:
    """The outcome of one run; summary.json holds the same.

    Attributes:
        run_directory: Where its files are.
        stop_reason: `epochs`, `early_stopping`, or what a callback gave.
        epochs: Complete epochs.
        best_epoch: The epoch in which `monitor` was best; None where no metric chooses an epoch.
        seconds: Of training.
        metrics: By part, then by name: in evaluation mode, with the weights of the run.
        baseline: The same of a baseline that knows the targets of the training part alone.
        monitor: The metric that chose the best epoch: `validation_loss`.
        best_value: Its value in that epoch.
        weights: Which weights are those of the run: of the best epoch, or the last ones.
        notes: What was decided for the user, a sentence each.
        warnings: What went wrong, each with its epoch.
        diagnostics: The last epoch's statistics of each layer, where they were asked for.
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
