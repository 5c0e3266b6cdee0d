"""The loss over two parameters or two principal directions, and the optimizers' paths down it."""

from typing import cast

import numpy as np
from matplotlib.figure import Figure

from nettrain.errors import ConfigError
from nettrain.inference.model import Model
from nettrain.inspection.comparable_loss import check_same_loss
from nettrain.inspection.loss_surface import loss_surface
from nettrain.inspection.weight_path import weight_path
from nettrain.inspection.weight_plane import (
    Plane,
    parameter_names,
    parameter_plane,
    principal_plane,
)
from nettrain.report.descent_picture import DescentPicture, Path, grid_around
from nettrain.report.movie import Movie, chosen_epochs
from nettrain.report.plot import MovingPlot
from nettrain.report.run_view import RunView

KEY = "--parameters"


class Descent(MovingPlot):
    """Level curves of the training loss in a plane of weights, and the path of each run in it."""

    title = "Descent of the loss"
    reading = (
        "Lines are level curves of the training loss with its penalties, darker areas lower; each "
        "path leads from the initial weights (ring) over one point per snapshot to the last "
        "(filled mark); where the network has more weights than the two shown, a path is a "
        "projection."
    )
    several = True

    def lacks(self, view: RunView) -> str | None:
        """It needs snapshots, and the rows for the loss."""
        if reason := view.lacks("snapshots", "network", "rows"):
            return reason
        count = len(cast(Model, view.predictor).network.vector)
        if count == 2 or view.parameters:
            return None
        if count == 1:
            return "its model has one parameter, and a plane needs two"
        if view.others or len(view.record.snapshots) > 2:
            return None
        return f"two snapshots lie on a line; take more, or name two parameters: {KEY} A B"

    def draw(self, view: RunView) -> Figure:
        """The whole paths. Raises ConfigError for runs that do not descend the same loss."""
        picture = _picture(view)
        picture.show(None)
        return picture.figure

    def movie(self, view: RunView) -> Movie:
        """One frame per snapshot of any of the runs. Raises ConfigError as `draw` does."""
        picture = _picture(view)
        epochs = chosen_epochs(sorted({epoch for one in picture.paths for epoch in one.epochs}))
        captions = [f"epoch {epoch}" for epoch in epochs]
        return Movie(
            picture.figure, captions, lambda place: picture.show(epochs[place]), picture.moving
        )


def _picture(view: RunView) -> DescentPicture:
    views = [view, *view.others]
    check_same_loss([(one.record, cast(Model, one.predictor)) for one in views])
    model = cast(Model, view.predictor)
    paths = [weight_path(cast(Model, one.predictor), one.record.snapshots) for one in views]
    plane = _plane(view, model, [one.points for one in paths])
    drawn = [
        Path(label, path.epochs.tolist(), plane.coordinates(path.points))
        for label, path in zip(_labels(views), paths, strict=True)
    ]
    x, y = grid_around([one.points for one in drawn], same_unit=plane.scale_free)
    surface = loss_surface(model, view.train, plane, x, y)
    others = 0 if plane.scale_free else len(model.network.vector) - 2
    return DescentPicture(plane.names, surface, drawn, others)


def _plane(view: RunView, model: Model, paths: list[np.ndarray]) -> Plane:
    vector, final = model.network.vector, paths[0][-1]
    if view.parameters:
        return parameter_plane(vector, final, view.parameters, KEY)
    if len(vector) == 2 and not view.principal:
        first, second = parameter_names(vector)
        return parameter_plane(vector, final, (first, second), KEY)
    plane = principal_plane(paths)
    if plane is None:
        raise ConfigError(
            f"{view.record.path}: its path is a straight line, which has no second principal "
            f"direction; name two parameters: {KEY} A B"
        )
    return plane


def _labels(views: list[RunView]) -> list[str]:
    """The optimizers, where each run has another; else the runs' names and optimizers."""
    optimizers = [cast(Model, one.predictor).config.optimizer for one in views]
    described = [f"{one.name()}, lr {one.lr:g}" for one in optimizers]
    if len({one.name() for one in optimizers}) == len(views):
        return described
    return [f"{one.record.path.name}: {what}" for one, what in zip(views, described, strict=True)]
