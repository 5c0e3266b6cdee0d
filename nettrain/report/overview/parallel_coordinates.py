"""Parallel coordinates of a sweep: one axis per parameter, one line per trial."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from nettrain.report.marks import short
from nettrain.report.section import value_text
from nettrain.report.style import BLACK, PAPER, SEQUENTIAL

MOST = 8  # axes of parameters
STEEP = 50  # the largest value over the smallest from which an axis is logarithmic


def parallel_coordinates(
    trials: Sequence[dict[str, Any]], names: Sequence[str], metric: str, higher: bool
) -> Figure:
    """The figure; colours are the ranks of the trials.

    Args:
        trials: With a finite metric, the best first.
        names: Of the parameters; those with one value are left out.
        metric: Its name, for the last axis.
        higher: Whether higher is better.
    """
    values = {name: [trial["parameters"].get(name) for trial in trials] for name in names}
    varied = {name: v for name, v in values.items() if len(set(map(str, v))) > 1}
    columns = dict(list(varied.items())[:MOST]) | {metric: [trial["metric"] for trial in trials]}
    figure = Figure(figsize=(max(7.2, 1.15 * len(columns)), 3.6))
    axes = figure.subplots()
    heights = []
    for x, column in enumerate(columns.values()):
        position, ticks = _scaled(column)
        heights.append(position)
        axes.axvline(x, color=BLACK, linewidth=0.8)
        for y, label in ticks:
            text = axes.text(x + 0.03, y, short(label, 12), fontsize=7, va="center")
            text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1})
            text.set_zorder(3)
    lines = np.array(heights).T
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(1, 0, len(trials)))
    for line, colour in reversed(list(zip(lines, colours, strict=True))):
        axes.plot(range(len(columns)), line, color=colour, linewidth=1.2, alpha=0.8)
    axes.set_xticks(range(len(columns)), [short(n, 22) for n in columns], rotation=20, ha="right")
    axes.set(yticks=[], xlim=(-0.1, len(columns) - 0.4), ylim=(-0.05, 1.05))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(f"{len(trials)} trials; {'higher' if higher else 'lower'} is better", fontsize=9)
    return figure


def _scaled(column: list[Any]) -> tuple[list[float], list[tuple[float, str]]]:
    """Positions from 0 to 1, and where to write which values; a missing value is at the bottom."""
    numbers = [value for value in column if isinstance(value, int | float)]
    if len(numbers) == len([value for value in column if value is not None]) and numbers:
        low, high = float(min(numbers)), float(max(numbers))
        logarithmic = low > 0 and high / low > STEEP
        ends = (np.log(low), np.log(high)) if logarithmic else (low, high)
        width = (ends[1] - ends[0]) or 1.0
        scaled = [
            0.0 if v is None else float(((np.log(v) if logarithmic else v) - ends[0]) / width)
            for v in column
        ]
        return scaled, [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
    labels = sorted({value_text(value) for value in column})
    places = {label: i / max(1, len(labels) - 1) for i, label in enumerate(labels)}
    return [places[value_text(value)] for value in column], [
        (y, label) for label, y in places.items()
    ]
