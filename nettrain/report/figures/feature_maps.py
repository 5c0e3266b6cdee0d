"""What the layers of a convolutional network make of one image."""

import numpy as np
from matplotlib.figure import Figure

from nettrain.metrics import ClassOutcome
from nettrain.nn.layer import Output
from nettrain.report.marks import WIDTH, short, show_image
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

MAPS = 8  # channels per layer
LAYERS = 4


class FeatureMaps(Plot):
    """The image, and a line of feature maps per layer."""

    title = "Feature maps"
    reading = (
        "Each tile is where a channel of that layer answers to the image above (yellow: "
        "strongly); black maps throughout are dead channels."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs a convolution and the row."""
        if reason := view.lacks("network"):
            return reason
        if not any(array.ndim == 4 for array in view.weights.values()):
            return "it has no convolution"
        if reason := view.lacks("rows", "images"):
            return reason
        count = len(view.dataset)
        return None if view.row < count else f"the {view.part} part has {count:,} rows, from 0 on"

    def draw(self, view: RunView) -> Figure:
        """Of each layer the channels that vary most over the image."""
        row = view.dataset.take(np.array([view.row]))
        chosen = _spatial(view.layer_outputs(row))
        figure = Figure(figsize=(WIDTH, 0.95 * (len(chosen) + 1)))
        grid = figure.subplots(len(chosen) + 1, MAPS + 1, squeeze=False)
        for panel in grid.ravel():
            panel.axis("off")
        show_image(grid[0, 0], row.features.array[0])
        about = grid[0, 1].text(0, 0.5, _about(view), va="center", fontsize=8)
        about.set_in_layout(False)  # it is wider than its panel, and has the line for itself
        for panels, output in zip(grid[1:], chosen, strict=True):
            maps = output.value.value[0]
            order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:MAPS]
            low, high = min(0.0, float(maps.min())), float(maps.max()) or 1.0
            for panel, channel in zip(panels[1:], sorted(order.tolist()), strict=False):
                panel.imshow(maps[:, :, channel], vmin=low, vmax=high, interpolation="nearest")
                panel.set_title(f"{channel}", fontsize=7, pad=2)
            text = f"{output.path}\n{' x '.join(map(str, maps.shape))}"
            panels[0].text(0.5, 0.5, text, ha="center", va="center", fontsize=7)
        return figure


def _about(view: RunView) -> str:
    """Which row it is, and what was predicted."""
    about = f"row {view.row} of the {view.part} part"
    outcome = view.outcome
    if not isinstance(outcome, ClassOutcome):
        return about
    true, predicted = (
        short(view.class_names[codes[view.row]]) for codes in (outcome.targets, outcome.predicted)
    )
    return f"{about}\ntrue: {true}, predicted: {predicted}"


def _spatial(outputs: list[Output]) -> list[Output]:
    """The activations on images, or the convolutions where there are none; evenly chosen."""
    images = [one for one in outputs if one.value.value.ndim == 4]
    active = [one for one in images if one.layer.name() == "activation"]
    found = active or [one for one in images if "conv" in one.layer.name()] or images
    chosen = np.unique(np.linspace(0, len(found) - 1, min(LAYERS, len(found))).round().astype(int))
    return [found[i] for i in chosen]
