"""Learning curves: loss, main metric and learning rate over the epochs."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.report.curve_data import curve_panels, finite_points
from nettrain.report.marks import logarithmic_if_steep, panels
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY, ORANGE

MARKED = 40  # epochs up to which each is a dot
COLOURS = {"train": BLUE, "validation": ORANGE, "learning rate": GREY}


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
        found = curve_panels(view)
        figure, axes = panels(len(found), columns=3, height=2.6)
        for panel, shown in zip(axes, found, strict=True):
            for name, points in shown.lines.items():
                if points[0]:
                    marker = "o" if len(points[0]) <= MARKED else None
                    panel.plot(
                        *points, color=COLOURS[name], marker=marker, markersize=2.5, label=name
                    )
            panel.set(xlabel="epoch", ylabel=shown.label)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            if "train" not in shown.lines:
                continue
            logarithmic_if_steep(panel)
            if view.best_epoch:
                panel.axvline(view.best_epoch, color=GREY, linestyle="--", linewidth=1)
            panel.legend()
        figure.suptitle(_about(view, rate_drawn=len(found[-1].lines) == 1), fontsize=9)
        return figure


def _about(view: RunView, *, rate_drawn: bool) -> str:
    """The best epoch, and the learning rate where it is constant."""
    rows = view.record.epochs
    best = f"best epoch: {view.best_epoch} of {rows[-1]['epoch']}" if view.best_epoch else ""
    rates = finite_points(rows, "lr")[1]
    constant = f"learning rate: {rates[0]:g}" if rates and not rate_drawn else ""
    return "; ".join(filter(None, (best, constant)))
