"""The decision boundary over two columns."""

from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.errors import ConfigError
from nettrain.inspection.raw_features import check_column
from nettrain.report.marks import DARK, class_colours, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

Extent = tuple[float, float, float, float]

DOTS: Any = {"s": 16, "edgecolors": "white", "linewidths": 0.5}
CELLS = 160  # per side
MARGIN = 0.08  # of the range, around the rows
MOST_ROWS = 400  # per part, evenly chosen
MANY = 500  # rows from which outliers do not set the range
OUTLIERS = (0.005, 0.995)  # quantiles beyond which rows are outliers
MOST_CLASSES = 20  # named beside the figure


class Boundary(Plot):
    """The prediction over two numeric columns, and the rows on it."""

    title = "Decision boundary"
    reading = (
        "Areas are what the model predicts at each point, paler where it is less sure; circles are "
        "training rows, triangles those of the part that is shown, in the colour of their truth."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs two numeric columns: all that there are, or two that the user names."""
        if reason := view.lacks("rows", "table"):
            return reason
        if view.predictor.task == "multilabel" or len(view.class_names) > MOST_CLASSES:
            return f"it predicts more than {MOST_CLASSES} classes, or several labels at once"
        schema = view.predictor.schema
        if view.predictor.task == "regression" and len(schema.targets) > 1:
            return "it predicts several values"
        if view.features:
            return None if len(view.features) == 2 else "--features takes two columns"
        if len(schema.numbers) == 2 and not schema.texts:
            return None
        count = len(schema.numbers) + len(schema.texts)
        return f"it has {count} input columns; name two numeric ones: --features A,B"

    def draw(self, view: RunView) -> Figure:
        """Raises ConfigError for a name that is no numeric column."""
        train = view.train
        names = view.features or train.features.names
        for name in names:
            check_column(train.features, name, "--features")
            if name in train.features.categories:
                raise ConfigError(f"--features {name}: holds texts; boundary needs numbers")
        across, down = (train.features.names.index(name) for name in names)
        x, y = (_range(train, view.dataset, column) for column in (across, down))
        xx, yy = np.meshgrid(x, y)
        grid = _at_median(train, xx.size)
        grid.array[:, across], grid.array[:, down] = xx.ravel(), yy.ravel()
        predicted = view.predictor.predictions_of(Dataset(grid, None, origin="grid"))
        figure = Figure(figsize=(6.2, 4.6))
        axes = figure.subplots()
        extent = (x[0], x[-1], y[0], y[-1])
        if view.predictor.task == "regression":
            _values(figure, axes, view, predicted.reshape(xx.shape), extent, (across, down))
        else:
            _classes(axes, view, predicted.reshape(*xx.shape, -1), extent, (across, down))
        axes.set(
            xlabel=short(names[0], 40), ylabel=short(names[1], 40), xlim=extent[:2], ylim=extent[2:]
        )
        others = len(train.features.names) + len(train.features.categories) - 2
        if others:
            axes.set_title(
                f"{others} other columns at their median or most frequent value", fontsize=8
            )
        return figure


def _range(train: Dataset, part: Dataset, column: int) -> np.ndarray:
    values = np.concatenate([one.features.array[:, column] for one in (train, part)]).astype(float)
    values = values[np.isfinite(values)]
    if len(values) > MANY:
        low, high = np.quantile(values, OUTLIERS).tolist()
    else:
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = MARGIN * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, CELLS)


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


def _parts(view: RunView) -> list[tuple[str, Dataset, str]]:
    parts = [("train", view.train, "o")]
    return parts if view.part == "train" else [*parts, (view.part, view.dataset, "^")]


def _some(dataset: Dataset) -> np.ndarray:
    return np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), MOST_ROWS)).astype(int))


def _classes(
    axes: Axes,
    view: RunView,
    probabilities: np.ndarray,
    extent: Extent,
    columns: tuple[int, int],
) -> None:
    names = view.class_names
    colours = class_colours(len(names))
    winner, sure = probabilities.argmax(axis=2), probabilities.max(axis=2)
    areas = np.array([mpl.colors.to_rgb(colour) for colour in colours])[winner]
    strength = (0.15 + 0.45 * (sure - 1 / len(names)) / (1 - 1 / len(names)))[..., np.newaxis]
    image = areas * strength + (1 - strength)
    axes.imshow(image, extent=extent, origin="lower", aspect="auto", interpolation="bilinear")
    if winner.min() != winner.max():
        steps = np.arange(len(names) - 1) + 0.5
        axes.contour(winner, steps, extent=extent, colors=DARK, linewidths=0.6)
    for _, dataset, marker in _parts(view):
        chosen = _some(dataset)
        points = dataset.features.array[chosen][:, columns]
        codes = view.predictor.truth(dataset)[chosen].astype(int)
        axes.scatter(
            points[:, 0],
            points[:, 1],
            c=codes,
            cmap=ListedColormap(colours),
            vmin=-0.5,
            vmax=len(names) - 0.5,
            marker=marker,
            **DOTS,
        )
    handles = [mpl.lines.Line2D([], [], marker="s", linestyle="", color=c) for c in colours]
    for _, _, marker in _parts(view):
        handles.append(mpl.lines.Line2D([], [], marker=marker, linestyle="", color="#7F7F7F"))
    labels = [*(short(name) for name in names), *(part for part, _, _ in _parts(view))]
    axes.legend(handles, labels, loc="center left", bbox_to_anchor=(1.02, 0.5))


def _values(
    figure: Figure,
    axes: Axes,
    view: RunView,
    values: np.ndarray,
    extent: Extent,
    columns: tuple[int, int],
) -> None:
    limits: dict[str, Any] = {"vmin": float(values.min()), "vmax": float(values.max())}
    image = axes.imshow(values, extent=extent, origin="lower", aspect="auto", **limits)
    for _, dataset, marker in _parts(view):
        chosen = _some(dataset)
        points = dataset.features.array[chosen][:, columns]
        truth = view.predictor.truth(dataset)[chosen, 0]
        axes.scatter(points[:, 0], points[:, 1], c=truth, marker=marker, **DOTS, **limits)
    target = short(view.predictor.schema.targets[0])
    figure.colorbar(image, ax=axes, label=f"{target}: predicted (area), true (rows)")
