"""`compare`: runs side by side, and whether their differences are real or chance."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from nettrain.config.plugins import in_use
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError, NettrainError, RunError
from nettrain.inference.load import load
from nettrain.inference.predictor import Evaluation, Predictor
from nettrain.inspection.compare_folds import compare_folds
from nettrain.inspection.comparison import (
    ComparedRun,
    Comparison,
    Difference,
    Interval,
    adjusted,
)
from nettrain.inspection.config_difference import config_differences
from nettrain.inspection.directory_kind import CALLED
from nettrain.inspection.intervals import metric_intervals, resampled_metrics
from nettrain.inspection.recorded_run import RecordedRun, open_run
from nettrain.inspection.statistics.bootstrap import difference_p_value, percentile_interval
from nettrain.inspection.statistics.mcnemar import mcnemar_exact, mcnemar_interval
from nettrain.metrics import Outcome, RowLosses, ShareMetric, metrics_of

RESAMPLES = 2000
PARTS = ("train", "validation", "test")
UNFINISHED = {
    "interrupted": "was interrupted",
    "diverged": "diverged",
    "running": "is still being trained",
}


def compare(
    runs: Sequence[str | os.PathLike[str]],
    *,
    part: str = "test",
    allow_plugins: bool = False,
) -> Comparison:
    """Compare runs (ensembles too) on the same rows, or cross-validations over the same folds.

    Shares of right rows are compared by McNemar's exact test, other metrics by the paired
    bootstrap, folds by the corrected resampled t-test. p values of more than one pair are
    corrected by Holm's method within each metric. Runs whose rows or data differ are shown, but
    not tested: `notes` says so.

    Args:
        runs: Two or more directories.
        part: test, validation or train.
        allow_plugins: Whether the Python files that the configurations name may be imported.

    Raises:
        RunError: Fewer than two directories, one named twice, a sweep, or runs beside
            cross-validations.
        ConfigError: There is no such part.
    """
    if part not in PARTS:
        raise ConfigError(f"--part {part}: expected one of {', '.join(PARTS)}")
    records = _records([Path(run) for run in runs])
    if records[0].kind == "cv":
        return compare_folds(records)
    notes: list[str] = []
    loader = Loader()
    with ExitStack() as plugins:
        measured = [_measured(one, part, allow_plugins, loader, notes) for one in records]
        for one in measured:
            if one.predictor is not None:
                plugins.enter_context(in_use(one.predictor.config.plugins))
        pairs = [
            difference
            for first, second in combinations(measured, 2)
            for difference in _tested(first, second, notes)
        ]
    return Comparison(
        part, [one.run for one in measured], config_differences(records), adjusted(pairs), notes
    )


@dataclass(frozen=True)
class _Measured:
    run: ComparedRun
    predictor: Predictor | None = None
    evaluation: Evaluation | None = None
    rows: np.ndarray | None = None


def _records(paths: Sequence[Path]) -> list[RecordedRun]:
    if len(paths) < 2:
        raise RunError("compare: name two runs or more")
    seen: dict[Path, Path] = {}
    for path in paths:
        if path.resolve() in seen:
            raise RunError(f"{path}: is named twice; compare it with another run")
        seen[path.resolve()] = path
    records = [RecordedRun.open(path) for path in paths]
    for record in records:
        if record.kind == "sweep":
            open_run(record.path)  # says which of its runs could be named
    folds = [record for record in records if record.kind == "cv"]
    if folds and len(folds) < len(records):
        other = next(record for record in records if record.kind != "cv")
        raise RunError(
            f"{folds[0].path}: is {CALLED['cv']}, {other.path} is {CALLED[other.kind]}: their "
            "metrics are of other rows; compare runs with runs, cross-validations with each other"
        )
    return records


def _measured(
    record: RecordedRun, part: str, allow_plugins: bool, loader: Loader, notes: list[str]
) -> _Measured:
    """A run measured on its part; from its summary alone where model or data cannot be had."""
    path, state = str(record.path), record.state
    try:
        predictor = load(record.path, allow_plugins=allow_plugins, loader=loader)
        parts = predictor.training_data
        if part not in parts.rows:
            notes.append(f"{path}: has no {part} part")
            return _Measured(ComparedRun(path, state, None, {}, {}))
        if predictor.data_changed:
            raise RunError("the data has changed since training")
        evaluation = predictor.evaluation(parts.part(part))
        if state != "finished":
            notes.append(f"{path}: {UNFINISHED[state]}; its best checkpoint so far is shown")
    except NettrainError as error:
        metrics = (record.summary.get("metrics") or {}).get(part) or {}
        shown = "its metrics are those of its summary" if metrics else "nothing of it can be shown"
        notes.append(f"{path}: cannot be measured again ({error}); {shown}")
        return _Measured(ComparedRun(path, state, None, metrics, {}))
    with in_use(predictor.config.plugins):
        intervals = metric_intervals(evaluation.metrics, evaluation.outcome, evaluation.losses)
    rows = parts.rows[part]
    run = ComparedRun(path, state, len(rows), evaluation.metrics, intervals)
    return _Measured(run, predictor, evaluation, rows)


def _tested(first: _Measured, second: _Measured, notes: list[str]) -> list[Difference]:
    """The differences of two runs in every metric of both; none, and a note, where rows differ."""
    a, b = first.evaluation, second.evaluation
    if a is None or b is None:
        return []
    reason = _incomparable(first, second)
    if reason is not None:
        notes.append(f"{first.run.path} and {second.run.path} are not tested: {reason}")
        return []
    both = [_in_row_order(one.rows, evaluated) for one, evaluated in ((first, a), (second, b))]
    outcomes = [outcome for outcome, _ in both]
    losses = [row_losses for _, row_losses in both] if _same_loss(first, second) else [None, None]
    names = [
        name
        for name in a.metrics
        if name in b.metrics and (name != "loss" or losses[0] is not None)
    ]
    known = {name: one for name, one in metrics_of(outcomes[0]).items() if name in names}
    samples = [
        resampled_metrics(known, outcome, row_losses, resamples=RESAMPLES)
        for outcome, row_losses in zip(outcomes, losses, strict=True)
    ]
    found = []
    for name in names:
        metric = known.get(name)
        apart = samples[1][name] - samples[0][name] if name in samples[0] else np.empty(0)
        test, p_value, interval = (
            _mcnemar(*(metric.right(outcome) for outcome in outcomes))
            if isinstance(metric, ShareMetric)
            else ("paired bootstrap", difference_p_value(apart), percentile_interval(apart))
        )
        difference = b.metrics[name] - a.metrics[name]
        pair = (first.run.path, second.run.path)
        found.append(Difference(name, *pair, difference, interval, p_value, None, test))
    return found


def _in_row_order(
    rows: np.ndarray | None, evaluation: Evaluation
) -> tuple[Outcome, RowLosses | None]:
    """Outcome and losses in the order of the rows' numbers, which two runs share."""
    order = np.argsort(rows if rows is not None else [], kind="stable")
    losses = evaluation.losses
    return evaluation.outcome.take(order), None if losses is None else losses.take(order)


def _mcnemar(
    first: np.ndarray | None, second: np.ndarray | None
) -> tuple[str, float | None, Interval | None]:
    """The test of two shares of right rows: its name, p value, interval of the difference."""
    name = "McNemar exact"
    if first is None or second is None:
        return name, None, None
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    interval = mcnemar_interval(only_first, only_second, len(first))
    return name, mcnemar_exact(only_first, only_second), interval


def _incomparable(first: _Measured, second: _Measured) -> str | None:
    """Why a paired test of two runs would say nothing; None where it is sound."""
    a, b = first.predictor, second.predictor
    if a is None or b is None or first.rows is None or second.rows is None:
        return "one of them cannot be measured"
    if a.task != b.task:
        return f"their tasks differ ({a.task}, {b.task})"
    if a.fingerprint != b.fingerprint:
        return "their data differs (other fingerprints)"
    if a.classes != b.classes or a.schema.targets != b.schema.targets:
        return "their targets differ"
    if not np.array_equal(np.sort(first.rows), np.sort(second.rows)):
        shared = len(np.intersect1d(first.rows, second.rows))
        return (
            f"their rows differ ({shared} of {len(first.rows)} are shared); train both with the "
            "same dataset.seed and dataset.split"
        )
    return None


def _same_loss(first: _Measured, second: _Measured) -> bool:
    """Whether the losses of two runs measure the same, so that their difference means something."""
    a, b = first.predictor, second.predictor
    return (
        a is not None
        and b is not None
        and a.loss == b.loss
        and a.config.training.class_weights == b.config.training.class_weights
        and a.config.dataset.target_transforms == b.config.dataset.target_transforms
    )
