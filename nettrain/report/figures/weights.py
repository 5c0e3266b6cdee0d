"""How the weights of each layer are distributed."""

import numpy as np
from matplotlib.figure import Figure

from nettrain.report.marks import panels
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView
from nettrain.report.style import BLUE, GREY

MOST = 12


class Weights(Plot):
    """A histogram per weight array, biases and scales left out."""

    title = "Weights"
    reading = (
        "A narrow peak at zero with long tails means that few weights do the work; a layer whose "
        "weights are far larger than those of the others deserves a look."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs one network with weights."""
        if reason := view.lacks("network"):
            return reason
        return None if _arrays(view) else "its layers have no weights"

    def draw(self, view: RunView) -> Figure:
        """Up to twelve arrays, from the first layer on."""
        arrays = _arrays(view)
        shown = list(arrays.items())[:MOST]
        figure, axes = panels(len(shown), columns=3, height=2.0)
        for panel, (name, array) in zip(axes, shown, strict=True):
            panel.hist(array.ravel(), bins=min(50, max(5, array.size // 10)), color=BLUE)
            panel.axvline(0, color=GREY, linewidth=0.8)
            shape = " x ".join(map(str, array.shape))
            panel.set_title(f"{name}\n{shape}, std {np.std(array):.3g}", fontsize=8)
        for panel in axes[::3]:
            panel.set_ylabel("weights")
        if len(arrays) > MOST:
            figure.suptitle(f"the first {MOST} of {len(arrays)} weight arrays", fontsize=9)
        return figure


def _arrays(view: RunView) -> dict[str, np.ndarray]:
    return {name: array for name, array in view.weights.items() if array.ndim > 1}
