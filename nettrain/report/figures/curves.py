"""Learning curves: loss, main metric and learning rate over the epochs."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.report.marks import logarithmic_if_steep, panels
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY, ORANGE

MARKED = 40  # epochs up to which each is a dot
COLOURS = {"train": BLUE, "validation": ORANGE}


class Curves(Plot):
    """One panel each for loss, main metric and, where it varies, learning rate."""

    title = "Learning curves"
    reading = (
        "Validation loss that rises while training loss still falls is overfitting; the dashed "
        "line marks the best epoch, whose weights were kept."
    )

    def lacks(self, view: RunView) -> str | None:
        """One finished epoch is enough."""
        return view.lacks("epochs")

    def draw(self, view: RunView) -> Figure:
        """Non-finite values are left out."""
        rows = view.record.epochs
        shown = [("loss", "loss per row")]
        if view.main_metric != "loss":
            shown.append((view.main_metric, view.main_metric.replace("_", " ")))
        rates = [row["lr"] for row in rows if _finite(row.get("lr"))]
        has_rate = bool(rates) and min(rates) < max(rates)
        figure, axes = panels(len(shown) + has_rate, columns=3, height=2.6)
        for panel, (metric, label) in zip(axes, shown, strict=False):
            for part, colour in COLOURS.items():
                _line(panel, rows, f"{part}_{metric}", colour, part)
            panel.set(xlabel="epoch", ylabel=label)
            logarithmic_if_steep(panel)
            if view.best_epoch:
                panel.axvline(view.best_epoch, color=GREY, linestyle="--", linewidth=1)
            panel.legend()
        if has_rate:
            _line(axes[-1], rows, "lr", GREY, "learning rate")
            axes[-1].set(xlabel="epoch", ylabel="learning rate")
        best = f"best epoch: {view.best_epoch} of {rows[-1]['epoch']}" if view.best_epoch else ""
        constant = f"learning rate: {rates[0]:g}" if rates and not has_rate else ""
        figure.suptitle("    ".join(filter(None, (best, constant))), fontsize=9)
        return figure


def _line(axes: Axes, rows: list[dict[str, Any]], key: str, colour: str, label: str) -> None:
    points = [(row["epoch"], row[key]) for row in rows if _finite(row.get(key))]
    if points:
        epochs, values = zip(*points, strict=True)
        marker = "o" if len(points) <= MARKED else None
        axes.plot(epochs, values, color=colour, marker=marker, markersize=2.5, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
