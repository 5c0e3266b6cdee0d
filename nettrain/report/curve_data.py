"""The learning curves of a run as numbers: what each panel shows, whoever draws it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nettrain.numbers import is_finite
from nettrain.report.run_view import RunView

PARTS = ("train", "validation")
STEEP = 30  # the largest value over the smallest from which an axis is logarithmic

Points = tuple[list[int], list[float]]


@dataclass(frozen=True)
class CurvePanel:
    """One pair of axes over the epochs.

    Attributes:
        label: What is drawn, with its unit.
        lines: Epochs and values by the name of the line.
    """

    label: str
    lines: Mapping[str, Points]


def curve_panels(view: RunView) -> list[CurvePanel]:
    """The loss, the main metric and, where it varies, the learning rate of a run."""
    rows = view.record.epochs
    shown = [("loss", "loss per row")]
    if view.main_metric != "loss":
        shown.append((view.main_metric, view.main_metric.replace("_", " ")))
    found = [
        CurvePanel(label, {part: finite_points(rows, f"{part}_{metric}") for part in PARTS})
        for metric, label in shown
    ]
    rates = finite_points(rows, "lr")
    if rates[1] and min(rates[1]) < max(rates[1]):
        found.append(CurvePanel("learning rate", {"learning rate": rates}))
    return found


def finite_points(rows: Sequence[Mapping[str, Any]], key: str) -> Points:
    """The epochs and values of the rows in which a key is a finite number."""
    known = [(row["epoch"], row[key]) for row in rows if is_finite(row.get(key))]
    return [epoch for epoch, _ in known], [float(value) for _, value in known]


def is_steep(values: Iterable[float]) -> bool:
    """Whether an axis should be logarithmic: all values are positive and span decades."""
    known = list(values)
    return bool(known) and min(known) > 0 and max(known) / min(known) > STEEP
