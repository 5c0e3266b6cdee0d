"""Train the members of an ensemble, put them into one checkpoint, and see what voting gains."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.dump import dump
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.load import load_ensemble
from nettrain.config.plugins import in_use
from nettrain.data.dataset import Dataset
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError, RunError
from nettrain.inference.ensemble import Ensemble, ensemble_checkpoint
from nettrain.inference.load import load
from nettrain.inference.voting import Vote, combined, disagreement
from nettrain.metrics import all_metrics, outcome_of
from nettrain.search.directory import new_directory
from nettrain.search.ensembles.members import Member, Training, out_of_bag
from nettrain.search.executors.base import Executor
from nettrain.search.rows import rows_of_config
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.files import write_atomically, write_json
from nettrain.training.artifacts.run_directory import RunDirectory, scored_checkpoint

Tell = Callable[[str], None]


@dataclass(frozen=True)
class EnsembleResult:
    """What came of it. metrics: by part, then by name.

    members       of each: name, run_directory, weight of its vote, epochs, metrics
    mean_member   the mean of the members' metrics, beside `metrics`, those of the ensemble
    disagreement  by part: see `nettrain.inference.voting.disagreement`
    out_of_bag    bagging: rows, and metrics where only those members vote on a training row that have not seen it
    """

    directory: str
    checkpoint: str
    method: str
    vote: str
    members: list[dict[str, Any]]
    metrics: dict[str, dict[str, float]]
    mean_member: dict[str, dict[str, float]]
    disagreement: dict[str, float | None]
    out_of_bag: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def train_ensemble(
    config: EnsembleRun,
    executor: Executor,
    *,
    output_directory: Path = Path("runs"),
    run_name: str | None = None,
    tell: Tell = lambda line: None,
) -> EnsembleResult:
    """Train into a new directory. The result is the same for any executor and number of workers.

    Raises ConfigError and DataError before anything is written, and what `run_all` raises for the first run that goes wrong.
    """
    loader = Loader()
    loaded, rows = _load(config, loader)
    executor.prepare(to_mapping(config.base))  # type: ignore[arg-type]
    directory = new_directory(
        output_directory, run_name or f"{config.name}-ensemble", exact=run_name is not None
    )
    (directory / "checkpoints").mkdir()
    write_atomically(directory / "config.yaml", dump(config).encode())
    write_json(directory / "ensemble.json", {"data_fingerprint": loaded.fingerprint})
    return _train(config, loaded, rows, executor, directory, loader, tell)


def go_on(
    directory: Path,
    executor: Executor,
    *,
    allow_plugins: bool = False,
    tell: Tell = lambda line: None,
) -> EnsembleResult:
    """Go on with an interrupted ensemble: members that are finished are not trained again, and the result is that without the break."""
    directory = directory.absolute()
    try:
        fingerprint = json.loads((directory / "ensemble.json").read_text(encoding="utf-8"))[
            "data_fingerprint"
        ]
    except (OSError, ValueError, TypeError, KeyError):
        raise RunError(
            f"{directory}: is not the directory of an ensemble (it has no ensemble.json)"
        ) from None
    config, loader = load_ensemble(directory / "config.yaml", allow_plugins=allow_plugins), Loader()
    loaded, rows = _load(config, loader)
    if loaded.fingerprint != fingerprint:
        raise RunError(
            f"{directory}: the data has changed since the ensemble began; begin another with nettrain ensemble CONFIG"
        )
    executor.prepare(to_mapping(config.base))  # type: ignore[arg-type]
    return _train(config, loaded, rows, executor, directory, loader, tell)


def _load(config: EnsembleRun, loader: Loader) -> tuple[LoadedData, int]:
    """The rows of each part, and how many the source has. Raises ConfigError where the method or the vote is not for such data."""
    loaded = rows_of_config(config, loader)
    method, task = config.ensemble.method, loaded.schema.task
    if loaded.schema.autoencoder:
        raise ConfigError(
            "dataset.target: several autoencoders have outputs in units of their own, which cannot be averaged; leave it out"
        )
    if method == "boosting" and task != "classification":
        raise ConfigError(
            f"ensemble.method: boosting counts wrong classes, and this is {task}; use seeds or bagging"
        )
    if method == "boosting" and config.training.class_weights is not None:
        raise ConfigError(
            "training.class_weights: boosting weighs the rows itself; leave it out, or give rows weights of their own"
        )
    if task == "regression" and config.ensemble.vote == "majority":
        raise ConfigError("ensemble.vote: values have no majority; use mean")
    return loaded, len(loaded.dataset)


def _train(
    config: EnsembleRun,
    loaded: LoadedData,
    rows: int,
    executor: Executor,
    directory: Path,
    loader: Loader,
    tell: Tell,
) -> EnsembleResult:
    for note in executor.notes:
        tell(f"note: {note}")
    training = Training(
        config.base, config.ensemble.members, loaded, rows, executor, directory, loader, tell
    )
    methods = {"seeds": training.seeds, "bagging": training.bagging, "boosting": training.boosting}
    members, notes = methods[config.ensemble.method]()
    vote: Vote = config.ensemble.vote or (
        "majority" if config.ensemble.method == "boosting" else "mean"
    )
    path = RunDirectory(directory).best
    checkpoints = [
        _without_optimizer(Checkpoint.read(scored_checkpoint(member.directory, config)))
        for member in members
    ]
    weights = [member.weight for member in members]
    ensemble_checkpoint(
        checkpoints, weights, vote, to_mapping(config.base), loaded.fingerprint
    ).write(path)
    ensemble = cast(Ensemble, load(path, allow_plugins=True, loader=loader))
    result = _judged(config, loaded, directory, members, ensemble, notes)
    write_json(directory / "summary.json", asdict(result))
    return result


def _without_optimizer(checkpoint: Checkpoint) -> Checkpoint:
    """What predicts: `last` also holds what training would go on with."""
    kept = {
        name: tensor
        for name, tensor in checkpoint.tensors.items()
        if not name.startswith("optimizer.")
    }
    content = {
        key: checkpoint.content[key] for key in ("config", "pipeline", "data_fingerprint", "epoch")
    }
    return Checkpoint(kept, content)


def _judged(
    config: EnsembleRun,
    loaded: LoadedData,
    directory: Path,
    members: Sequence[Member],
    ensemble: Ensemble,
    notes: list[str],
) -> EnsembleResult:
    shown: list[dict[str, Any]] = [
        {
            "member": one.name,
            "run_directory": str(one.directory),
            "weight": one.weight,
            "epochs": one.result["epochs"],
            "metrics": {},
        }
        for one in members
    ]
    metrics: dict[str, dict[str, float]] = {}
    means: dict[str, dict[str, float]] = {}
    differ: dict[str, float | None] = {}
    bag = None
    for part, dataset in loaded.datasets.items():
        said = ensemble.said(dataset)
        for one, own in zip(shown, said, strict=True):
            one["metrics"][part] = _figures(ensemble, dataset, own)
        metrics[part] = _figures(
            ensemble, dataset, combined(said, ensemble.weights, ensemble.vote, ensemble.task)
        )
        of = [one["metrics"][part] for one in shown]
        means[part] = {
            name: float(np.mean([one[name] for one in of]))
            for name in of[0]
            if all(name in one for one in of)
        }
        differ[part] = disagreement(said, ensemble.task)
        if part == "train" and config.ensemble.method == "bagging":
            bag = _out_of_bag(ensemble, dataset, said, out_of_bag(members, loaded.rows["train"]))
    return EnsembleResult(
        str(directory),
        str(ensemble.path),
        config.ensemble.method,
        ensemble.vote,
        shown,
        metrics,
        means,
        differ,
        bag,
        notes,
    )


def _figures(ensemble: Ensemble, dataset: Dataset, said: np.ndarray) -> dict[str, float]:
    with in_use(ensemble.config.plugins):
        return all_metrics(outcome_of(ensemble.task, ensemble.truth(dataset), said))


def _out_of_bag(
    ensemble: Ensemble, dataset: Dataset, said: np.ndarray, unseen: np.ndarray
) -> dict[str, Any] | None:
    """None where every row was drawn for every member, as can be with very few rows."""
    rows = np.flatnonzero(unseen.any(axis=0))
    if not rows.size:
        return None
    votes = combined(said[:, rows], unseen[:, rows], ensemble.vote, ensemble.task)
    return {"rows": len(rows), "metrics": _figures(ensemble, dataset.take(rows), votes)}
