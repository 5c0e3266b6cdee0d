"""What sees a search go by: one protocol for sweeps, cross-validations and ensembles."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nettrain.search.executors.base import Status


@dataclass(frozen=True)
class Outcome:
    """What became of one part of a search: a trial, a fold, a member, or the final run.

    Attributes:
        name: "trial 3", "fold-1", "final".
        index: Its number; None for the final run, which is not counted.
        status: How it ended.
        scores: The figures worth showing, by name.
        setting: The values that a sweep has chosen, by key path.
        seconds: Of its runs.
        epochs: Trained, where it is one run.
        message: What went wrong, where something did.
        same_as: The earlier part whose result this is.
    """

    name: str
    index: int | None
    status: Status = "finished"
    scores: Mapping[str, float] = field(default_factory=dict)
    setting: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int | None = None
    message: str = ""
    same_as: str | None = None


@dataclass(frozen=True)
class Overview:
    """A search as it begins.

    Attributes:
        parts: What it consists of: "trials", "folds", "members".
        total: How many there will be, those done included; None where that is not known.
        done: What earlier sessions have finished.
        metric: The score that a sweep compares; None elsewhere.
        maximize: Whether a larger score is better.
    """

    parts: str
    total: int | None
    done: Sequence[Outcome] = ()
    metric: str | None = None
    maximize: bool = False


class Observer:
    """Sees nothing; derive from it to see more.

    Attributes:
        pause: The least seconds between two reports of a run; infinity: none is wanted.
    """

    pause = math.inf

    def begin(self, overview: Overview) -> None:
        """Before the first run of this session."""

    def started(self, name: str, setting: Mapping[str, object]) -> None:
        """A part begins."""

    def reported(self, name: str, epoch: int, value: float) -> None:
        """A run of a part has ended an epoch with this value of its monitored metric."""

    def ended(self, outcome: Outcome) -> None:
        """A part has ended, and is recorded."""

    def waited(self) -> None:
        """Called several times per second, while runs are under way."""

    def note(self, text: str) -> None:
        """Something that the user should know."""
