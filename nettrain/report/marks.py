"""What several figures share: colours of classes, short labels, panels side by side, images."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nettrain.report.curve_data import is_steep
from nettrain.report.style import PALETTE, SEQUENTIAL

WIDTH = 7.2  # inches of a figure on a page
DARK = "#111111"  # of text on a coloured cell, which stays dark on a dark page
MOST_POINTS = 1500  # more are drawn as one image, which keeps SVG files small


def short(text: object, most: int = 18) -> str:
    """A name as a label: cut in the middle where it is long; `$` does not start a formula."""
    name = " ".join(str(text).split())
    if len(name) > most:
        head = (most - 1) * 2 // 3
        name = f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{name[len(name) - (most - 1 - head) :]}"
    return name.replace("$", r"\$")


def class_colours(k: int) -> list[str]:
    """One colour per class: Okabe and Ito's up to eight, then evenly spaced ones of viridis."""
    if k <= len(PALETTE):
        return list(PALETTE[:k])
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0, 1, k))
    return [mpl.colors.to_hex(colour) for colour in colours]


def panels(
    count: int, *, columns: int, height: float, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure with panels in rows; fewer panels than columns are wider.

    Args:
        count: Of panels.
        columns: At most side by side.
        height: Of a row, in inches.
        share_y: Whether all have one y axis.
    """
    return _grid(count, min(count, columns), height, share_y)


def tiles(count: int, *, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with small images in rows, all of one size however many there are."""
    return _grid(count, columns, height, share_y=False)


def _grid(count: int, columns: int, height: float, share_y: bool) -> tuple[Figure, list[Axes]]:
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(WIDTH, height * rows))
    axes = figure.subplots(rows, columns, squeeze=False, sharey=share_y).ravel().tolist()
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def thin_ticks(names: Sequence[str], most: int = 25) -> tuple[list[int], list[str]]:
    """Positions and labels of at most so many of the names, evenly spaced."""
    step = math.ceil(len(names) / most)
    positions = list(range(0, len(names), step))
    return positions, [short(names[i], 14) for i in positions]


def logarithmic_if_steep(axes: Axes) -> None:
    """Makes the y axis logarithmic where the lines are positive and span decades."""
    values = np.concatenate([np.zeros(0), *(np.asarray(line.get_ydata()) for line in axes.lines)])
    if is_steep(values.tolist()):
        axes.set_yscale("log")


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Draws an image (h, w, c) of any range without axes: colours if c is 3, else its mean."""
    pixels = image.astype(np.float64)
    low, high = float(pixels.min()), float(pixels.max())
    pixels = (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        axes.imshow(pixels, interpolation="nearest")
    else:
        grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
        axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")


def show_weights(axes: Axes, weights: np.ndarray, largest: float) -> None:
    """Draws weights (h, w): blue negative, white zero, red positive, at most `largest`."""
    axes.imshow(weights, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    axes.axis("off")
