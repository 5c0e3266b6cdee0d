"""The confusion matrix."""

from typing import cast

import numpy as np
from matplotlib.figure import Figure

from nettrain.metrics import ClassOutcome
from nettrain.report.marks import DARK, thin_ticks
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

NUMBERED = 15  # classes up to which every cell holds its number
LIGHT = 0.6  # share from which viridis is so light that text on it is dark


class Confusion(Plot):
    """Counts of true and predicted classes; colour is the share of the true class."""

    title = "Confusion matrix"
    reading = (
        "A row is a true class, a column what was predicted: the diagonal holds the right rows, "
        "and a bright cell beside it two classes that are mixed up."
    )

    def lacks(self, view: RunView) -> str | None:
        """Only classes exclude each other."""
        return view.lacks("rows", "classes")

    def draw(self, view: RunView) -> Figure:
        """With many classes the cells have no numbers, and not every class has a label."""
        matrix = cast(ClassOutcome, view.outcome).confusion_matrix
        k, names = len(matrix), view.class_names
        totals = matrix.sum(axis=1, keepdims=True)
        shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
        size = min(7.2, 3.2 + 0.35 * k)
        figure = Figure(figsize=(size, size * 0.86))
        axes = figure.subplots()
        image = axes.imshow(shares, vmin=0, vmax=1, interpolation="nearest")
        positions, labels = thin_ticks(names)
        longest = max(map(len, labels))
        axes.set_xticks(positions, labels, rotation=90 if longest > 3 else 0)
        axes.set_yticks(positions, labels)
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.set_title(f"{matrix.sum():,} rows of the {view.part} part")
        axes.spines[:].set_visible(False)
        if k <= NUMBERED:
            for i, j in np.ndindex(k, k):
                colour = DARK if shares[i, j] > LIGHT else "white"
                text = str(matrix[i, j])
                fade = 0.55 if matrix[i, j] == 0 else 1.0
                axes.text(
                    j, i, text, ha="center", va="center", color=colour, fontsize=7.5, alpha=fade
                )
        figure.colorbar(image, ax=axes, shrink=0.85, label="share of the true class")
        return figure
