"""The weights of the first dense layer of a network on images, as images."""

import numpy as np
from matplotlib.figure import Figure

from nettrain.report.marks import show_weights, tiles
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

MOST = 32


class FirstLayer(Plot):
    """One image per unit."""

    title = "First-layer weights"
    reading = (
        "Each tile is what one unit of the first dense layer looks for: it answers to light where "
        "the tile is red and to dark where it is blue."
    )

    def lacks(self, view: RunView) -> str | None:
        """The first layer with weights must be dense, and see all pixels."""
        if reason := view.lacks("network", "images"):
            return reason
        w = next(iter(view.weights.values()), None)
        pixels = int(np.prod(view.predictor.schema.shape))
        if w is None or w.ndim != 2 or w.shape[0] != pixels:
            return "its first layer with weights is not a dense layer on all pixels"
        return None

    def draw(self, view: RunView) -> Figure:
        """The units with the largest weights first; colour channels are averaged."""
        w = next(iter(view.weights.values()))
        order = np.argsort(-np.linalg.norm(w, axis=0), kind="stable")[:MOST]
        images = [w[:, unit].reshape(view.predictor.schema.shape).mean(axis=2) for unit in order]
        largest = float(np.abs(images).max()) or 1.0
        figure, axes = tiles(len(images), columns=8, height=1.0)
        for panel, tile, unit in zip(axes, images, order, strict=True):
            show_weights(panel, tile, largest)
            panel.set_title(f"{unit}", fontsize=7, pad=2)
        if w.shape[1] > MOST:
            title = f"the {MOST} of {w.shape[1]} units with the largest weights"
            figure.suptitle(title, fontsize=9)
        return figure
