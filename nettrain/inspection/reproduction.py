"""A minimal reproduction of a step that diverged: configuration, rows and weights in a folder."""

import dataclasses
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.dump import as_yaml
from nettrain.errors import Diverged
from nettrain.inspection.not_finite import NotFinite
from nettrain.training.artifacts.files import write_atomically
from nettrain.training.artifacts.spreadsheet import csv_text
from nettrain.training.callbacks.checkpoints import checkpoint_of
from nettrain.training.run import Run
from nettrain.training.train import train

CONFIG, WEIGHTS = "config.yaml", "weights.safetensors"
KEPT = ("seed", "dtype", "plugins", "model", "loss", "optimizer", "regularization")


@dataclass(frozen=True)
class Reproduction:
    """Where a reproduction was written.

    Attributes:
        directory: With config.yaml, rows.csv or rows.npz, and weights.safetensors.
        commands: That show the step.
        rows: The numbers of its rows in their source.
        diverges: Whether training it, as was tried, diverges: not where the step needs what it
            does not hold (the optimizer's state, random numbers of that step, mixed rows).
    """

    directory: str
    commands: tuple[str, ...]
    rows: tuple[int, ...]
    diverges: bool


def write_reproduction(
    folder: Path, run: Run, places: np.ndarray, cause: NotFinite | None, lr: float
) -> Reproduction:
    """Write one step as a run of its own: with the rows that did it, if they suffice, else all.

    Args:
        folder: A new directory.
        run: With the weights before the step, and the step's (micro-)batch in its buffers.
        places: Of the rows of that batch in the training part.
        cause: Names the rows that did it.
        lr: The learning rate of the step.
    """
    folder.mkdir(parents=True)
    weights = dataclasses.replace(run.weights(), average=None)  # with them training continues
    content: dict[str, object] = {"epoch": run.progress.epoch}
    checkpoint_of(run, weights, content).write(folder / WEIGHTS)
    every = np.arange(len(places))
    few = np.array(() if cause is None else sorted(cause.rows), dtype=np.int64)
    for rows in (few, every) if len(few) else (every,):
        _write(folder, run, places[rows], rows, lr)
        diverges = _diverges(folder / CONFIG, allow_plugins=bool(run.config.plugins))
        if diverges:
            break
    flag = " --allow-plugins" if run.config.plugins else ""
    commands = (
        f"nettrain fit {folder / CONFIG}{flag}",
        f"nettrain trace {folder / CONFIG} --row 0 --step{flag}",
    )
    numbers = run.prepared.rows["train"][places[rows]]
    return Reproduction(str(folder), commands, tuple(map(int, numbers)), diverges)


def _write(folder: Path, run: Run, places: np.ndarray, rows: np.ndarray, lr: float) -> None:
    """The configuration and the rows, those at these places of the batch.

    A class that none of them has gets a validation row, or there would be fewer classes; with it
    goes one of a class that they have, without which there would be nothing to validate.
    """
    schema, part = run.pipeline.schema, run.parts["train"]
    y = np.asarray(part.y)[places]
    absent = np.setdiff1d(np.arange(len(schema.classes or ())), y)
    if len(absent):
        rows = np.concatenate([rows, np.repeat(rows[:1], 1 + len(absent))])
        y = np.concatenate([y, y[:1], absent.astype(y.dtype)])
    x = run.step.batch.x[rows]
    w = None if run.step.batch.w is None else run.step.batch.w[rows]
    source = _write_table(folder, run, x, y, w) if x.ndim == 2 else _write_arrays(folder, x, y, w)
    ranges = {"train": [0, len(places)]}
    if len(absent):
        ranges["validation"] = [len(places), len(rows)]
    dataset: dict[str, Any] = {"source": source, "split": {"rows": ranges}, "transforms": []}
    if schema.autoencoder:
        dataset["target"] = "self"
    elif schema.task == "regression":
        dataset["target_transforms"] = []
    whole: Any = to_mapping(run.config)
    training = {key: whole["training"][key] for key in ("clip_norm", "clip_value", "kernels")}
    config = {
        "name": "reproduction",
        "dataset": dataset,
        "initialize_from": WEIGHTS,
        **{key: whole[key] for key in KEPT if whole.get(key) is not None},
        "training": {"epochs": 1, "batch_size": len(places), "shuffle": False, **training},
    }
    config["optimizer"] = {**whole["optimizer"], "lr": lr}
    if run.pipeline.cardinalities or run.pipeline.indicators:
        # They are written as numbers: only the layers tell.
        layers = [to_mapping(bound.layer) for bound in run.network.layers]
        config["model"] = {"type": "sequential", "layers": layers}
        config["regularization"] = {**whole["regularization"], "dropout": 0.0}
    write_atomically(folder / CONFIG, as_yaml(config).encode())


def _write_table(
    folder: Path, run: Run, x: np.ndarray, y: np.ndarray, w: np.ndarray | None
) -> dict[str, Any]:
    """Rows as CSV, every number with all its digits; returns the source that reads it."""
    names = list(run.pipeline.names)
    blocks = {"target": y.reshape(len(y), -1)}
    if run.pipeline.schema.autoencoder:
        blocks = {}
    if w is not None:
        blocks["row_weight"] = w[:, None]
    columns: dict[str, list[str]] = {}
    for name, block in blocks.items():
        several = block.shape[1] > 1
        columns[name] = [f"{name}_{i}" if several else name for i in range(block.shape[1])]
    extra = [name for block in columns.values() for name in block]
    if set(names) & set(extra):
        names = [f"x_{i}" for i in range(len(names))]
    table = [x, *blocks.values()]
    rows = ([value for block in table for value in block[i].tolist()] for i in range(len(x)))
    write_atomically(folder / "rows.csv", csv_text([*names, *extra], rows))
    source: dict[str, Any] = {"type": "csv", "path": "rows.csv", "delimiter": ",", "header": True}
    if "target" in columns:
        source["target"] = columns["target"]
    if w is not None:
        source["weights"] = "row_weight"
    return source


def _write_arrays(
    folder: Path, x: np.ndarray, y: np.ndarray, w: np.ndarray | None
) -> dict[str, Any]:
    """Images as npz; returns the source that reads it."""
    arrays = {"x": x, "y": y} | ({} if w is None else {"weights": w})
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    write_atomically(folder / "rows.npz", file.getvalue())
    return {"type": "npz", "path": "rows.npz"} | ({} if w is None else {"weights": "weights"})


def _diverges(config: Path, *, allow_plugins: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="nettrain-") as folder:
        try:
            sets = ["training.loggers=[]"]
            train(config, sets=sets, output_directory=folder, allow_plugins=allow_plugins)
        except Diverged:
            return True
    return False
