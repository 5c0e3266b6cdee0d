"""Precision-recall curves."""

from matplotlib.figure import Figure

from nettrain.inspection.threshold_curves import precision_recall_curve
from nettrain.report.binary_curves import draw_curves, mark_threshold, one_against_rest
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import GREY


class Pr(Plot):
    """One curve per class against the rest, or per label."""

    title = "Precision-recall curves"
    reading = (
        "Every point is a threshold: recall is the share of the class that is found, precision the "
        "share of what is found that is right; for rare classes it says more than ROC."
    )

    def lacks(self, view: RunView) -> str | None:
        """A class needs rows of it."""
        if reason := view.lacks("rows", "probabilities"):
            return reason
        if not any(positive.any() for _, positive, _ in one_against_rest(view)):
            return f"no row of the {view.part} part is positive"
        return None

    def draw(self, view: RunView) -> Figure:
        """Of a single curve the default threshold and the share of positive rows are marked."""
        figure = Figure(figsize=(5.8, 4.0))
        axes = figure.subplots()
        found = [
            (name, curve, float(positive.mean()))
            for name, positive, scores in one_against_rest(view)
            if (curve := precision_recall_curve(positive, scores)) is not None
        ]
        draw_curves(
            axes,
            [(name, c.recall, c.precision, c.average_precision) for name, c, _ in found],
            "average precision",
            "pre",
        )
        if len(found) == 1:
            _, curve, share = found[0]
            mark_threshold(axes, view, curve.recall, curve.precision, curve.thresholds)
            axes.axhline(share, color=GREY, linestyle="--", linewidth=0.8)
        axes.set(xlabel="recall", ylabel="precision")
        return figure
