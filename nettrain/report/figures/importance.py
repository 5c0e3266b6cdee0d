"""Permutation importance."""

from matplotlib.figure import Figure

from nettrain.metrics import direction
from nettrain.report.marks import WIDTH, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLACK, BLUE, GREY

MOST = 25


class ImportancePlot(Plot):
    """A bar per raw column with its 95 % interval."""

    title = "Permutation importance"
    reading = (
        "A bar is how much worse the metric gets when that column is shuffled; of strongly "
        "correlated columns each alone looks less important than both together."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a table with at least two rows."""
        if reason := view.lacks("rows", "table"):
            return reason
        return None if len(view.dataset) > 1 else "one row cannot be shuffled"

    def draw(self, view: RunView) -> Figure:
        """The most important columns; how many are left out is said."""
        found = view.importance
        shown = found.features[:MOST]
        figure = Figure(figsize=(WIDTH, 1.1 + 0.24 * len(shown)))
        axes = figure.subplots()
        positions = range(len(shown))
        axes.barh(positions, [one.mean for one in shown], color=BLUE, height=0.7)
        for i, one in enumerate(shown):
            if one.interval is not None:
                axes.plot(one.interval, (i, i), color=BLACK, linewidth=1.2)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(list(positions), [short(one.feature, 28) for one in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        metric = found.metric.replace("_", " ")
        change = "decrease in" if direction(f"test_{found.metric}") else "increase in"
        axes.set_xlabel(f"{change} {metric}, which is {found.value:.4g} on {found.rows:,} rows")
        left_out = len(found.features) - len(shown)
        if left_out:
            axes.set_title(f"{MOST} of {len(found.features)} columns", fontsize=9)
        return figure
