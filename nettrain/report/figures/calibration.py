"""The reliability diagram."""

from typing import cast

import numpy as np
from matplotlib.figure import Figure

from nettrain.inspection.calibration import brier_score, predicted_events, reliability
from nettrain.metrics import ClassOutcome, LabelOutcome
from nettrain.report.marks import short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY

ENOUGH = 10  # rows from which the share in a bin says something
FEW = f"fewer than {ENOUGH} rows"


class Calibration(Plot):
    """Observed shares over predicted probabilities, and how many rows each bin has."""

    title = "Reliability diagram"
    reading = (
        "On the diagonal, what gets a probability of 70 % happens in 70 % of the rows; points "
        "below it are overconfident, and large gaps matter where the bars below are high."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs probabilities."""
        return view.lacks("rows", "probabilities")

    def draw(self, view: RunView) -> Figure:
        """Of several classes the confidence in the predicted class is shown."""
        outcome = cast(ClassOutcome | LabelOutcome, view.outcome)
        probabilities, events = predicted_events(outcome)
        curve = reliability(probabilities, events)
        figure = Figure(figsize=(4.6, 4.8))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=0.8)
        upper.plot(curve.predicted, curve.observed, color=BLUE, linewidth=0.8)
        enough = curve.counts >= ENOUGH
        for chosen, face, label in ((enough, BLUE, None), (~enough, "white", FEW)):
            upper.plot(
                curve.predicted[chosen],
                curve.observed[chosen],
                "o",
                color=BLUE,
                markerfacecolor=face,
                label=label if chosen.any() else None,
            )
        if not enough.all():
            upper.legend(loc="upper left")
        upper.set(ylabel="observed share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
        upper.set_title(f"ECE {curve.ece:.3f}   Brier score {brier_score(outcome):.3f}")
        counts, _ = np.histogram(probabilities, curve.edges)
        lower.bar(curve.edges[:-1], counts, width=np.diff(curve.edges), align="edge", color=BLUE,
                  edgecolor="white", linewidth=0.5)  # fmt: skip
        lower.set(xlabel=_what(outcome, view), ylabel="rows")
        return figure


def _what(outcome: ClassOutcome | LabelOutcome, view: RunView) -> str:
    if isinstance(outcome, LabelOutcome):
        return "predicted probability of a label"
    if len(view.class_names) == 2:
        return f"predicted probability of {short(view.class_names[outcome.decision.positive])}"
    return "predicted probability of the predicted class"
