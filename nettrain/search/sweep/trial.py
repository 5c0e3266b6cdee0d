"""One trial of a sweep: its setting and what became of it; a line of trials.jsonl."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nettrain.component import adapter
from nettrain.search.executors.base import Status
from nettrain.search.observer import Outcome
from nettrain.search.sweep.space import Setting


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        metric: Its score, the mean of `scores`; None where it has none.
        seconds: Of its runs in total; 0 where an earlier trial had the same setting.
        run_directory: Relative to the sweep directory; that of its run, or of all its runs.
        same_as: The earlier trial that had the same setting, whose result this is.
        scores: Of each of its runs.
        best_epochs: Of each of its runs.
    """

    index: int
    parameters: Setting
    metric: float | None
    status: Status
    seconds: float
    run_directory: str
    message: str = ""
    same_as: int | None = None
    scores: list[float] = field(default_factory=list)
    best_epochs: list[int] = field(default_factory=list)

    def outcome(self, metric: str) -> Outcome:
        """What observers see of it. metric: the name of its score."""
        return Outcome(
            trial_name(self.index),
            self.index,
            self.status,
            scores={} if self.metric is None else {metric: self.metric},
            setting=self.parameters,
            seconds=self.seconds,
            message=self.message,
            same_as=None if self.same_as is None else trial_name(self.same_as),
        )

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Trial":
        """From such a line. Raises TypeError or ValueError where it is something else."""
        adapter(cls).validate_python(value)  # type: ignore[arg-type]
        return cls(**value)


def trial_name(index: int) -> str:
    """What a trial is called."""
    return f"trial {index}"


def key(setting: Setting) -> str:
    """Equal for equal settings."""
    return json.dumps(setting, sort_keys=True)


def ranked(trials: Iterable[Trial], *, maximize: bool) -> list[Trial]:
    """The finished trials with a score, the best first, of equals the earlier; repeats once."""
    scored = [
        trial
        for trial in trials
        if trial.status == "finished" and trial.metric is not None and trial.same_as is None
    ]
    return sorted(
        scored, key=lambda trial: ((-1 if maximize else 1) * (trial.metric or 0.0), trial.index)
    )
