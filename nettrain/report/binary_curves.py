"""What ROC and precision-recall share: which classes get a curve, and how it is drawn."""

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
from matplotlib.axes import Axes

from nettrain.metrics import ClassOutcome, LabelOutcome
from nettrain.report.marks import class_colours, short
from nettrain.report.run_view import RunView
from nettrain.report.style import GREY

MOST = 8  # curves that can be told apart
MOST_GREY = 60  # further curves
BY_DEFAULT = 0.5


def one_against_rest(view: RunView) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, positive rows (n,) and scores (n,) of each class; of two the positive one's."""
    outcome = cast(ClassOutcome | LabelOutcome, view.outcome)
    for j, name in enumerate(view.class_names):
        two = isinstance(outcome, ClassOutcome) and len(view.class_names) == 2
        if two and j != outcome.decision.positive:  # type: ignore[union-attr]
            continue
        yield name, outcome.positives[:, j], outcome.probabilities[:, j]


def draw_curves(
    axes: Axes,
    curves: list[tuple[str, np.ndarray, np.ndarray, float]],
    area: str,
    where: Literal["pre", "post"],
) -> None:
    """Draws (name, x, y, area) curves; of many the worst are coloured, and the rest grey.

    Args:
        axes: To draw on, 0 to 1 both ways.
        curves: One per class that has one.
        area: What the area is called in the legend.
        where: Whether y changes before or after the step to the next x.
    """
    curves = sorted(curves, key=lambda curve: curve[3])
    coloured = curves if len(curves) <= MOST else curves[: MOST // 2]
    for _, x, y, _ in curves[len(coloured) :][:MOST_GREY]:
        axes.step(x, y, where=where, color=GREY, linewidth=0.7, alpha=0.7)
    colours = class_colours(len(coloured))
    for (name, x, y, value), colour in zip(coloured, colours, strict=True):
        axes.step(
            x, y, where=where, color=colour, linewidth=1.4, label=f"{short(name)}  {value:.3f}"
        )
    if len(curves) > len(coloured):
        rest = np.mean([curve[3] for curve in curves[len(coloured) :]])
        label = f"mean of {len(curves) - len(coloured)} others  {rest:.3f}"
        axes.plot([], [], color=GREY, linewidth=0.8, label=label)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), aspect="equal")
    axes.legend(title=area, loc="center left", bbox_to_anchor=(1.02, 0.5))


def mark_threshold(
    axes: Axes, view: RunView, x: np.ndarray, y: np.ndarray, thresholds: np.ndarray
) -> None:
    """A dot where rows are positive from the threshold upwards that the model decides by."""
    threshold = view.predictor.decision.threshold or BY_DEFAULT
    at = int(np.flatnonzero(thresholds >= threshold)[-1])
    axes.plot(x[at], y[at], "o", color="none", markeredgecolor=GREY, markersize=7)
    axes.annotate(
        f"threshold {threshold:.3g}",
        (x[at], y[at]),
        (6, -12),
        textcoords="offset points",
        fontsize=8,
    )
