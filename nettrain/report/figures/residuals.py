"""Predicted against true values, and the residuals."""

from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.metrics import ValueOutcome
from nettrain.report.marks import MOST_POINTS, WIDTH, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY

MOST_TARGETS = 4


class Residuals(Plot):
    """Three panels per target: predicted against true, residuals, and how they are distributed."""

    title = "Residuals"
    reading = (
        "Points on the dashed lines are exact; a curve or a funnel in the residuals (predicted - "
        "true) is structure that the model has missed."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs values."""
        return view.lacks("rows", "values")

    def draw(self, view: RunView) -> Figure:
        """Of more than four targets all are drawn together."""
        outcome = cast(ValueOutcome, view.outcome)
        targets, predicted = outcome.targets, outcome.predicted
        names = [short(name) for name in view.predictor.schema.targets]
        if targets.shape[1] > MOST_TARGETS:
            names = [f"{targets.shape[1]} targets"]
            targets, predicted = targets.reshape(-1, 1), predicted.reshape(-1, 1)
        figure = Figure(figsize=(WIDTH, 2.6 * len(names)))
        rows = figure.subplots(len(names), 3, squeeze=False)
        for panels, name, true, values in zip(rows, names, targets.T, predicted.T, strict=True):
            residuals = values.astype(np.float64) - true
            many = len(true) > MOST_POINTS
            dots: dict[str, Any] = {
                "s": 6,
                "alpha": 0.3 if many else 0.6,
                "color": BLUE,
                "linewidths": 0,
            }
            scatter, spread, counts = panels
            scatter.scatter(true, values, rasterized=many, **dots)
            ends = [min(true.min(), values.min()), max(true.max(), values.max())]
            scatter.plot(ends, ends, color=GREY, linestyle="--", linewidth=0.8)
            scatter.set(xlabel=f"true {name}", ylabel=f"predicted {name}")
            spread.scatter(values, residuals, rasterized=many, **dots)
            spread.axhline(0, color=GREY, linestyle="--", linewidth=0.8)
            spread.set(xlabel=f"predicted {name}", ylabel="residual")
            counts.hist(residuals, bins=min(40, max(5, len(true) // 5)), color=BLUE)
            counts.axvline(0, color=GREY, linestyle="--", linewidth=0.8)
            counts.set(xlabel="residual", ylabel="rows")
            for panel in panels:  # long numbers need room
                panel.xaxis.set_major_locator(MaxNLocator(3))
        return figure
