"""The learning-rate range test."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nettrain.errors import DataError
from nettrain.files import read_text
from nettrain.inspection.lr_range_test import suggest
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY, RED


class Lr(Plot):
    """The loss over rising learning rates, as `nettrain fit --find-lr` wrote it."""

    title = "Learning-rate range test"
    reading = (
        "Below the fall the rate is too small to learn, and where the loss shoots up it is too "
        "large; a tenth of the rate with the lowest loss is a good start."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs the file."""
        if _file(view).is_file():
            return None
        return f"there is no {_file(view)}; nettrain fit CONFIG --find-lr writes it"

    def draw(self, view: RunView) -> Figure:
        """Raises DataError for a file that is not such a curve."""
        rates, losses, smoothed = _read(_file(view))
        figure = Figure(figsize=(5.2, 3.2))
        axes = figure.subplots()
        axes.plot(rates, losses, color=GREY, linewidth=0.6, alpha=0.7, label="batch")
        axes.plot(rates, smoothed, color=BLUE, label="smoothed")
        suggestion = suggest(rates, smoothed)
        if suggestion is not None:
            label = f"suggestion {suggestion:.2g}"
            axes.axvline(suggestion, color=RED, linestyle="--", linewidth=1, label=label)
        top = max(smoothed[0], min(smoothed)) * 1.3
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss per row", ylim=(0, top))
        axes.legend()
        return figure


def _file(view: RunView) -> Path:
    path = view.record.path
    return view.find_lr or path.parent / f"{path.name}-find-lr.csv"


def _read(path: Path) -> tuple[list[float], list[float], list[float]]:
    try:
        rows = list(csv.DictReader(read_text(path).splitlines()))
        columns = [[float(row[name]) for row in rows] for name in ("lr", "loss", "smoothed")]
    except (ValueError, KeyError, TypeError):
        columns = []
    if not columns or not columns[0] or not np.isfinite(columns).all():
        raise DataError(f"{path}: is not the CSV that nettrain fit --find-lr writes")
    return columns[0], columns[1], columns[2]
