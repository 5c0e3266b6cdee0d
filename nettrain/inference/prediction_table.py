"""Predictions as columns of a table: the prediction for each row, and class probabilities."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nettrain.inference.predictor import Predictor
from nettrain.training.artifacts.csv_text import csv_text

Column = tuple[str, list[Any]]


def decided_columns(predictor: Predictor, found: np.ndarray) -> Iterator[Column]:
    """`prediction`, or `prediction_NAME` for each of several targets."""
    yield from named_columns("prediction", predictor, predictor.decided(found))


def probability_columns(predictor: Predictor, found: np.ndarray) -> Iterator[Column]:
    """`probability_NAME` for each class or label."""
    names = predictor.classes or predictor.schema.targets
    return (
        (f"probability_{name}", column)
        for name, column in zip(names, found.T.tolist(), strict=True)
    )


def named_columns(name: str, predictor: Predictor, values: np.ndarray) -> Iterator[Column]:
    """One column for values (n,), and one for each target for values (n, t)."""
    if values.ndim == 1:
        yield name, values.tolist()
    else:
        yield from (
            (f"{name}_{target}", column)
            for target, column in zip(predictor.schema.targets, values.T.tolist(), strict=True)
        )


def as_csv(columns: Sequence[Column]) -> str:
    """A header and one line per row."""
    rows = zip(*(values for _, values in columns), strict=True)
    return csv_text([name for name, _ in columns], rows)
