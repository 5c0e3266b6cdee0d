"""A run that has ended, told to a logger again from its directory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.config.load import load as load_config
from nettrain.config.logger import LoggedEnd, LoggedEpoch, LoggedRun, RunLog, Status
from nettrain.errors import NettrainError, RunError
from nettrain.inference.load import load
from nettrain.inference.model import Model
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.logged_run import logged_run

WORST = 16  # images with the largest losses


def runs_to_log(subject: Path) -> list[RecordedRun]:
    """The run at a path, or the trials of a sweep and its final run.

    Raises:
        RunError: There is no run that was trained, or one is still being trained.
    """
    record = RecordedRun.open(subject)
    if record.kind in ("cv", "ensemble"):
        raise RunError(
            f"{subject}: holds several runs; export each run directory in it, or a sweep as a whole"
        )
    found = list(_inside(record.path)) if record.kind == "sweep" else [record]
    running = [run.path for run in found if run.state == "running"]
    if running:
        raise RunError(f"{running[0]}: is still being trained; export it when it has ended")
    if not found:
        raise RunError(f"{subject}: holds no run that was trained")
    return found


def _inside(folder: Path) -> Iterator[RecordedRun]:
    for file in sorted(folder.rglob("environment.json")):
        yield RecordedRun(file.parent, "run")


def log_again(
    record: RecordedRun, open_log: Callable[[LoggedRun], RunLog], *, allow_plugins: bool
) -> LoggedRun:
    """Tell a log all that the directory of a run still knows.

    The weights are those of the run, at the last epoch; earlier ones are gone. Times are those of
    the epochs without the pauses before a resume.

    Args:
        record: The run.
        open_log: Opens its log.
        allow_plugins: Whether plugins of its configuration may be imported.

    Returns:
        What the log was told of the run.
    """
    model = _model(record, allow_plugins=allow_plugins)
    config = load_config(record.path / "config.yaml", allow_plugins=allow_plugins)
    layers, shape = (model.network.layers, model.pipeline.shape) if model else ((), ())
    run = logged_run(RunDirectory(record.path), config, layers, shape)
    log, rows, norms = open_log(run), record.epochs, _gradient_norms(record)

    def weights() -> dict[str, np.ndarray]:
        return dict(model.network.vector.views) if model else {}

    for i, row in enumerate(rows):
        last = i == len(rows) - 1
        found = norms.get(row["epoch"], {})
        log.epoch(
            LoggedEpoch(
                row,
                run.started + (row.get("seconds") or 0.0),
                weights if last else dict,
                lambda found=found: found,  # type: ignore[misc]
            )
        )
    ended = run.started + (rows[-1].get("seconds") or 0.0 if rows else 0.0)
    step = rows[-1]["step"] if rows else 0
    metrics = _metrics(record.summary) if record.state == "finished" else {}
    log.end(LoggedEnd(status_of(record), step, ended, metrics, weights, lambda: _worst(model)))
    return run


def _model(record: RecordedRun, *, allow_plugins: bool) -> Model | None:
    if not record.checkpoints:
        return None
    found = load(record.path, allow_plugins=allow_plugins)
    return found if isinstance(found, Model) else None


def status_of(record: RecordedRun) -> Status:
    """How a run or a sweep ended, as its files tell it."""
    state = record.state
    return "interrupted" if state == "running" else state


def _metrics(summary: dict[str, Any]) -> dict[str, float]:
    return {
        f"{part}_{name}": float(value)
        for part, found in summary["metrics"].items()
        for name, value in found.items()
        if value is not None
    }


def _gradient_norms(record: RecordedRun) -> dict[int, dict[str, float]]:
    """By epoch and layer, of a run with `diagnostics: true`."""
    return {
        row["epoch"]: {
            layer: found["gradient_norm"]
            for layer, found in row["layers"].items()
            if found.get("gradient_norm") is not None
        }
        for row in record.diagnostics
    }


def _worst(model: Model | None) -> np.ndarray | None:
    """The images with the largest losses; None without images, or where the data is gone."""
    if model is None or len(model.pipeline.shape) != 3:
        return None
    try:
        data = model.training_data
        part = "validation" if "validation" in data.rows else "train"
        dataset = data.part(part)
        losses = model.evaluate_dataset(dataset).losses
    except NettrainError:
        return None
    if losses is None:
        return None
    rows = np.argsort(-losses.values, kind="stable")[:WORST]
    images = dataset.take(rows).features.numbers
    return np.asarray(images[:]).reshape(len(rows), *model.pipeline.shape)


def outside_of_sweep(run: LoggedRun) -> LoggedRun:
    """A trial that is exported by itself is a run like any other."""
    return replace(run, name=run.directory.name, group=None, setting={})
