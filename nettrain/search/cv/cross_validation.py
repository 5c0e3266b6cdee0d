"""k-fold cross-validation: train on k - 1 folds, score on the other one, k times."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import ConfigDict, StrictBool, TypeAdapter, ValidationError, with_config

from nettrain.component import Integer, to_mapping
from nettrain.config.dump import dump
from nettrain.config.load import load
from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError
from nettrain.search.cv.fold_configs import divide_into_folds, run_on_rows, write_rows
from nettrain.search.cv.out_of_fold import write_predictions
from nettrain.search.cv.result import SCORED, CrossValidation, FinalResult, summarize
from nettrain.search.directory import (
    NewDirectory,
    SearchKind,
    damaged,
    data_changed,
    existing_directory,
    read_mark,
)
from nettrain.search.executors.base import Executor
from nettrain.search.final_run import NAME, final_config
from nettrain.search.memory_data import data_overrides, with_data
from nettrain.search.observer import Observer, Overview
from nettrain.search.run_group import (
    RunGroup,
    RunResult,
    finished_result,
    ready_executor,
    run_outcome,
)
from nettrain.training.artifacts.files import write_atomically, write_json

KIND = SearchKind("cross-validation", "nettrain cv", "cv.json")
MOST_REPEATS = 1024


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Settings:
    """How the rows are divided; the fields are the options of `nettrain cv`."""

    folds: Integer = 5
    repeats: Integer = 1
    stratify: StrictBool | None = None
    group: str | None = None
    final: StrictBool = False

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ConfigError(
                f"--folds: expected 2 or more, got {self.folds}: each fold is scored by a run that "
                "trains on the others"
            )
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise ConfigError(f"--repeats: expected 1 to {MOST_REPEATS:,}, got {self.repeats}")


def cross_validate(
    config: str | os.PathLike[str] | Mapping[str, object] | RunConfig,
    data: Data | None = None,
    *,
    target: Columns | None = None,
    folds: int = 5,
    repeats: int = 1,
    stratify: bool | None = None,
    group: str | None = None,
    final: bool = False,
    sets: Sequence[str] = (),
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
) -> CrossValidation:
    """Cross-validate a configuration, and leave a directory.

    Args:
        config: A YAML file, a mapping of the same form, or a RunConfig.
        data: Rows in memory, in place of `dataset.source`. Arrays or a DataFrame,
            as `nettrain.train` takes them.
        target: The column, or the columns, of the DataFrame to predict.
        folds: How many parts the rows are divided into.
        repeats: How many times, each with other folds and seeds.
        stratify: Keep the shares of the classes; None: where there are classes and no groups.
        group: A column; the rows of one group stay in one fold.
        final: Then train on all folds, and evaluate that on the test part.
        sets: Overrides, "optimizer.lr=0.01".
        output_directory: Where the directory is made.
        run_name: Exactly this name; None: after the configuration, with a suffix if it is taken.
        executor: local, serial, dask, or an executor that is ready.
        workers: How many runs at the same time; None: as many as cores. The result is the same.
        allow_plugins: Whether the Python files under `plugins` may be imported.
        observer: What sees it go by.

    Raises:
        ConfigError, DataError: Before anything is written.
        Diverged, RunFailed: The first run that does not finish.
        Interrupted: A signal came; `resume_cross_validation` continues.
    """
    data = with_target(data, target)
    settings = Settings(folds, repeats, stratify, group, final)
    loaded = load(config, [*sets, *data_overrides(data)], allow_plugins=allow_plugins)
    name = run_name or f"{loaded.name}-cv"
    with (
        in_use(loaded.plugins),
        ready_executor(executor, workers) as ready,
    ):
        with NewDirectory(Path(output_directory), name, exact=run_name is not None) as new:
            loaded = with_data(loaded, data, new)
            work = _CrossValidator(loaded, settings, ready, allow_plugins=allow_plugins)
            path = new.path
        with RunGroup.at_work(path, KIND, ready, observer) as group_:
            write_atomically(path / "base.yaml", dump(loaded).encode())
            fingerprint = work.divided.fingerprint
            write_json(path / KIND.mark, asdict(settings) | {"data_fingerprint": fingerprint})
            return work.run(group_)


def resume_cross_validation(
    path: str | os.PathLike[str],
    *,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
) -> CrossValidation:
    """Resume an interrupted cross-validation; the result is that of one without the break.

    Raises:
        RunError: There is none, another process works on it, or its data has changed.
    """
    directory = existing_directory(Path(path), KIND)
    with (
        ready_executor(executor, workers) as ready,
        RunGroup.at_work(directory, KIND, ready, observer) as group,
    ):
        settings, fingerprint = _read_settings(directory)
        config = load(directory / "base.yaml", allow_plugins=allow_plugins)
        with in_use(config.plugins):
            work = _CrossValidator(config, settings, ready, allow_plugins=allow_plugins)
            if work.divided.fingerprint != fingerprint:
                raise data_changed(directory, KIND)
            return work.run(group)


def _read_settings(directory: Path) -> tuple[Settings, object]:
    content = read_mark(directory, KIND)
    try:
        fingerprint = content.pop("data_fingerprint")
        return TypeAdapter(Settings).validate_python(content), fingerprint
    except (KeyError, ValidationError, ConfigError):
        raise damaged(directory, KIND) from None


class _CrossValidator:
    """A configuration, divided; its data is loaded where the runs will be made."""

    def __init__(
        self, config: RunConfig, settings: Settings, executor: Executor, *, allow_plugins: bool
    ) -> None:
        self._settings = settings
        self._loader = Loader()
        self._allow_plugins = allow_plugins
        self.divided = divide_into_folds(
            config,
            folds=settings.folds,
            repeats=settings.repeats,
            stratify=settings.stratify,
            group=settings.group,
            loader=self._loader,
        )
        if settings.final and self.divided.test is None:
            raise ConfigError(
                "--final: there is no test part to evaluate on: set dataset.split.test "
                "(or test_source), or leave --final out"
            )
        executor.prepare(to_mapping(config), allow_plugins=allow_plugins)  # type: ignore[arg-type]

    def run(self, group: RunGroup) -> CrossValidation:
        """All folds, their predictions and their figures; then the final run."""
        divided, path = self.divided, group.path
        jobs = [
            group.job(
                index,
                divided.run_config(fold, path / "splits"),
                divided.name(fold),
                allow_plugins=self._allow_plugins,
            )
            for index, fold in enumerate(divided.folds)
        ]
        if divided.group != divided.config.dataset.split.group:
            # The rows have one more column aside, which the configuration does not name.
            group.executor.prepare(jobs[0].config, allow_plugins=self._allow_plugins)
        done = [
            run_outcome(job.name, job.index, result, SCORED)
            for job in jobs
            if (result := finished_result(path / job.name)) is not None
        ]
        group.observer.begin(Overview("folds", len(jobs), done))
        results = group.run_required(jobs, part=SCORED)
        directories = [path / job.name for job in jobs]
        write_predictions(
            path / "predictions.csv",
            divided,
            directories,
            self._loader,
            allow_plugins=self._allow_plugins,
        )
        final, notes = self._final(results, group)
        summary = summarize(divided, directories, results, path, final, notes)
        write_json(path / "summary.json", asdict(summary))
        return summary

    def _final(
        self, results: Sequence[RunResult], group: RunGroup
    ) -> tuple[FinalResult | None, list[str]]:
        divided = self.divided
        if divided.test is None:
            return None, []
        if not self._settings.final:
            return None, [
                f"the test part ({len(divided.test)} rows) stays untouched; "
                "--final trains on all folds and evaluates on it"
            ]
        config, notes = final_config(
            divided.config,
            [result["best_epoch"] for result in results],
            own_validation=divided.validation is not None,
            chose_epochs=divided.chooses_epochs,
        )
        rows = {"train": divided.pool, "validation": divided.validation, "test": divided.test}
        present = {part: of_part for part, of_part in rows.items() if of_part is not None}
        file = write_rows(group.path / "splits" / f"{NAME}.npz", present)
        job = group.job(
            0,
            run_on_rows(config, file, group=divided.group),
            NAME,
            allow_plugins=self._allow_plugins,
        )
        [result] = group.run_required([job])
        directory = str(group.path / NAME)
        return FinalResult(directory, result["epochs"], dict(result["metrics"]["test"])), notes
