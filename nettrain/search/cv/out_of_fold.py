"""What each fold's network says of the rows that it has not seen: a prediction of every row, once a repeat."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nettrain.data.loader import Loader
from nettrain.inference.load import load
from nettrain.inference.prediction_table import (
    Column,
    as_csv,
    decided_columns,
    named_columns,
    probability_columns,
)
from nettrain.inference.predictor import Predictor
from nettrain.search.cv.fold_configs import Fold, Folds
from nettrain.training.artifacts.files import write_atomically
from nettrain.training.artifacts.run_directory import scored_checkpoint


def write_predictions(
    path: Path, found: Folds, directories: Sequence[Path], loader: Loader
) -> None:
    """A CSV: row (counted from 0 in the source), repeat, fold, target, prediction, probabilities; each repeat in the order of rows."""
    columns: dict[str, list[np.ndarray]] = {}
    for fold, directory in zip(found.folds, directories, strict=True):
        predictor = load(
            scored_checkpoint(directory, found.config), allow_plugins=True, loader=loader
        )
        for name, values in _columns(found, fold, predictor):
            columns.setdefault(name, []).append(np.array(values, dtype=object))
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    order = np.lexsort((joined["row"].astype(np.int64), joined["repeat"].astype(np.int64)))
    write_atomically(
        path, as_csv([(name, values[order].tolist()) for name, values in joined.items()]).encode()
    )


def _columns(found: Folds, fold: Fold, predictor: Predictor) -> list[Column]:
    rows = fold.rows["test"]
    dataset = found.dataset.take(rows)
    said = predictor.predictions_of(dataset)
    columns: list[Column] = [
        ("row", rows.tolist()),
        ("repeat", [fold.repeat] * len(rows)),
        ("fold", [fold.fold] * len(rows)),
    ]
    truth = predictor.truth(dataset)
    if predictor.task == "classification":
        truth = predictor.schema.labels[truth]
    columns += named_columns(
        "target", predictor, truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
    )
    columns += decided_columns(predictor, said)
    if predictor.task != "regression":
        columns += probability_columns(predictor, said)
    return columns
