"""What a sweep comes to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nettrain.search.sweep.trial import Trial


@dataclass(frozen=True)
class SweepResult:
    """What came of a sweep.

    Attributes:
        metric: What trials are compared in.
        trials: In order.
        ranking: Those with a score, the best first; repeated settings once.
        best: The winner; None where no trial finished.
        test: The metrics on the test part of the winner, trained again on all other rows; None
            where there is no test part.
        notes: What to keep in mind, a sentence each.
    """

    directory: str
    metric: str
    trials: list[Trial]
    ranking: list[Trial]
    best: Trial | None
    test: dict[str, float] | None
    notes: list[str]


def as_json(result: SweepResult) -> dict[str, Any]:
    """What `--json` prints."""

    def row(trial: Trial) -> dict[str, Any]:
        return {
            "index": trial.index,
            "parameters": trial.parameters,
            "metric": trial.metric,
            "status": trial.status,
            "seconds": trial.seconds,
            "run_directory": str(Path(result.directory) / trial.run_directory),
        }

    return {
        "directory": result.directory,
        "trials": [row(trial) for trial in result.trials],
        "best": None if result.best is None else row(result.best),
        "test": result.test,
    }
