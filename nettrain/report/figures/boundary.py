"""The decision boundary over two columns, of a trained network or as training moved it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from nettrain.data.dataset import Dataset
from nettrain.errors import ConfigError
from nettrain.inference.model import Model
from nettrain.inspection.raw_features import check_column
from nettrain.inspection.weight_path import weights_at, weights_restored
from nettrain.report.boundary_picture import BoundaryPicture, Grid
from nettrain.report.movie import Movie, chosen_epochs, epoch_caption
from nettrain.report.plot import MovingPlot
from nettrain.report.run_view import RunView

CELLS = 160  # per side
BANDS = 5  # of certainty in a moving picture: flat areas make small files
MOST_CLASSES = 20  # named beside the figure


class Boundary(MovingPlot):
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
        grid = _grid(view)
        model = view.predictor
        predicted = model.decision.values(model.predictions_of(grid.rows))
        picture = BoundaryPicture(view, grid, predicted)
        picture.show(predicted)
        return picture.figure

    def movie(self, view: RunView) -> Movie:
        """One frame per snapshot. Raises ConfigError for a name that is no numeric column."""
        grid, paths = _grid(view), view.record.snapshots
        epochs = chosen_epochs(list(paths))
        model = cast(Model, view.predictor)
        predicted = list(_predictions(model, grid.rows, [paths[epoch] for epoch in epochs]))
        picture = BoundaryPicture(view, grid, np.concatenate(predicted), bands=BANDS)
        captions = [epoch_caption(view, epoch) for epoch in epochs]
        heading = picture.figure.suptitle(captions[0], fontsize=9)

        def show(place: int) -> None:
            picture.show(predicted[place])
            heading.set_text(captions[place])

        return Movie(picture.figure, captions, show, lambda: [*picture.moving(), heading])


def _grid(view: RunView) -> Grid:
    train = view.train
    names = view.features or train.features.names
    for name in names:
        check_column(train.features, name, "--features")
        if name in train.features.categories:
            raise ConfigError(f"--features {name}: holds texts; boundary needs numbers")
    return Grid.over((names[0], names[1]), train, view.dataset, CELLS)


def _predictions(model: Model, rows: Dataset, paths: Sequence[Path]) -> Iterator[np.ndarray]:
    with weights_restored(model):
        for path in paths:
            weights_at(model, path).put_into(model.network)
            yield model.decision.values(model.predictions_of(rows)).astype(np.float32)
