"""Level curves of a loss, and paths on them that can be shown up to any epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from nettrain.inspection.loss_surface import Surface
from nettrain.report.marks import DARK, short
from nettrain.report.style import PALETTE, SEQUENTIAL

CELLS = 45  # per side of the grid
MARGIN = 0.2  # of the range, around the paths
NARROW = 0.4  # of the wider side, at least, where both have one unit
LEVELS = 14
STEEPNESS = 3.0  # with 2 the level curves of a quadratic bowl are evenly spaced
PALENESS = 0.55  # fraction of white in the areas
MARKERS = "osD^vPX*"
OUTLINE = [Stroke(linewidth=3.2, foreground="white"), Normal()]

LINE: Any = {"linewidth": 1.4, "markersize": 4, "path_effects": OUTLINE, "zorder": 3}


@dataclass(frozen=True)
class Path:
    """One run's way.

    Attributes:
        label: In the legend.
        epochs: Of its points, ascending.
        points: Coordinates (s, 2).
    """

    label: str
    epochs: Sequence[int]
    points: np.ndarray


def grid_around(paths: Sequence[np.ndarray], *, same_unit: bool) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along both sides of a grid around all points.

    Args:
        paths: Of each run (s, 2).
        same_unit: Whether both sides have one unit, so that neither may be much narrower.
    """
    points = np.concatenate(paths)
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    least = NARROW * half.max() if same_unit else 0.0
    half = np.maximum(half, least)
    half = np.where(half > 0, half, 1.0) * (1 + 2 * MARGIN)
    x, y = (np.linspace(m - h, m + h, CELLS) for m, h in zip(middle, half, strict=True))
    return x, y


class DescentPicture:
    """A figure whose paths `show` draws up to an epoch.

    Args:
        names: Of the two directions.
        surface: The loss.
        paths: Of each run.
        others: How many parameters stand at their final values.
    """

    def __init__(
        self, names: tuple[str, str], surface: Surface, paths: Sequence[Path], others: int
    ) -> None:
        self.paths = paths
        self.figure = Figure(figsize=(6.4, 4.8))
        self._axes = self.figure.subplots()
        self._draw_surface(surface)
        self._axes.set(xlabel=names[0], ylabel=names[1])
        self._note = f"{others} other parameters at their final values" if others else ""
        self._lines = []
        for place, path in enumerate(paths):
            self._lines.append(self._draw_path(place, path))
        if len(paths) > 1:
            self._axes.legend(
                handles=[_key(line, head) for line, head in self._lines],
                loc="best",
                frameon=True,
                framealpha=0.9,
            )

    def show(self, epoch: int | None) -> None:
        """Draw each path up to an epoch; None: the whole paths."""
        for path, (line, head) in zip(self.paths, self._lines, strict=True):
            count = sum(epoch is None or one <= epoch for one in path.epochs)
            line.set_data(*path.points[:count].T)
            head.set_data(*path.points[max(0, count - 1) : count].T)
        last = max(path.epochs[-1] for path in self.paths)
        now = f"epoch {last if epoch is None else epoch} of {last}"
        self._axes.set_title("; ".join(filter(None, (now, self._note))), fontsize=9)

    def moving(self) -> list[Artist]:
        """What `show` changes, and what lies over it, in the order of drawing."""
        paths = [artist for line_and_head in self._lines for artist in line_and_head]
        legend = self._axes.get_legend()
        return [*paths, *([legend] if legend else []), self._axes.title]

    def _draw_surface(self, surface: Surface) -> None:
        loss = np.ma.masked_invalid(surface.loss)
        low, high = float(loss.min()), float(loss.max())
        levels = low + (high - low) * np.linspace(0, 1, LEVELS) ** STEEPNESS
        if high <= low:
            levels = np.array([low, low + 1.0])
        norm = mpl.colors.BoundaryNorm(levels, 256)
        areas = self._axes.contourf(
            surface.x, surface.y, loss, levels, norm=norm, cmap=_pale(), extend="max"
        )
        if high > low:
            lines = self._axes.contour(
                surface.x, surface.y, loss, levels[1:], colors=DARK, linewidths=0.5, alpha=0.6
            )
            self._axes.clabel(lines, levels[1::2], fontsize=7, fmt=_number)
        self.figure.colorbar(
            areas,
            ax=self._axes,
            label=f"training loss on {surface.rows:,} rows",
            format=_number,
        )

    def _draw_path(self, place: int, path: Path) -> tuple[Line2D, Line2D]:
        """The line with a dot per snapshot, a ring at its start, and the mark at its head."""
        alone = len(self.paths) == 1
        colour = DARK if alone else PALETTE[place % len(PALETTE)]
        marker = MARKERS[place % len(MARKERS)]
        label = short(path.label, 40)
        (line,) = self._axes.plot([], [], color=colour, marker=".", label=label, **LINE)
        self._axes.plot(
            *path.points[:1].T, color=colour, marker="o", markersize=8, fillstyle="none", zorder=4
        )
        (head,) = self._axes.plot(
            [], [], color=colour, marker=marker, markersize=8, markeredgecolor="white", zorder=5
        )
        return line, head


def _key(line: Line2D, head: Line2D) -> Line2D:
    """The legend's line, with the mark of the head."""
    key = Line2D([], [], color=line.get_color(), marker=head.get_marker(), markersize=6)
    key.set(markeredgecolor="white", label=line.get_label())
    return key


def _number(value: float, place: object = None) -> str:
    return f"{value:.3g}"


def _pale() -> ListedColormap:
    """Viridis, mixed with white: dark lines and all colours of paths stand out on it."""
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0, 1, 256))[:, :3]
    return ListedColormap(colours * (1 - PALENESS) + PALENESS)
