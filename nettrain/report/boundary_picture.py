"""What a network predicts over two columns, as areas under the rows; the areas can be replaced."""

from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import ListedColormap
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.report.marks import DARK, class_colours, short
from nettrain.report.run_view import RunView

DOTS: Any = {"s": 16, "edgecolors": "white", "linewidths": 0.5}
MARGIN = 0.08  # of the range, around the rows
MOST_ROWS = 400  # per part, evenly chosen
MANY = 500  # rows from which outliers do not set the range
OUTLIERS = (0.005, 0.995)  # quantiles beyond which rows are outliers


@dataclass(frozen=True)
class Grid:
    """Points over two columns; the other columns stand still.

    Attributes:
        names: Of the two columns.
        columns: Their indices in the array of features.
        x, y: The values of each along its side.
        rows: All points, x first.
        others: How many columns stand at their median or most frequent value.
    """

    names: tuple[str, str]
    columns: tuple[int, int]
    x: np.ndarray
    y: np.ndarray
    rows: Dataset
    others: int

    @classmethod
    def over(cls, names: tuple[str, str], train: Dataset, part: Dataset, cells: int) -> "Grid":
        """The grid that covers all rows of two parts but for outliers, so many cells per side."""
        features = train.features
        across, down = (features.names.index(name) for name in names)
        x, y = (_range(train, part, column, cells) for column in (across, down))
        xx, yy = np.meshgrid(x, y)
        points = _at_median(train, xx.size)
        points.array[:, across], points.array[:, down] = xx.ravel(), yy.ravel()
        others = len(features.names) + len(features.categories) - 2
        return cls(names, (across, down), x, y, Dataset(points, None, origin="grid"), others)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top."""
        return (self.x[0], self.x[-1], self.y[0], self.y[-1])


class BoundaryPicture:
    """A figure whose areas `show` replaces.

    Args:
        view: The run.
        grid: The points.
        predicted: All predictions that will be shown; of numbers they set the colours' range.
        bands: Steps in which areas become paler; None: continuously.
    """

    def __init__(
        self, view: RunView, grid: Grid, predicted: np.ndarray, bands: int | None = None
    ) -> None:
        self._view, self._grid, self._bands = view, grid, bands
        self._is_regression = view.predictor.task == "regression"
        self._lines: QuadContourSet | None = None
        self._dots: list[Artist] = []
        self.figure = Figure(figsize=(6.2, 4.6))
        self._axes = self.figure.subplots()
        limits: Any = {"vmin": float(predicted.min()), "vmax": float(predicted.max())}
        self._image = self._axes.imshow(
            np.zeros((len(grid.y), len(grid.x))),
            extent=grid.extent,
            origin="lower",
            aspect="auto",
            **({} if not self._is_regression else limits),
        )
        if self._is_regression:
            self._draw_values(limits)
        else:
            self._image.set_interpolation("nearest" if bands else "bilinear")
            self._draw_classes()
        self._axes.set(
            xlabel=short(grid.names[0], 40),
            ylabel=short(grid.names[1], 40),
            xlim=grid.extent[:2],
            ylim=grid.extent[2:],
        )
        if grid.others:
            self._axes.set_title(
                f"{grid.others} other columns at their median or most frequent value", fontsize=8
            )

    def show(self, predicted: np.ndarray) -> None:
        """Replace the areas: probabilities (n, k) of the grid's rows, or values (n, 1)."""
        shape = (len(self._grid.y), len(self._grid.x))
        if self._is_regression:
            self._image.set_data(predicted.reshape(shape))
            return
        decided = self._view.predictor.decision.classes(predicted)
        winner, sure = decided.reshape(shape), predicted[np.arange(len(decided)), decided]
        k = len(self._view.class_names)
        areas = np.array([mpl.colors.to_rgb(colour) for colour in class_colours(k)])[winner]
        certainty = (sure.reshape(shape) - 1 / k) / (1 - 1 / k)
        certainty = np.maximum(certainty, 0)  # a threshold may decide for the less probable class
        if self._bands:
            certainty = np.round(certainty * self._bands) / self._bands
        strength = (0.15 + 0.45 * certainty)[..., np.newaxis]
        self._image.set_data(areas * strength + (1 - strength))
        if self._lines is not None:
            self._lines.remove()
            self._lines = None
        if winner.min() != winner.max():
            self._lines = self._axes.contour(
                winner,
                np.arange(k - 1) + 0.5,
                extent=self._grid.extent,
                colors=DARK,
                linewidths=0.6,
            )

    def moving(self) -> list[Artist]:
        """What `show` changes, and what lies over it, in the order of drawing."""
        lines = [] if self._lines is None else [self._lines]
        return [self._image, *lines, *self._dots, *self._axes.spines.values()]

    def _draw_classes(self) -> None:
        """The rows in the colours of their classes, and the legend."""
        names = self._view.class_names
        colours = class_colours(len(names))
        parts = self._parts()
        for _, dataset, marker in parts:
            chosen = _some(dataset)
            points = dataset.features.array[chosen][:, self._grid.columns]
            self._scatter(
                points,
                c=self._view.predictor.truth(dataset)[chosen].astype(int),
                cmap=ListedColormap(colours),
                vmin=-0.5,
                vmax=len(names) - 0.5,
                marker=marker,
            )
        handles = [mpl.lines.Line2D([], [], marker="s", linestyle="", color=c) for c in colours]
        for _, _, marker in parts:
            handles.append(mpl.lines.Line2D([], [], marker=marker, linestyle="", color="#7F7F7F"))
        labels = [*(short(name) for name in names), *(part for part, _, _ in parts)]
        self._axes.legend(handles, labels, loc="center left", bbox_to_anchor=(1.02, 0.5))

    def _draw_values(self, limits: Any) -> None:
        """The rows in the colours of their values, and the scale."""
        for _, dataset, marker in self._parts():
            chosen = _some(dataset)
            points = dataset.features.array[chosen][:, self._grid.columns]
            truth = self._view.predictor.truth(dataset)[chosen, 0]
            self._scatter(points, c=truth, marker=marker, **limits)
        target = short(self._view.predictor.schema.targets[0])
        self.figure.colorbar(
            self._image, ax=self._axes, label=f"{target}: predicted (area), true (rows)"
        )

    def _scatter(self, points: np.ndarray, **options: Any) -> None:
        x, y = points.T
        self._dots.append(self._axes.scatter(x, y, zorder=3, **DOTS, **options))

    def _parts(self) -> list[tuple[str, Dataset, str]]:
        view = self._view
        parts = [("train", view.train, "o")]
        return parts if view.part == "train" else [*parts, (view.part, view.dataset, "^")]


def _range(train: Dataset, part: Dataset, column: int, cells: int) -> np.ndarray:
    values = np.concatenate([one.features.array[:, column] for one in (train, part)]).astype(float)
    values = values[np.isfinite(values)]
    if len(values) > MANY:
        low, high = np.quantile(values, OUTLIERS).tolist()
    else:
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = MARGIN * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, cells)


def _at_median(train: Dataset, rows: int) -> Features:
    """So many equal rows: medians of numbers, the most frequent value of texts."""
    features = train.features
    with np.errstate(all="ignore"):
        medians = np.nan_to_num(np.nanmedian(features.array.astype(np.float64), axis=0))
    categories = {
        name: Category(np.full(rows, np.bincount(one.codes[one.codes >= 0]).argmax()), one.values)
        for name, one in features.categories.items()
    }
    return replace(features, numbers=np.tile(medians, (rows, 1)), categories=categories)


def _some(dataset: Dataset) -> np.ndarray:
    return np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), MOST_ROWS)).astype(int))
