"""Predictions as columns of a table: what is decided for each row, and how probable each class is."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nettrain.inference.predictor import Predictor

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
    """A header and a line a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(name for name, _ in columns)
    writer.writerows(zip(*(map(_cell, values) for _, values in columns), strict=True))
    return text.getvalue()


def _cell(value: object) -> object:
    """true and false as JSON and other tools write them, everything else as it is."""
    return str(value).lower() if isinstance(value, bool) else value
