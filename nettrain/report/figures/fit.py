"""The fitted curve of a model with one input."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from nettrain.report.marks import short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY, ORANGE

POINTS = 400
MARGIN = 0.1  # of the range, to both sides


class Fit(Plot):
    """The prediction over the only input, and the rows."""

    title = "Fitted curve"
    reading = (
        "The line is what the model predicts; beyond the rows, in the margins, it extrapolates."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs one numeric input and one value."""
        if reason := view.lacks("rows", "values", "table"):
            return reason
        schema = view.predictor.schema
        if len(schema.numbers) == 1 and not schema.texts and len(schema.targets) == 1:
            return None
        return "it has more than one input or target"

    def draw(self, view: RunView) -> Figure:
        """Training rows and those of the part in two colours."""
        x = view.train.features.array[:, 0].astype(np.float64)
        margin = MARGIN * float(np.ptp(x)) or 0.5
        line = np.linspace(x.min() - margin, x.max() + margin, POINTS)
        features = replace(view.train.features, numbers=line[:, np.newaxis])
        rows = replace(view.train.take(np.zeros(POINTS, int)), features=features, target=None)
        figure = Figure(figsize=(6.2, 3.8))
        axes = figure.subplots()
        parts = {"train": (view.train, GREY), view.part: (view.dataset, ORANGE)}
        for name, (dataset, colour) in parts.items():
            truth = view.predictor.truth(dataset)[:, 0]
            axes.scatter(dataset.features.array[:, 0], truth, s=10, color=colour, label=name)
        model = view.predictor
        found = model.predictions_of(rows)
        axes.plot(line, model.decision.values(found)[:, 0], color=BLUE, label="prediction")
        levels = model.decision.levels
        if len(levels) > 1:
            label = f"quantiles {levels[0]:g} to {levels[-1]:g}"
            axes.fill_between(line, found[:, 0], found[:, -1], color=BLUE, alpha=0.2, label=label)
        schema = view.predictor.schema
        axes.set(xlabel=short(schema.numbers[0], 40), ylabel=short(schema.targets[0], 40))
        axes.legend()
        return figure
