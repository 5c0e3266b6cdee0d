"""Values with their intervals, one line each, on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from nettrain.report.marks import short
from nettrain.report.style import BLUE, GREY, ORANGE

LINE = 0.26  # inches per value
MARGIN = 0.75


@dataclass(frozen=True)
class Bar:
    """One line of the chart.

    Attributes:
        name: At its left.
        value: The dot.
        interval: The line through it; None: there is none.
        stands_out: Whether it has the second colour.
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None
    stands_out: bool = False


def interval_chart(bars: Sequence[Bar], label: str, reference: float | None = None) -> Figure:
    """The chart, the first value at the top.

    Args:
        bars: One line each.
        label: Of the axis.
        reference: Where a dashed line goes from top to bottom.
    """
    figure = Figure(figsize=(7.2, MARGIN + LINE * len(bars)))
    axes = figure.subplots()
    for i, bar in enumerate(bars):
        colour = ORANGE if bar.stands_out else BLUE
        if bar.interval is not None:
            axes.plot(bar.interval, (i, i), color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot(bar.value, i, "D" if bar.stands_out else "o", color=colour, markersize=5)
    if reference is not None:
        axes.axvline(reference, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(bars)), [short(bar.name, 30) for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.6)
    axes.set_xlabel(label)
    return figure
