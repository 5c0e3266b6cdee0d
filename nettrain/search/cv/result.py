"""What comes of a cross-validation: the metrics of its folds, their mean and its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nettrain.config.run_config import RunConfig
from nettrain.inspection.statistics.corrected_t import estimate
from nettrain.metrics import bounds
from nettrain.search.cv.fold_configs import Folds
from nettrain.search.run_group import RunResult

SCORED = "test"  # the scored fold is the test part of its run


@dataclass(frozen=True)
class FoldResult:
    """One fold: its number (from 1) in its repeat, its run, the metrics of the rows it scores."""

    repeat: int
    fold: int
    run_directory: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class FinalResult:
    """The run on all folds: its epochs, and its metrics on the test part."""

    run_directory: str
    epochs: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class CrossValidation:
    """What came of a cross-validation.

    Attributes:
        mean, std, interval: Of each metric that all folds have; an interval has two ends.
        final: The run on all folds, where one was asked for.
        notes: What to keep in mind, a sentence each.
    """

    directory: str
    folds: list[FoldResult]
    mean: dict[str, float]
    std: dict[str, float]
    interval: dict[str, list[float]]
    final: FinalResult | None = None
    notes: list[str] = field(default_factory=list)


def summarize(
    divided: Folds,
    directories: Sequence[Path],
    results: Sequence[RunResult],
    path: Path,
    final: FinalResult | None,
    notes: list[str],
) -> CrossValidation:
    """The metrics of all folds, with mean, standard deviation and interval."""
    folds = [
        FoldResult(fold.repeat, fold.fold, str(directory), dict(result["metrics"][SCORED]))
        for fold, directory, result in zip(divided.folds, directories, results, strict=True)
    ]
    names = [
        name for name in folds[0].metrics if all(one.metrics.get(name) is not None for one in folds)
    ]
    of = {
        name: estimate(
            [one.metrics[name] for one in folds],
            divided.test_share,
            bounds=_bounds(divided.config, name),
        )
        for name in names
    }
    return CrossValidation(
        str(path),
        folds,
        mean={name: one.mean for name, one in of.items()},
        std={name: one.std for name, one in of.items()},
        interval={name: list(one.interval) for name, one in of.items()},
        final=final,
        notes=notes,
    )


def _bounds(config: RunConfig, metric: str) -> tuple[float, float]:
    """The range of a metric, or of the configured loss; each task's own loss is never negative."""
    if metric == "loss":
        return (0.0 if config.loss is None else config.loss.lower_bound, math.inf)
    return bounds(metric)
