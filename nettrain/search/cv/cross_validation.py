"""k-fold cross-validation: train on k - 1 folds, score on the other, k times; then perhaps on all of them, scored on the test part."""

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nettrain.component import to_mapping
from nettrain.config.dump import dump
from nettrain.config.load import load
from nettrain.config.run_config import RunConfig
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError, RunError
from nettrain.inspection.statistics.corrected_t import estimate
from nettrain.metrics import bounds
from nettrain.schedules import MetricSchedule
from nettrain.search.cv.fold_configs import Fold, Folds, divide_into_folds, run_on_rows, write_rows
from nettrain.search.cv.out_of_fold import write_predictions
from nettrain.search.directory import new_directory
from nettrain.search.executors.base import Executor, Job
from nettrain.search.executors.run_group import finished, run_all
from nettrain.training.artifacts.files import write_atomically, write_json

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How the rows are divided; the fields are the options of `nettrain cv`."""

    folds: int = 5
    repeats: int = 1
    stratify: bool | None = None
    group: str | None = None
    final: bool = False

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ConfigError(
                f"--folds: expected 2 or more, got {self.folds}: each fold is scored by a run that trains on the others"
            )
        if self.repeats < 1:
            raise ConfigError(f"--repeats: expected 1 or more, got {self.repeats}")


@dataclass(frozen=True)
class CrossValidation:
    """What came of it.

    folds     of each: repeat, fold, run_directory, metrics on the rows that it scores
    mean ...  of each metric that all folds have; `interval` has two ends
    final     run_directory, epochs and metrics on the test part of the run on all folds
    """

    directory: str
    folds: list[dict[str, Any]]
    mean: dict[str, float]
    std: dict[str, float]
    interval: dict[str, list[float]]
    final: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def cross_validate(
    config: RunConfig,
    settings: Settings,
    executor: Executor,
    *,
    output_directory: Path = Path("runs"),
    run_name: str | None = None,
    tell: Tell = lambda line: None,
) -> CrossValidation:
    """Cross-validate into a new directory. The result is the same for any executor and number of workers.

    Raises ConfigError and DataError before anything is written, and what `run_all` raises for the first run that goes wrong.
    """
    loader = Loader()
    found = _divided(config, settings, loader)
    executor.prepare(to_mapping(config))  # type: ignore[arg-type]
    directory = new_directory(
        output_directory, run_name or f"{config.name}-cv", exact=run_name is not None
    )
    write_atomically(directory / "base.yaml", dump(config).encode())
    write_json(directory / "cv.json", asdict(settings) | {"data_fingerprint": found.fingerprint})
    return _run(found, settings, executor, directory, loader, tell)


def go_on(
    directory: Path,
    executor: Executor,
    *,
    allow_plugins: bool = False,
    tell: Tell = lambda line: None,
) -> CrossValidation:
    """Go on with an interrupted cross-validation: folds that are finished are not run again, and the result is that without the break."""
    directory = directory.absolute()
    try:
        said = json.loads((directory / "cv.json").read_text(encoding="utf-8"))
        fingerprint = said.pop("data_fingerprint")
        settings = Settings(**said)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise RunError(
            f"{directory}: is not the directory of a cross-validation (it has no cv.json)"
        ) from None
    config, loader = load(directory / "base.yaml", allow_plugins=allow_plugins), Loader()
    found = _divided(config, settings, loader)
    if found.fingerprint != fingerprint:
        raise RunError(
            f"{directory}: the data has changed since the cross-validation began; begin another with nettrain cv CONFIG"
        )
    executor.prepare(to_mapping(config))  # type: ignore[arg-type]
    return _run(found, settings, executor, directory, loader, tell)


def _divided(config: RunConfig, settings: Settings, loader: Loader) -> Folds:
    found = divide_into_folds(
        config,
        folds=settings.folds,
        repeats=settings.repeats,
        stratify=settings.stratify,
        group=settings.group,
        loader=loader,
    )
    if settings.final and found.test is None:
        raise ConfigError(
            "--final: there is no test part to evaluate on: set dataset.split.test (or test_source), or leave --final out"
        )
    return found


def _run(
    found: Folds,
    settings: Settings,
    executor: Executor,
    directory: Path,
    loader: Loader,
    tell: Tell,
) -> CrossValidation:
    jobs = [
        Job(index, found.run_config(fold, directory / "splits"), str(directory), found.name(fold))
        for index, fold in enumerate(found.folds)
    ]
    if (
        found.group != found.config.dataset.split.group
    ):  # the data has an extra column that the configuration does not name
        executor.prepare(jobs[0].config)
    for note in executor.notes:
        tell(f"note: {note}")
    results = _results(jobs, executor, directory, tell)
    scored = [
        _of_fold(fold, job, result)
        for fold, job, result in zip(found.folds, jobs, results, strict=True)
    ]
    write_predictions(
        directory / "predictions.csv", found, [Path(job.parent) / job.name for job in jobs], loader
    )
    names = [
        name
        for name in scored[0]["metrics"]
        if all(one["metrics"].get(name) is not None for one in scored)
    ]
    of = {
        name: estimate(
            [one["metrics"][name] for one in scored],
            found.test_share,
            bounds=_bounds(found.config, name),
        )
        for name in names
    }
    final: dict[str, Any] | None = None
    notes: list[str] = []
    if settings.final:
        final, notes = _final(found, results, executor, directory, tell)
    elif found.test is not None:
        notes = [
            f"the test part ({len(found.test)} rows) stays untouched; --final trains on all folds and evaluates on it"
        ]
    result = CrossValidation(
        str(directory), scored, {name: one.mean for name, one in of.items()}, {name: one.std for name, one in of.items()},
        {name: list(one.interval) for name, one in of.items()}, final, notes,
    )  # fmt: skip
    write_json(directory / "summary.json", asdict(result))
    return result


def _bounds(config: RunConfig, metric: str) -> tuple[float, float]:
    """The range of a metric, or of the configured loss; each task's own loss is never negative."""
    if metric == "loss":
        return (0.0 if config.loss is None else config.loss.lower_bound, math.inf)
    return bounds(metric)


def _results(
    jobs: Sequence[Job], executor: Executor, directory: Path, tell: Tell
) -> list[Mapping[str, Any]]:
    """Of all jobs in their order, those included that an earlier attempt has finished."""
    earlier = {job.index: result for job in jobs if (result := finished(job)) is not None}

    def ended(job: Job, result: Mapping[str, Any]) -> None:
        figures = "  ".join(
            f"{name} {value:.4f}" for name, value in list(result["metrics"]["test"].items())[:2]
        )
        tell(f"{job.name}: {figures}  {result['epochs']} epochs in {result['seconds']:.1f} s")

    waiting = [job for job in jobs if job.index not in earlier]
    results = earlier | run_all(
        executor, waiting, ended, f"nettrain cv --resume {shlex.quote(str(directory))}"
    )
    return [results[job.index] for job in jobs]


def _of_fold(fold: Fold, job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
    directory = str(Path(job.parent) / job.name)
    return {
        "repeat": fold.repeat,
        "fold": fold.fold,
        "run_directory": directory,
        "metrics": dict(result["metrics"]["test"]),
    }


def _final(
    found: Folds,
    results: Sequence[Mapping[str, Any]],
    executor: Executor,
    directory: Path,
    tell: Tell,
) -> tuple[dict[str, Any], list[str]]:
    config, notes = final_config(found.config, found, [result["best_epoch"] for result in results])
    rows = {"train": found.pool, "validation": found.validation, "test": found.test}
    path = write_rows(
        directory / "splits" / "final.npz",
        {part: of_part for part, of_part in rows.items() if of_part is not None},
    )
    job = Job(0, run_on_rows(config, path, group=found.group), str(directory), "final")
    [result] = _results([job], executor, directory, tell)
    return {
        "run_directory": str(directory / "final"),
        "epochs": result["epochs"],
        "metrics": dict(result["metrics"]["test"]),
    }, notes


def final_config(
    config: RunConfig, found: Folds, best_epochs: Sequence[int | None]
) -> tuple[RunConfig, list[str]]:
    """The run on all folds, and what was decided for it. With a validation source it is as any fold.

    Else nothing is left to steer with: it trains the mean number of epochs after which the folds were best, early stopping off. Where the
    folds did not choose either, having neither validation rows nor early stopping, it trains as long as they.
    """
    chosen = [epoch for epoch in best_epochs if epoch is not None]
    if found.validation is not None or not chosen:
        return config, []
    training, schedule, notes = config.training, config.schedule, []
    if config.early_stopping is not None or "validation" in found.folds[0].rows:
        epochs = max(1, int(sum(chosen) / len(chosen) + 0.5))
        notes = [f"final: trained for {epochs} epochs, the mean of the best epochs of the folds"]
        if config.schedule.depends_on_horizon:
            name = config.schedule.name()
            notes.append(
                f"final: the schedule {name} ends after those {epochs} epochs, in the folds after {training.epochs}"
            )
        training = replace(training, epochs=epochs)
    if training.monitor is not None and training.monitor.startswith("validation_"):
        training = replace(training, monitor=None)
    if (
        isinstance(schedule, MetricSchedule)
        and schedule.monitor is not None
        and schedule.monitor.startswith("validation_")
    ):
        schedule = schedule.replace(monitor=None)
    return replace(config, training=training, schedule=schedule, early_stopping=None), notes
