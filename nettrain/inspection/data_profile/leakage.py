"""Leaks: columns that tell the target by themselves, as what is known only afterwards does."""

from collections.abc import Iterator

import numpy as np

from nettrain import streams
from nettrain.data.features import Category
from nettrain.data.target import Target
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.remedies import ignore
from nettrain.inspection.data_profile.repeated_columns import partition
from nettrain.inspection.data_profile.single_columns import (
    FOLDS,
    class_score,
    linear_score,
    number_score,
    numbered,
    rank_score,
    threshold_score,
)
from nettrain.inspection.data_profile.suspicion import Suspicion

_CLASSES = 0.98  # of the error of the largest class that one column takes away
_NUMBERS = 0.99  # R^2
_RANKS = 0.999  # R^2 of the ranks: a function of the target, such as its logarithm
_COPY = 1 - 1e-9
_FEWEST = 50  # rows: with fewer a column predicts by chance
_MOST_CELLS = 1_000_000
_MOST_TARGETS = 10


def leak_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Columns that predict the target alone.

    A table of one column has none: there the column is all that the model has.
    """
    target = rows.target
    if target is None or len(rows.columns) < 2 or len(rows) < _FEWEST or rows.task is None:
        return
    most = max(_MOST_CELLS // len(rows.columns), _FEWEST)
    chosen = _generator().permutation(len(rows))[:most]
    fold = np.arange(len(chosen)) % FOLDS
    for name in rows.columns:
        if "drop" in rows.transforms_of(name):
            continue
        column: np.ndarray | Category = (
            rows.numbers[name][chosen] if name in rows.numbers else rows.texts[name].take(chosen)
        )
        for place in range(min(_outputs(target), _MOST_TARGETS)):
            found = _leak(rows, name, column, target, place, chosen, fold)
            if found is not None:
                yield found
                break


def _leak(
    rows: ProfiledRows,
    name: str,
    column: np.ndarray | Category,
    target: Target,
    place: int,
    chosen: np.ndarray,
    fold: np.ndarray,
) -> Suspicion | None:
    if rows.task == "regression":
        y = target.values[chosen, place]
        score = number_score(numbered(column), y, fold)
        if isinstance(column, np.ndarray):
            score = max(score, linear_score(column, y))
        is_leak, is_copy, shown = score >= _NUMBERS, score >= _COPY, f"R^2 {score:.4f}"
        if not is_leak and isinstance(column, np.ndarray):
            ranks = rank_score(column, y)
            is_leak, shown = ranks >= _RANKS, f"R^2 of the ranks {ranks:.4f}"
    else:
        values = target.values if target.values.ndim == 1 else target.values[:, place]
        codes = np.unique(values[chosen], return_inverse=True)[1].reshape(-1)
        if codes.max() == 0:
            return None
        score = class_score(numbered(column), codes, fold)
        if isinstance(column, np.ndarray):
            score = max(score, threshold_score(column, codes))
        is_leak, shown = score >= _CLASSES, f"{score:.1%} fewer errors than the baseline"
        is_copy = is_leak and _same_groups(column, codes)
    if not is_leak:
        return None
    return _suspicion(rows, name, _target_name(target, place), shown, is_copy)


def _suspicion(rows: ProfiledRows, name: str, target: str, shown: str, is_copy: bool) -> Suspicion:
    how = "exactly" if is_copy else "nearly perfectly"
    return Suspicion(
        "leak",
        "error" if is_copy else "warning",
        f"column {name!r}: tells the target {target!r} {how} by itself ({shown})",
        f"{ignore(rows, name)}, unless it is known before {target!r} is",
        (name,),
    )


def _same_groups(column: np.ndarray | Category, codes: np.ndarray) -> bool:
    """Whether each value stands with one class and each class with one value."""
    labels = partition(column)
    own = partition(codes.astype(np.float64))
    return labels is not None and own is not None and np.array_equal(labels, own)


def _outputs(target: Target) -> int:
    return 1 if target.values.ndim == 1 else target.values.shape[1]


def _target_name(target: Target, place: int) -> str:
    return target.names[place] if _outputs(target) > 1 else ", ".join(target.names)


def _generator() -> np.random.Generator:
    return streams.generator(0, "profile.leakage")
