"""An ensemble: train its members, put them into one checkpoint, and see what voting gains."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.dump import dump
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.load import load_ensemble
from nettrain.config.plugins import in_use
from nettrain.data.dataset import Dataset
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError
from nettrain.inference.ensemble import Ensemble, ensemble_checkpoint
from nettrain.inference.load import load
from nettrain.inference.voting import Vote, combined, disagreement
from nettrain.metrics import all_metrics, outcome_of
from nettrain.search.directory import (
    NewDirectory,
    SearchKind,
    data_changed,
    existing_directory,
    read_mark,
)
from nettrain.search.ensembles.members import Member, MemberTraining, out_of_bag
from nettrain.search.executors.base import Executor
from nettrain.search.memory_data import data_overrides, with_data
from nettrain.search.observer import Observer
from nettrain.search.rows import rows_of_config
from nettrain.search.run_group import RunGroup, ready_executor
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.files import write_atomically, write_json
from nettrain.training.artifacts.run_directory import RunDirectory, checkpoint_path

KIND = SearchKind("ensemble", "nettrain ensemble", "ensemble.json")


@dataclass(frozen=True)
class MemberResult:
    """One member: its run, the weight of its vote, its epochs, its metrics by part."""

    member: str
    run_directory: str
    weight: float
    epochs: int
    metrics: dict[str, dict[str, float]]


@dataclass(frozen=True)
class OutOfBag:
    """Training rows on which only the members vote that have not seen them."""

    rows: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class EnsembleResult:
    """What came of an ensemble. Metrics are by part, then by name.

    Attributes:
        members: Each network.
        metrics: Of the ensemble.
        mean_member: The mean of the members' metrics.
        disagreement: By part: see `nettrain.inference.voting.disagreement`.
        out_of_bag: With bagging.
        notes: What to keep in mind, a sentence each.
    """

    directory: str
    checkpoint: str
    method: str
    vote: str
    members: list[MemberResult]
    metrics: dict[str, dict[str, float]]
    mean_member: dict[str, dict[str, float]]
    disagreement: dict[str, float | None]
    out_of_bag: OutOfBag | None = None
    notes: list[str] = field(default_factory=list)


def ensemble(
    config: str | os.PathLike[str] | Mapping[str, object] | EnsembleRun,
    data: Data | None = None,
    *,
    target: Columns | None = None,
    sets: Sequence[str] = (),
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
) -> EnsembleResult:
    """Train several networks that vote, as the key `ensemble` says, and leave a directory.

    Args:
        config: A YAML file, a mapping of the same form, or an EnsembleRun.
        data: Rows in memory, in place of `dataset.source`. Arrays or a DataFrame,
            as `nettrain.train` takes them.
        target: The column, or the columns, of the DataFrame to predict.
        sets: Overrides, "ensemble.members=5".
        output_directory: Where the directory is made.
        run_name: Exactly this name; None: after the configuration, with a suffix if it is taken.
        executor: local, serial, dask, or an executor that is ready.
        workers: How many runs at the same time; None: as many as cores. The result is the same.
        allow_plugins: Whether the Python files under `plugins` may be imported.
        observer: What sees it go by.

    Raises:
        ConfigError, DataError: Before anything is written.
        Diverged, RunFailed: The first run that does not finish.
        Interrupted: A signal came; `resume_ensemble` continues.
    """
    data = with_target(data, target)
    loaded = load_ensemble(config, [*sets, *data_overrides(data)], allow_plugins=allow_plugins)
    name = run_name or f"{loaded.name}-ensemble"
    with in_use(loaded.plugins), ready_executor(executor, workers) as ready:
        with NewDirectory(Path(output_directory), name, exact=run_name is not None) as new:
            loaded = with_data(loaded, data, new)
            work = _EnsembleTrainer(loaded, ready, allow_plugins=allow_plugins)
            path = new.path
        with RunGroup.at_work(path, KIND, ready, observer) as group:
            (path / "checkpoints").mkdir()
            write_atomically(path / "config.yaml", dump(loaded).encode())
            write_json(path / KIND.mark, {"data_fingerprint": work.fingerprint})
            return work.run(group)


def resume_ensemble(
    path: str | os.PathLike[str],
    *,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
) -> EnsembleResult:
    """Resume an interrupted ensemble; the result is that of one without the break.

    Raises:
        RunError: There is none, another process works on it, or its data has changed.
    """
    directory = existing_directory(Path(path), KIND)
    with (
        ready_executor(executor, workers) as ready,
        RunGroup.at_work(directory, KIND, ready, observer) as group,
    ):
        fingerprint = read_mark(directory, KIND).get("data_fingerprint")
        config = load_ensemble(directory / "config.yaml", allow_plugins=allow_plugins)
        with in_use(config.plugins):
            work = _EnsembleTrainer(config, ready, allow_plugins=allow_plugins)
            if work.fingerprint != fingerprint:
                raise data_changed(directory, KIND)
            return work.run(group)


class _EnsembleTrainer:
    """A configuration whose data is loaded here and where the runs will be made."""

    def __init__(self, config: EnsembleRun, executor: Executor, *, allow_plugins: bool) -> None:
        self._config = config
        self._allow_plugins = allow_plugins
        self._loader = Loader()
        self._loaded, self._data_rows = _load(config, self._loader)
        self.fingerprint = self._loaded.fingerprint
        executor.prepare(to_mapping(config.base), allow_plugins=allow_plugins)  # type: ignore[arg-type]

    def run(self, group: RunGroup) -> EnsembleResult:
        """The members, the checkpoint of all of them, and their figures."""
        config, settings = self._config, self._config.ensemble
        training = MemberTraining(
            config, self._loaded, self._data_rows, group, allow_plugins=self._allow_plugins
        )
        members, notes = training.train(settings.method)
        vote: Vote = settings.vote or ("majority" if settings.method == "boosting" else "mean")
        checkpoints = [
            _without_optimizer(Checkpoint.read(checkpoint_path(member.directory)))
            for member in members
        ]
        weights = [member.weight for member in members]
        file = RunDirectory(group.path).best
        ensemble_checkpoint(
            checkpoints, weights, vote, to_mapping(config.base), self.fingerprint
        ).write(file)
        model = load(file, allow_plugins=self._allow_plugins, loader=self._loader)
        result = _evaluate(config, self._loaded, group.path, members, cast(Ensemble, model), notes)
        write_json(group.path / "summary.json", asdict(result))
        return result


def _load(config: EnsembleRun, loader: Loader) -> tuple[LoadedData, int]:
    """The rows of each part, and how many the source has.

    Raises:
        ConfigError: The method or the vote is not for such data.
    """
    loaded = rows_of_config(config, loader)
    method, task = config.ensemble.method, loaded.schema.task
    if loaded.schema.autoencoder:
        raise ConfigError(
            "dataset.target: several autoencoders have outputs in units of their own, which cannot "
            "be averaged; leave it out"
        )
    if method == "boosting" and task != "classification":
        raise ConfigError(
            f"ensemble.method: boosting counts wrong classes, and this is {task}; "
            "use seeds or bagging"
        )
    if method == "boosting" and config.training.class_weights is not None:
        raise ConfigError(
            "training.class_weights: boosting weighs the rows itself; leave it out, or give rows "
            "weights of their own"
        )
    if task == "regression" and config.ensemble.vote == "majority":
        raise ConfigError("ensemble.vote: values have no majority; use mean")
    return loaded, len(loaded.dataset)


def _without_optimizer(checkpoint: Checkpoint) -> Checkpoint:
    """What predicts: the last checkpoint also holds what training would continue with."""
    kept = {
        name: tensor
        for name, tensor in checkpoint.tensors.items()
        if not name.startswith("optimizer.")
    }
    kept_keys = ("config", "pipeline", "data_fingerprint", "epoch", "temperature")
    content = {key: value for key, value in checkpoint.content.items() if key in kept_keys}
    return Checkpoint(kept, content)


def _evaluate(
    config: EnsembleRun,
    loaded: LoadedData,
    directory: Path,
    members: Sequence[Member],
    model: Ensemble,
    notes: list[str],
) -> EnsembleResult:
    results = [
        MemberResult(one.name, str(one.directory), one.weight, one.result["epochs"], {})
        for one in members
    ]
    metrics: dict[str, dict[str, float]] = {}
    means: dict[str, dict[str, float]] = {}
    differ: dict[str, float | None] = {}
    bag = None
    for part, dataset in loaded.datasets.items():
        predictions = model.member_predictions(dataset)
        for result, own in zip(results, predictions, strict=True):
            result.metrics[part] = _metrics(model, dataset, own)
        votes = combined(predictions, model.weights, model.vote, model.task)
        metrics[part] = _metrics(model, dataset, votes)
        of = [result.metrics[part] for result in results]
        means[part] = {
            name: float(np.mean([one[name] for one in of]))
            for name in of[0]
            if all(name in one for one in of)
        }
        differ[part] = disagreement(predictions, model.task)
        if part == "train" and config.ensemble.method == "bagging":
            not_seen = out_of_bag(members, loaded.rows["train"])
            bag = _out_of_bag(model, dataset, predictions, not_seen)
    return EnsembleResult(
        str(directory),
        str(model.path),
        config.ensemble.method,
        model.vote,
        results,
        metrics,
        means,
        differ,
        bag,
        notes,
    )


def _metrics(model: Ensemble, dataset: Dataset, predictions: np.ndarray) -> dict[str, float]:
    with in_use(model.config.plugins):
        outcome = outcome_of(model.task, model.truth(dataset), predictions, model.decision)
        return all_metrics(outcome)


def _out_of_bag(
    model: Ensemble, dataset: Dataset, predictions: np.ndarray, not_seen: np.ndarray
) -> OutOfBag | None:
    """None where every row was drawn for every member, as can be with very few rows."""
    rows = np.flatnonzero(not_seen.any(axis=0))
    if not rows.size:
        return None
    votes = combined(predictions[:, rows], not_seen[:, rows], model.vote, model.task)
    return OutOfBag(len(rows), _metrics(model, dataset.take(rows), votes))
