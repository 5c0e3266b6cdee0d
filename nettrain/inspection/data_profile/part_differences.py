"""Parts that differ: rows of validation and test that do not look like those of training."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import PARTS
from nettrain.data.features import MISSING, Category
from nettrain.inspection.data_profile.part_classifier import classifier_auc
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import listed
from nettrain.inspection.statistics.chi_squared import chi_squared
from nettrain.inspection.statistics.holm import holm
from nettrain.inspection.statistics.kolmogorov_smirnov import kolmogorov_smirnov

_SIGNIFICANT = 1e-3  # after Holm's correction over all columns and parts
_LEAST_EFFECT = 0.1  # D, or Cramer's V: smaller differences are found in any large data
_LARGE_EFFECT = 0.25
_LEAST_AUC = 0.6
_LARGE_AUC = 0.7
_ERRORS = 5.0  # standard errors of the AUC by chance
_FEWEST = 30  # rows of a part
_EXPECTED = 5.0  # rows of a category in the smaller part: rarer ones are pooled


@dataclass(frozen=True)
class ColumnDifference:
    """How much a column differs between training and another part."""

    column: str
    effect: float  # D of Kolmogorov-Smirnov, or Cramer's V
    p_value: float


def difference_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for each part whose rows are told from training rows.

    Where groups are kept together, rows are no independent draws, and nothing is tested.
    """
    if "group" in rows.divided_by:
        return
    train = rows.in_training()
    others = [part for part in rows.parts if part != "train"]
    is_part = {part: rows.part == PARTS.index(part) for part in others}
    tested = [part for part in others if min(is_part[part].sum(), train.sum()) >= _FEWEST]
    columns = _columns(rows)
    if not tested or not columns:
        return
    found = {part: column_differences(columns, train, is_part[part]) for part in tested}
    p_values = [one.p_value for part in tested for one in found[part]]
    adjusted = iter(holm(p_values))
    for part in tested:
        significant = [
            one
            for one, p in zip(found[part], adjusted, strict=False)
            if p < _SIGNIFICANT and one.effect >= _LEAST_EFFECT
        ]
        auc, chance = classifier_auc(columns, train, is_part[part])
        if not significant and not auc > 0.5 + max(_LEAST_AUC - 0.5, _ERRORS * chance):
            continue
        chosen = (significant or found[part], auc, len(significant), len(columns))
        yield _suspicion(part, *chosen, chronological="time" in rows.divided_by)


def _suspicion(
    part: str,
    telling: list[ColumnDifference],
    auc: float,
    count: int,
    columns: int,
    *,
    chronological: bool,
) -> Suspicion:
    telling = sorted(telling, key=lambda one: -one.effect)[:5]
    shown = listed(f"{one.column} ({one.effect:.2f})" for one in telling)
    large = auc >= _LARGE_AUC or (count and telling[0].effect >= _LARGE_EFFECT)
    return Suspicion(
        "part_differs",
        "warning" if large and not chronological else "note",
        f"{part} part: a linear classifier tells its rows from training rows with AUC {auc:.2f} "
        f"(0.5: not at all); {count} of {columns} columns differ, most: {shown}",
        "none, if the model is for later rows: metrics show how it fares on them"
        if chronological
        else "`split: {validation: 0.2, test: 0.2}` in `dataset` draws the parts at random, unless "
        "other rows than those of training are to be tested",
        tuple(one.column for one in telling),
    )


def _columns(rows: ProfiledRows) -> dict[str, np.ndarray | Category]:
    """Features and target; of images their brightness and contrast."""
    columns: dict[str, np.ndarray | Category] = {}
    if rows.images is not None:
        flat = rows.images.reshape(len(rows), -1)
        columns["brightness"] = flat.mean(axis=1, dtype=np.float64)
        columns["contrast"] = flat.std(axis=1, dtype=np.float64)
    for name in rows.columns:
        if "drop" not in rows.transforms_of(name):
            columns[name] = rows.numbers[name] if name in rows.numbers else rows.texts[name]
    target = rows.target
    if target is not None and target.classes is not None:
        columns[", ".join(target.names)] = Category(target.values, target.classes)
    elif target is not None:
        columns |= dict(zip(target.names, target.values.T, strict=True))
    return columns


def column_differences(
    columns: dict[str, np.ndarray | Category], train: np.ndarray, part: np.ndarray
) -> list[ColumnDifference]:
    """The test of each column: Kolmogorov-Smirnov of numbers, chi-squared of texts.

    Args:
        columns: By name.
        train: Which rows (n,) are trained on.
        part: Which rows (n,) are in the other part.
    """
    found = []
    for name, column in columns.items():
        if isinstance(column, Category):
            effect, p_value = _of_counts(column.codes[train], column.codes[part])
        else:
            a, b = (x[~np.isnan(x)] for x in (column[train], column[part]))
            gaps = _of_counts(np.isnan(column[train]) - 1, np.isnan(column[part]) - 1)
            effect, p_value = kolmogorov_smirnov(a, b) if len(a) and len(b) else (0.0, 1.0)
            if gaps[1] < p_value and gaps[0] > effect:
                effect, p_value = gaps
        found.append(ColumnDifference(name, effect, p_value))
    return found


def _of_counts(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Cramer's V and p of the table of two samples of codes; rare codes are one."""
    size = int(max(a.max(), b.max())) - MISSING + 1
    counts = np.stack([np.bincount(codes - MISSING, minlength=size) for codes in (a, b)])
    counts = counts.astype(np.float64)
    expected = counts.sum(axis=0) * min(len(a), len(b)) / (len(a) + len(b))
    rare = expected < _EXPECTED
    counts = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    counts = counts[:, counts.sum(axis=0) > 0]
    statistic, p_value = chi_squared(counts)
    return float(np.sqrt(statistic / counts.sum())), p_value
