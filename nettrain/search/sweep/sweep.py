"""`sweep` and `resume_sweep`: compare settings of a run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nettrain.component import to_mapping
from nettrain.config.plugins import in_use
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.errors import ConfigError
from nettrain.metrics import metric_names
from nettrain.search.directory import NewDirectory, existing_directory
from nettrain.search.executors.base import DatasetInfo, Executor, Status
from nettrain.search.memory_data import data_overrides, with_data
from nettrain.search.observer import Observer
from nettrain.search.run_group import RunGroup, ready_executor
from nettrain.search.sweep.config import Sweep, load_sweep
from nettrain.search.sweep.directory import KIND, SweepDirectory
from nettrain.search.sweep.proposers.registry import optuna_for, proposer_for
from nettrain.search.sweep.result import SweepResult
from nettrain.search.sweep.session import Session
from nettrain.training.logged_sweep import logged_sweep

if TYPE_CHECKING:
    from nettrain.search.sweep.optuna_export import OptunaExport

# Trials of these are made again: when the sweep is resumed, and when that is asked for.
SYSTEM: tuple[Status, ...] = ("system_error",)
RETRIED: tuple[Status, ...] = ("failed", "killed", "out_of_memory")


def sweep(
    config: str | os.PathLike[str] | Mapping[str, object] | Sweep,
    data: Data | None = None,
    *,
    target: Columns | None = None,
    sets: Sequence[str] = (),
    trials: int | None = None,
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
    study: str | None = None,
) -> SweepResult:
    """Compare settings of a run, and leave a sweep directory.

    Args:
        config: A YAML file, a mapping of the same form, or a loaded sweep, which `sets`, `trials`
            and `allow_plugins` do not change.
        data: Rows in memory, in place of the base's `dataset.source`. Arrays or a DataFrame,
            as `nettrain.train` takes them.
        target: The column, or the columns, of the DataFrame to predict.
        sets: Overrides of the sweep's keys, or of its base's: "method=grid", "training.epochs=3".
        trials: The same as "trials=N".
        output_directory: Where the directory is made.
        run_name: Exactly this name; None: the sweep's, with a suffix where it is taken.
        executor: local, serial, dask, or an executor that is ready.
        workers: How many runs at the same time; None: as many as cores. The results depend on it
            only with `bayes` and `early_terminate`, which learn from the trials as they end.
        allow_plugins: Whether the Python files under `plugins` of the base may be imported.
        observer: What sees it go by.
        study: The URL of a database, sqlite:///study.db, for an Optuna study of the sweep.

    Raises:
        ConfigError, DataError: Before anything is written.
        Interrupted: A signal came; `resume_sweep` continues.
    """
    data = with_target(data, target)
    found = (
        config
        if isinstance(config, Sweep)
        else load_sweep(
            config, [*sets, *data_overrides(data)], trials=trials, allow_plugins=allow_plugins
        )
    )
    name = run_name or found.spec.name or "sweep"
    with in_use(found.base.plugins), ready_executor(executor, workers) as ready:
        with NewDirectory(Path(output_directory), name, exact=run_name is not None) as new:
            found = _with_data(found, data, new)
            info = _prepare(found, ready)
            proposer, export = proposer_for(found), _export(study)
            path = new.path
        with RunGroup.at_work(path, KIND, ready, observer) as group:
            SweepDirectory(path).write_spec(found.spec)
            with logged_sweep(found.base.training.loggers, path, group.observer.note):
                return Session(found, group, info, proposer, export).run()


def resume_sweep(
    path: str | os.PathLike[str],
    *,
    trials: int | None = None,
    retry_failed: bool = False,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
    study: str | None = None,
) -> SweepResult:
    """Resume an interrupted sweep, or extend a finished one to so many trials.

    The table is that of a sweep without the break; runs that were under way are made again, and so
    are trials with the status system_error: a full disk, for example, says nothing about a setting.

    Args:
        path: The sweep directory.
        trials: The new number of trials in total.
        retry_failed: Whether to make again also the trials that failed, were killed, or ran out of
            memory.
        executor: As `sweep` takes it, and so are the others.
        workers: How many runs at the same time.
        allow_plugins: Whether the Python files under `plugins` of the base may be imported.
        observer: What sees it go by.
        study: The URL of a database for an Optuna study.

    Raises:
        RunError: There is no sweep, or another process works on it.
    """
    directory = SweepDirectory(existing_directory(Path(path), KIND))
    with (
        ready_executor(executor, workers) as ready,
        RunGroup.at_work(directory.path, KIND, ready, observer) as group,
    ):
        found = load_sweep(directory.spec, trials=trials, allow_plugins=allow_plugins)
        recorded = directory.recorded()
        if trials is not None:
            if recorded and trials <= max(trial.index for trial in recorded):
                raise ConfigError(
                    f"--trials {trials}: {directory.rows} holds {len(recorded)} trials already; "
                    "name more, or leave it out"
                )
            directory.write_spec(found.spec)
        with in_use(found.base.plugins):
            info = _prepare(found, ready)
            proposer, export = proposer_for(found), _export(study)
            again = (*SYSTEM, *RETRIED) if retry_failed else SYSTEM
            if retried := [trial for trial in recorded if trial.status in again]:
                recorded = directory.drop(retried)
                group.observer.note(f"trials that failed and are made again: {len(retried)}")
            with logged_sweep(found.base.training.loggers, directory.path, group.observer.note):
                return Session(found, group, info, proposer, export, recorded).run()


def _with_data(found: Sweep, data: Data | None, directory: NewDirectory) -> Sweep:
    """The sweep on arrays in memory, which are written into its directory."""
    base = with_data(found.base, data, directory)
    mapping = dict(to_mapping(base))  # type: ignore[call-overload]
    return replace(found, base=base, spec=replace(found.spec, base=mapping))


def _export(url: str | None) -> "OptunaExport | None":
    if url is None:
        return None
    with optuna_for("--study"):
        from nettrain.search.sweep.optuna_export import OptunaExport
    return OptunaExport(url)


def _prepare(found: Sweep, executor: Executor) -> DatasetInfo:
    """Load the data where the runs will be.

    Raises:
        NettrainError: The data cannot be trained on, or the metric is never logged.
    """
    spec, allow = found.spec, found.allow_plugins
    if spec.cross_validation is None:
        return executor.prepare(found.mapping({}), spec.metric.name, allow_plugins=allow)
    info = executor.prepare(found.mapping({}), allow_plugins=allow)
    part, _, metric = spec.metric.name.partition("_")
    if metric != "loss" and metric not in metric_names(info.task):
        raise ConfigError(
            f"metric.name: {metric} is no metric of {info.task}; there are: loss, "
            f"{', '.join(metric_names(info.task))}"
        )
    if spec.early_terminate.type != "none" and part not in info.rows:
        raise ConfigError(
            f"early_terminate: {spec.metric.name} is not known after each epoch: "
            "set dataset.split.validation in the base"
        )
    return info
