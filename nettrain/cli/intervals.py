"""The intervals of test metrics: of a run under way, and of one that was trained elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from nettrain.config.plugins import in_use
from nettrain.inference.load import load
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


def intervals_on_test(run: str | Path, *, allow_plugins: bool) -> dict[str, Interval]:
    """Returns those of a run or ensemble that another process has trained; it is evaluated again."""
    predictor = load(run, allow_plugins=allow_plugins)
    evaluation = predictor.evaluation(predictor.training_data.datasets["test"])
    with in_use(predictor.config.plugins):
        return metric_intervals(evaluation.metrics, evaluation.outcome, evaluation.losses)
