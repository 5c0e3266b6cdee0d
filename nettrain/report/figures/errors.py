"""The twenty worst errors."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nettrain.inspection.raw_features import column_names
from nettrain.report.marks import WIDTH, short, show_image, tiles
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.worst_rows import WorstRow, cells, worst_rows

MOST_COLUMNS = 4


class Errors(Plot):
    """Images with what was predicted, or a table of rows."""

    title = "Worst errors"
    reading = (
        "The rows on which the model is most wrong, the worst first: look for wrong labels, odd "
        "inputs, and what these rows have in common."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a row that is wrong."""
        if reason := view.lacks("rows"):
            return reason
        return None if worst_rows(view) else f"every row of the {view.part} part is right"

    def draw(self, view: RunView) -> Figure:
        """Up to twenty rows."""
        rows = worst_rows(view)
        return _table(view, rows) if view.lacks("images") else _images(view, rows)


def _images(view: RunView, rows: list[WorstRow]) -> Figure:
    figure, axes = tiles(len(rows), columns=5, height=1.75)
    for panel, row in zip(axes, rows, strict=True):
        show_image(panel, view.dataset.take(np.array([row.index])).features.array[0])
        sure = "" if row.probability is None else f" ({row.probability:.0%})"
        true, predicted = short(row.truth, 16), short(row.predicted, 16)
        panel.set_title(f"true: {true}\npredicted: {predicted}{sure}", fontsize=7)
    return figure


def _table(view: RunView, rows: list[WorstRow]) -> Figure:
    columns = column_names(view.dataset.features)[:MOST_COLUMNS]
    sure = ["probability"] if rows[0].probability is not None else []
    headings = ["row", "true", "predicted", *sure, *(short(name, 14) for name in columns)]
    content = [
        [
            short(row.where, 16),
            short(row.truth, 14),
            short(row.predicted, 14),
            *([] if row.probability is None else [f"{row.probability:.1%}"]),
            *(short(cell, 14) for cell in cells(view, row.index, columns)),
        ]
        for row in rows
    ]
    figure = Figure(figsize=(max(WIDTH, 1.15 * len(headings)), 0.3 + 0.22 * (len(rows) + 1)))
    axes = figure.subplots()
    axes.axis("off")
    table = axes.table(content, colLabels=headings, bbox=Bbox.unit(), cellLoc="right")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    for (line, _), cell in table.get_celld().items():
        cell.set(linewidth=0.4, edgecolor="#7F7F7F", facecolor="none")
        if line == 0:
            cell.set_text_props(fontweight="bold")
    return figure
