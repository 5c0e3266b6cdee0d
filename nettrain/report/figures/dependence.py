"""Partial dependence."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nettrain.inspection.dependence import PartialDependence
from nettrain.report.marks import class_colours, panels, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

MOST_CURVES = 8
MOST_CATEGORIES = 12


class Dependence(Plot):
    """The mean prediction over the values of each of the most important columns."""

    title = "Partial dependence"
    reading = (
        "A line is the mean prediction when every row has that value in the column, all else as it "
        "is: a flat line means that the model ignores the column."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a table."""
        if reason := view.lacks("rows", "table"):
            return reason
        return None if len(view.dataset) > 1 or view.features else "one row has no importances"

    def draw(self, view: RunView) -> Figure:
        """Of two classes the second is shown, of many those that vary most."""
        curves = view.dependences
        chosen = _varying(curves, view)
        names = view.class_names
        colours = class_colours(len(chosen))
        figure, axes = panels(len(curves), columns=3, height=2.4, share_y=True)
        for panel, curve in zip(axes, curves, strict=True):
            for j, colour in zip(chosen, colours, strict=True):
                _line(panel, curve, curve.mean[:, j], colour, short(names[j]))
            panel.set(xlabel=short(curve.feature, 26))
        values = view.predictor.task == "regression"
        what = "prediction" if values else "probability"
        axes[0].set_ylabel(
            f"mean {what}" if len(chosen) > 1 else f"mean {what}: {short(names[chosen[0]])}"
        )
        if len(chosen) > 1:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper center", ncols=min(4, len(chosen)))
        return figure


def _varying(curves: list[PartialDependence], view: RunView) -> list[int]:
    """The classes, labels or targets whose curves are drawn."""
    k = curves[0].mean.shape[1]
    if view.predictor.task == "classification" and k == 2:
        return [1]
    ranges = np.max([np.ptp(curve.mean, axis=0) for curve in curves], axis=0)
    return sorted(np.argsort(-ranges, kind="stable")[:MOST_CURVES].tolist())


def _line(axes: Axes, curve: PartialDependence, mean: np.ndarray, colour: str, label: str) -> None:
    if not curve.categorical:
        axes.plot(
            np.array(curve.grid, float), mean, "o-", markersize=2.5, color=colour, label=label
        )
        return
    shown = list(curve.grid[:MOST_CATEGORIES])
    positions = np.arange(len(shown))
    axes.plot(positions, mean[: len(shown)], "o", markersize=5, color=colour, label=label)
    axes.set_xticks(positions, [short(name, 12) for name in shown], rotation=90)
