"""The last hidden layer in two dimensions."""

from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from nettrain.inference.model import Model
from nettrain.nn.bound_layer import BoundLayer
from nettrain.report.marks import DARK, class_colours, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import EMBEDDED, RunView

MOST_CLASSES = 20
HALO = withStroke(linewidth=2.5, foreground="white")


class Embedding(Plot):
    """Rows at the two principal components of what the last layer with weights gets."""

    title = "Embedding by the last hidden layer"
    reading = (
        "Each point is a row as the last layer sees it, projected on the two directions of largest "
        "variance (PCA): classes that form separate groups are easy for that layer."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a hidden layer and three rows."""
        if reason := view.lacks("network", "rows"):
            return reason
        if _hidden(view) is None:
            return "it has no hidden layer with two units or more"
        return None if len(view.dataset) > 2 else "it takes three rows"

    def draw(self, view: RunView) -> Figure:
        """Coloured by class, or by the true value of the first target."""
        hidden = _hidden(view)
        assert hidden is not None  # `lacks` has said so
        rows = view.dataset.take(np.arange(min(len(view.dataset), EMBEDDED)))
        output = next(one for one in view.layer_outputs(rows) if one.path == hidden.name)
        points, shares = principal_components(output.value.value.reshape(len(rows), -1))
        figure = Figure(figsize=(6.2, 4.4))
        axes = figure.subplots()
        dots: Any = {"s": 10, "alpha": 0.75, "linewidths": 0}
        truth = view.predictor.truth(rows)
        if view.predictor.task == "classification" and len(view.class_names) <= MOST_CLASSES:
            colours = class_colours(len(view.class_names))
            for code, (name, colour) in enumerate(zip(view.class_names, colours, strict=True)):
                own = points[truth == code]
                axes.scatter(own[:, 0], own[:, 1], color=colour, label=short(name), **dots)
                if len(own):
                    x, y = np.median(own, axis=0)
                    label = axes.text(x, y, short(name, 12), ha="center")
                    label.set(color=DARK, fontweight="bold", path_effects=[HALO])
            axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), markerscale=1.8)
        elif truth.ndim == 2 and truth.shape[1] > 1:
            axes.scatter(points[:, 0], points[:, 1], **dots)
        else:
            first = truth if truth.ndim == 1 else truth[:, 0]
            drawn = axes.scatter(points[:, 0], points[:, 1], c=first, **dots)
            names = view.predictor.schema.targets
            of = "class number" if view.predictor.classes else short(names[0])
            figure.colorbar(drawn, ax=axes, label=of)
        for axis, share, name in zip((axes.xaxis, axes.yaxis), shares, ("1st", "2nd"), strict=True):
            axis.set_label_text(f"{name} component ({share:.0%} of the variance)")
        axes.set_title(
            f"output of {hidden.name}, {len(rows):,} rows of the {view.part} part", fontsize=9
        )
        return figure


def principal_components(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows (n, 2) along the two directions of largest variance, and their shares of it (2,)."""
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    total = float((s**2).sum()) or 1.0
    return u[:, :2] * s[:2], s[:2] ** 2 / total


def _hidden(view: RunView) -> BoundLayer | None:
    """The layer before the last one with weights."""
    layers = cast(Model, view.predictor).network.layers
    weighted = [i for i, layer in enumerate(layers) if layer.parameters]
    if len(weighted) < 2:
        return None
    before = layers[weighted[-1] - 1]
    return before if int(np.prod(before.output_shape)) >= 2 else None
