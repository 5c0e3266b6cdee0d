"""The final run of a sweep: the winner on all rows but those of the test part, tested once."""

from pathlib import Path

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.data.readers.arrays import array_names, read_npz
from nettrain.data.split import Rows
from nettrain.search.cv.fold_configs import run_on_rows, write_rows
from nettrain.search.executors.base import Job
from nettrain.search.final_run import NAME, final_config
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.trial import Trial
from nettrain.search.sweep.trial_runs import TrialRuns


def final_job(sweep: Sweep, runs: TrialRuns, trial: Trial, folder: Path) -> tuple[Job, list[str]]:
    """The winner's final run, `final` in the sweep directory, and what was decided for it."""
    given = sweep.config(trial.parameters)
    own_validation = given.dataset.validation_source is not None
    if sweep.spec.cross_validation is None:
        rows, chose_epochs = _rows(runs, trial, folder, own_validation=own_validation)
        chose_epochs |= given.early_stopping is not None
        group = None
    else:
        folds = runs.folds(trial.parameters)
        parts = {"train": folds.pool, "validation": folds.validation, "test": folds.test}
        rows = {part: of_part for part, of_part in parts.items() if of_part is not None}
        chose_epochs, group = folds.chooses_epochs, folds.group
    config, notes = final_config(
        given, trial.best_epochs, own_validation=own_validation, chose_epochs=chose_epochs
    )
    path = write_rows(folder / f"{NAME}.npz", rows)
    complete = load(run_on_rows(config, path, group=group), allow_plugins=sweep.allow_plugins)
    mapping = dict(to_mapping(complete))  # type: ignore[call-overload]
    return Job(0, mapping, str(folder), NAME, allow_plugins=sweep.allow_plugins), notes


def _rows(
    runs: TrialRuns, trial: Trial, folder: Path, *, own_validation: bool
) -> tuple[Rows, bool]:
    """The rows of each part of the final run, and whether the trial had validation rows.

    Validation rows are trained on, unless they have a source of their own.
    """
    made = folder / trial.run_directory
    path = (made if runs.count == 1 else made / "repeat-1") / "splits.npz"
    rows = read_npz(path, {part: part for part in array_names(path)})
    has_validation = "validation" in rows
    if has_validation and not own_validation:
        rows["train"] = np.sort(np.concatenate([rows["train"], rows.pop("validation")]))
    return rows, has_validation
