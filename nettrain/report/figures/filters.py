"""The filters of the first convolution."""

import numpy as np
from matplotlib.figure import Figure

from nettrain.report.marks import show_image, show_weights, tiles
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

MOST = 48


class Filters(Plot):
    """One tile per filter."""

    title = "Filters of the first convolution"
    reading = (
        "Each tile is what one filter looks for: edges and blobs are typical, and noise means that "
        "the filter has learned little."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a convolution."""
        if reason := view.lacks("network"):
            return reason
        return None if _kernels(view) is not None else "it has no convolution"

    def draw(self, view: RunView) -> Figure:
        """Filters on three channels in colour, others by the mean over channels."""
        kernels = _kernels(view)
        assert kernels is not None  # `lacks` has said so
        shown = [kernels[..., i] for i in range(min(MOST, kernels.shape[3]))]
        largest = float(np.abs(kernels.mean(axis=2)).max()) or 1.0
        figure, axes = tiles(len(shown), columns=8, height=1.0)
        for i, (panel, kernel) in enumerate(zip(axes, shown, strict=True)):
            if kernel.shape[2] == 3:
                show_image(panel, kernel)
            else:
                show_weights(panel, kernel.mean(axis=2), largest)
            panel.set_title(f"{i}", fontsize=7, pad=2)
        if kernels.shape[3] > MOST:
            figure.suptitle(f"the first {MOST} of {kernels.shape[3]} filters", fontsize=9)
        return figure


def _kernels(view: RunView) -> np.ndarray | None:
    """The weights (kh, kw, c, o) of the first convolution."""
    return next((array for array in view.weights.values() if array.ndim == 4), None)
