"""The intervals of a run's test metrics, computed when the run is evaluated."""

from typing import TYPE_CHECKING

from nettrain.inspection.intervals import Interval, metric_intervals
from nettrain.training.callbacks import Callback

if TYPE_CHECKING:
    from nettrain.training.evaluate import PartEvaluation
    from nettrain.training.run import Run


class TestIntervals(Callback):
    """Keeps the intervals of the test part. The validation part has none: it chose the weights."""

    __test__ = False  # for pytest, which takes the name for that of a test

    def __init__(self) -> None:
        self.intervals: dict[str, dict[str, Interval]] = {}

    def evaluated(self, run: "Run", part: str, evaluation: "PartEvaluation") -> None:
        """Compute them."""
        if part == "test":
            self.intervals[part] = metric_intervals(
                evaluation.metrics, evaluation.outcome, evaluation.losses
            )
