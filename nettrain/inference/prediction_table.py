"""Predictions as columns of a table: what is decided for each row, and how probable it is."""

from collections.abc import Iterator, Sequence

import numpy as np

from nettrain.data.written_columns import Block, WrittenColumns
from nettrain.errors import ConfigError, DataError
from nettrain.inference.predictor import Predictor
from nettrain.training.artifacts.spreadsheet import CsvText

Column = tuple[str, np.ndarray]
_ROWS = 16384  # become Python values at a time


def prediction_columns(
    predictor: Predictor, found: np.ndarray, *, probabilities: bool = False
) -> list[Column]:
    """The columns that `nettrain predict` writes.

    Several quantiles have a column each, and conformal intervals one for each end.

    Args:
        predictor: The model.
        found: What `predictions_of` returned.
        probabilities: Whether the probability of every class is added to that of the predicted one.
            Labels always come with theirs.
    """
    columns = list(decided_columns(predictor, found))
    levels = predictor.decision.levels
    if len(levels) > 1:
        for level, values in zip(
            levels, predictor.decision.quantiles(found).swapaxes(0, 1), strict=True
        ):
            columns += named_columns(f"quantile_{level:g}", predictor, values)
    if predictor.conformal is not None:
        for name, values in zip(
            ("lower", "upper"), predictor.conformal.interval(found), strict=True
        ):
            columns += named_columns(name, predictor, values)
    if predictor.task == "classification":
        columns.append(("probability", probability_of_decided(predictor, found)))
    if predictor.task == "multilabel" or probabilities:
        columns += probability_columns(predictor, found)
    return columns


def decided_columns(predictor: Predictor, found: np.ndarray) -> Iterator[Column]:
    """`prediction`, or `prediction_NAME` for each of several targets."""
    yield from named_columns("prediction", predictor, predictor.decided(found))


def probability_of_decided(predictor: Predictor, found: np.ndarray) -> np.ndarray:
    """Of the class that is decided for (n,); below 1/2 where a low threshold decides."""
    return found[np.arange(len(found)), predictor.decision.classes(found)]


def probability_columns(predictor: Predictor, found: np.ndarray) -> Iterator[Column]:
    """`probability_NAME` for each class or label."""
    names = predictor.classes or predictor.schema.targets
    return ((f"probability_{name}", column) for name, column in zip(names, found.T, strict=True))


def named_columns(name: str, predictor: Predictor, values: np.ndarray) -> Iterator[Column]:
    """One column for values (n,) or (n, 1), and one for each target for values (n, t)."""
    if values.ndim == 1 or values.shape[1] == 1 == len(predictor.schema.targets):
        yield name, values.reshape(len(values))
    else:
        yield from (
            (f"{name}_{target}", column)
            for target, column in zip(predictor.schema.targets, values.T, strict=True)
        )


def check_kept(names: Sequence[str], predictor: Predictor, *, probabilities: bool) -> None:
    """Raises ConfigError for a column to keep that is named as a column of predictions."""
    width = len(predictor.classes or predictor.schema.targets)
    none = np.empty((0, width * max(len(predictor.decision.levels), 1)))
    written = dict(prediction_columns(predictor, none, probabilities=probabilities))
    for name in names:
        if name in written:
            raise ConfigError(
                f"--keep {name}: the output has a column {name!r} of its own; rename it in the "
                "input"
            )


def blocks(columns: Sequence[Column], kept: WrittenColumns | None) -> Iterator[Block]:
    """The rows of a table some at a time, so that few of them are Python values at once.

    Args:
        columns: Of the predictions, of n rows.
        kept: Of the input, to their left.

    Raises:
        DataError: The columns that are kept do not have n rows.
    """
    rows = len(columns[0][1])
    starts = range(0, rows, _ROWS)
    beside: Iterator[Block] = ([] for _ in starts) if kept is None else kept.blocks
    start = 0
    for block in beside:
        stop = start + (len(block[0]) if block else _ROWS)
        yield [*block, *(values[start:stop].tolist() for _, values in columns)]
        start = stop
    if kept is not None and start != rows:
        raise DataError(
            f"--keep: the input has {start} rows now and had {rows} before: it has changed while "
            "it was read"
        )


def as_csv(columns: Sequence[Column]) -> bytes:
    """A header and one line per row."""
    return b"".join(CsvText().chunks([name for name, _ in columns], blocks(columns, None)))
