"""The winner's last run: trained on all rows but those of the test part, for as many epochs as it was best after, and tested once."""

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.config.run_config import RunConfig
from nettrain.data.readers.arrays import array_names, read_npz
from nettrain.data.split import Rows
from nettrain.schedules import MetricSchedule
from nettrain.search.cv.fold_configs import run_on_rows, write_rows
from nettrain.search.executors.base import Job
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.trial import Trial
from nettrain.search.sweep.trial_runs import TrialRuns

NAME = "final"


def final_job(sweep: Sweep, runs: TrialRuns, trial: Trial, folder: Path) -> Job:
    """The winner's last run, as a job that executors take: `final` in the sweep directory.

    A schedule that depends on `training.epochs` runs its whole course in the fewer epochs. There is no validation part to monitor.
    """
    path = write_rows(folder / f"{NAME}.npz", _rows(sweep, runs, trial, folder))
    epochs = max(1, round(fmean(trial.best_epochs)))
    group = runs.folds(trial.parameters).group if sweep.spec.cross_validation is not None else None
    config = load(
        run_on_rows(_unmonitored(sweep.config(trial.parameters)), path, group=group),
        allow_plugins=sweep.allow_plugins,
    )
    config = replace(config, training=replace(config.training, epochs=epochs), early_stopping=None)
    return Job(0, dict(to_mapping(config)), str(folder), NAME)  # type: ignore[call-overload]


def _unmonitored(config: RunConfig) -> RunConfig:
    """Without what needs a validation part."""
    if (config.training.monitor or "").startswith("validation_"):
        config = replace(config, training=replace(config.training, monitor=None))
    if isinstance(config.schedule, MetricSchedule) and (config.schedule.monitor or "").startswith(
        "validation_"
    ):
        config = replace(config, schedule=config.schedule.replace(monitor=None))
    return replace(config, dataset=replace(config.dataset, validation_source=None))


def _rows(sweep: Sweep, runs: TrialRuns, trial: Trial, folder: Path) -> Rows:
    """Training and validation rows as one part, and the test part. A validation part with a source of its own stays out."""
    if sweep.spec.cross_validation is not None:
        folds = runs.folds(trial.parameters)
        return {"train": folds.pool} | ({} if folds.test is None else {"test": folds.test})
    made = folder / trial.run_directory
    path = (made if runs.count == 1 else made / "repeat-1") / "splits.npz"
    rows = read_npz(path, {part: part for part in array_names(path)})
    own = (
        ["train"]
        if sweep.config(trial.parameters).dataset.validation_source is not None
        else ["train", "validation"]
    )
    merged = np.sort(np.concatenate([rows[part] for part in own if part in rows]))
    return {"train": merged} | {part: found for part, found in rows.items() if part == "test"}
