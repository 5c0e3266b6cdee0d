"""The kinds of figure: one class per file in `figures/`, found by listing that folder."""

import pkgutil
from abc import ABC, abstractmethod
from functools import cache
from importlib import import_module
from typing import ClassVar

from matplotlib.figure import Figure

from nettrain.errors import ConfigError, nearest
from nettrain.report import figures
from nettrain.report.movie import Movie
from nettrain.report.run_view import RunView


class Plot(ABC):
    """A kind of figure.

    Attributes:
        title: Of the figure, as a heading.
        reading: How to read it, in one sentence.
        name: As the user asks for it: the name of its file.
    """

    title: ClassVar[str]
    reading: ClassVar[str]
    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = cls.__module__.rpartition(".")[2]

    @abstractmethod
    def lacks(self, view: RunView) -> str | None:
        """Why this kind does not apply to a run; None: it does."""

    @abstractmethod
    def draw(self, view: RunView) -> Figure:
        """The figure of a run to which this kind applies; called inside `styled()`."""


class MovingPlot(Plot):
    """A kind of figure that also has a frame per snapshot.

    Attributes:
        several: Whether it shows several runs at once.
    """

    several: ClassVar[bool] = False

    def lacks_frames(self, view: RunView) -> str | None:
        """Why there are no frames of a run to which the kind applies; None: there are."""
        return view.lacks("snapshots", "network")

    @abstractmethod
    def movie(self, view: RunView) -> Movie:
        """The frames of a run that has them; called inside `styled()`."""


def plot_names() -> list[str]:
    """The names of all kinds. Nothing is imported."""
    return [module.name for module in pkgutil.iter_modules(figures.__path__)]


@cache
def plot_of(name: str) -> Plot:
    """A kind by its name. Raises ConfigError for one that does not exist, with the nearest."""
    if name not in plot_names():
        hint = nearest(name, plot_names()) or f"; there are {', '.join(plot_names())}"
        raise ConfigError(f"plot: there is no kind {name!r}{hint}")
    module = import_module(f"{figures.__name__}.{name}")
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    (kind,) = (one for one in kinds if issubclass(one, Plot) and one.__module__ == module.__name__)
    return kind()
