"""The intervals of test metrics: of a run under way, and of one that was trained elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from nettrain.config.plugins import in_use
from nettrain.inference.load import load
from nettrain.inspection.intervals import Interval, metric_intervals
from nettrain.training.callbacks import Callback

if TYPE_CHECKING:
    from nettrain.config.plugins import Plugin
    from nettrain.training.evaluate import PartEvaluation
    from nettrain.training.run import Run


class TestIntervals(Callback):
    """Keeps the evaluation of the test part. The validation part has none: it chose the weights."""

    __test__ = False  # for pytest, which takes the name for that of a test

    def __init__(self) -> None:
        self._evaluation: PartEvaluation | None = None
        self._plugins: tuple[Plugin, ...] = ()

    def evaluated(self, run: "Run", part: str, evaluation: "PartEvaluation") -> None:
        """Keep it."""
        if part == "test":
            self._evaluation, self._plugins = evaluation, run.config.plugins

    def by_part(self) -> dict[str, dict[str, Interval]]:
        """Computes the intervals, under `test`; empty without a test part."""
        one = self._evaluation
        if one is None:
            return {}
        with in_use(self._plugins):
            return {"test": metric_intervals(one.metrics, one.outcome, one.losses)}


def intervals_on_test(run: str | Path, *, allow_plugins: bool) -> dict[str, Interval]:
    """Returns those of a run or ensemble that was trained elsewhere: it is evaluated again."""
    predictor = load(run, allow_plugins=allow_plugins)
    evaluation = predictor.evaluation(predictor.training_data.part("test"))
    with in_use(predictor.config.plugins):
        return metric_intervals(evaluation.metrics, evaluation.outcome, evaluation.losses)
