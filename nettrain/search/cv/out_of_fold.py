"""Out-of-fold predictions: of each row by the network that has not seen it, once per repeat."""

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


def write_predictions(
    path: Path,
    folds: Folds,
    directories: Sequence[Path],
    loader: Loader,
    *,
    allow_plugins: bool,
) -> None:
    """Write a CSV of the predictions of every row by the network that has not seen it.

    Its columns are row (counted from 0 in the source), repeat, fold, target, prediction and
    probabilities; each repeat is in the order of rows.
    """
    columns: dict[str, list[np.ndarray]] = {}
    for fold, directory in zip(folds.folds, directories, strict=True):
        predictor = load(directory, allow_plugins=allow_plugins, loader=loader)
        for name, values in _columns(folds, fold, predictor):
            columns.setdefault(name, []).append(values.astype(object))
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    order = np.lexsort((joined["row"].astype(np.int64), joined["repeat"].astype(np.int64)))
    write_atomically(path, as_csv([(name, values[order]) for name, values in joined.items()]))


def _columns(folds: Folds, fold: Fold, predictor: Predictor) -> list[Column]:
    rows = fold.rows["test"]
    dataset = folds.dataset.take(rows)
    predictions = predictor.predictions_of(dataset)
    columns: list[Column] = [
        ("row", rows),
        ("repeat", np.full(len(rows), fold.repeat)),
        ("fold", np.full(len(rows), fold.fold)),
    ]
    truth = predictor.truth(dataset)
    if predictor.task == "classification":
        truth = predictor.schema.labels[truth]
    columns += named_columns(
        "target", predictor, truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
    )
    columns += decided_columns(predictor, predictions)
    if predictor.task != "regression":
        columns += probability_columns(predictor, predictions)
    return columns
