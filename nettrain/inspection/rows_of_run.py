"""Rows of the data of a configuration or run, with its network: what traces and graphs show."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.config.load import load
from nettrain.errors import ConfigError, DataError
from nettrain.inspection.computation_graph import ComputationGraph, record_graph
from nettrain.nn.loss import Loss
from nettrain.training.artifacts.checkpoint import Checkpoint, configuration
from nettrain.training.artifacts.run_directory import checkpoint_path
from nettrain.training.artifacts.weights import Weights
from nettrain.training.build import encoded, target_size
from nettrain.training.run import Run
from nettrain.training.train import prepare_run


@dataclass(frozen=True)
class Rows:
    """Rows as the network takes them.

    Attributes:
        numbers: Their numbers in their source, counted from 0.
        part: The part that holds them.
        x: Inputs after the transforms (n, ...).
        y: Targets as the loss takes them (n, ...).
        weights: Their weights (n,); None: all equal.
    """

    numbers: tuple[int, ...]
    part: str
    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None


def run_at(path: Path, sets: Sequence[str] = (), *, allow_plugins: bool = False) -> Run:
    """A run in float64 that has not begun, with its first weights or those of a checkpoint.

    Args:
        path: A configuration; or a run directory or checkpoint, for its trained weights.
        sets: Overrides of a configuration.
        allow_plugins: Whether the Python files under `plugins` may be imported.
    """
    if not (path.is_dir() or path.suffix == ".safetensors"):
        config = load(path, [*sets, "dtype=float64"], allow_plugins=allow_plugins)
        return prepare_run(config, allow_plugins=allow_plugins)
    if sets:
        raise ConfigError("--set changes a configuration; a run is shown as it was trained")
    file = checkpoint_path(path)
    checkpoint = Checkpoint.read(file)
    trained = configuration(checkpoint, file, allow_plugins=allow_plugins)
    run = prepare_run(
        dataclasses.replace(trained, dtype="float64", initialize_from=None),
        allow_plugins=allow_plugins,
    )
    Weights.read(checkpoint, run.network, file).put_into(run.network)
    return run


def first_row(run: Run, part: str | None = None) -> int:
    """The number of the first row of a part, by default of the training part."""
    rows = run.prepared.rows.get(part or "train")
    if rows is None:
        raise DataError(f"there is no {part} part; there are: {', '.join(run.prepared.rows)}")
    return int(min(rows))


def rows_of(run: Run, numbers: Sequence[int], part: str | None = None) -> Rows:
    """The rows with these numbers in their source, all of one part.

    Args:
        run: The run.
        numbers: Counted from 0, as splits.npz counts them.
        part: Where a number may stand for rows of several parts (those with sources of their own).

    Raises:
        DataError: There is no such row, or the rows belong to different parts.
    """
    places = {name: rows.tolist() for name, rows in run.prepared.rows.items()}
    names = [name for name in places if part is None or name == part]
    if not names:
        raise DataError(f"there is no {part} part; there are: {', '.join(places)}")
    for name in names:
        if set(numbers) <= set(places[name]):
            return _taken(run, numbers, name, [places[name].index(row) for row in numbers])
    every = sorted({row for name in names for row in places[name]})
    missing = [row for row in numbers if row not in every]
    if missing:
        raise DataError(
            f"row {missing[0]}: there is no such row; they are numbered {every[0]} to {every[-1]}"
        )
    raise DataError(
        f"rows {', '.join(map(str, numbers))}: belong to different parts; show one part"
    )


def _taken(run: Run, numbers: Sequence[int], name: str, places: list[int]) -> Rows:
    part, chosen = run.parts[name], np.array(places)
    if part.y is None:
        raise DataError(f"the {name} part has no targets: without them there is no loss")
    y = encoded(run.loss, part.y[chosen], target_size(run.pipeline.schema), run.network.dtype)
    weights = None if part.weights is None else part.weights[chosen]
    return Rows(tuple(numbers), name, np.asarray(part.x[chosen], np.float64), y, weights)


def record_rows(run: Run, rows: Rows, *, training: bool = False) -> ComputationGraph:
    """The computation graph of a run's network and loss on some rows."""
    loss: Loss = run.loss
    return record_graph(run.network, loss, rows.x, rows.y, rows.weights, training=training)
