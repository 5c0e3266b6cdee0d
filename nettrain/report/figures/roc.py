"""ROC curves."""

from matplotlib.figure import Figure

from nettrain.inspection.threshold_curves import roc_curve
from nettrain.report.binary_curves import draw_curves, mark_threshold, one_against_rest
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import GREY


class Roc(Plot):
    """One curve per class against the rest, or per label."""

    title = "ROC curves"
    reading = (
        "The closer a curve comes to the upper left corner the better the class is separated from "
        "the rest; the dashed diagonal (area 0.5) is guessing."
    )

    def lacks(self, view: RunView) -> str | None:
        """A class needs rows of it and rows that are not of it."""
        if reason := view.lacks("rows", "probabilities"):
            return reason
        curves = (roc_curve(positive, scores) for _, positive, scores in one_against_rest(view))
        if not any(curves):
            return f"all {len(view.dataset):,} rows of the {view.part} part are of one class"
        return None

    def draw(self, view: RunView) -> Figure:
        """Of a single curve the default threshold is marked."""
        figure = Figure(figsize=(5.8, 4.0))
        axes = figure.subplots()
        found = [
            (name, curve)
            for name, positive, scores in one_against_rest(view)
            if (curve := roc_curve(positive, scores)) is not None
        ]
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=0.8)
        draw_curves(
            axes,
            [(n, c.false_positive_rate, c.true_positive_rate, c.area) for n, c in found],
            "area",
            "post",
        )
        if len(found) == 1:
            curve = found[0][1]
            points = (curve.false_positive_rate, curve.true_positive_rate, curve.thresholds)
            mark_threshold(axes, view, *points)
        axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
        return figure
