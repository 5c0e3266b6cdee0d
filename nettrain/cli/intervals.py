"""The intervals of the test metrics of a run that was trained elsewhere, and how to read them."""

from pathlib import Path

from nettrain.config.plugins import in_use
from nettrain.inference.load import load
from nettrain.inspection.intervals import Interval, metric_intervals
from nettrain.inspection.metric_rows import Reading, reading_of


def intervals_on_test(run: str | Path, *, allow_plugins: bool) -> dict[str, Interval]:
    """Returns those of a run or ensemble that was trained elsewhere: it is evaluated again."""
    predictor = load(run, allow_plugins=allow_plugins)
    evaluation = predictor.evaluation(predictor.training_data.part("test"))
    with in_use(predictor.config.plugins):
        return metric_intervals(evaluation.metrics, evaluation.outcome, evaluation.losses)


def reading_of_run(run: str | Path, *, allow_plugins: bool) -> Reading:
    """Returns how the metrics of a run or ensemble that was trained elsewhere are to be read."""
    predictor = load(run, allow_plugins=allow_plugins)
    return reading_of(predictor.config, predictor.loss, predictor.classes)
