"""How far to trust the final metrics of a run: their intervals, and what a linear model reaches."""

from typing import TYPE_CHECKING, Any

from nettrain.inspection.intervals import Interval, metric_intervals
from nettrain.inspection.linear_model import fit_to_targets, flat_inputs, left_out
from nettrain.inspection.metric_rows import Reading, reading_of
from nettrain.metrics import all_metrics, not_finite, outcome_of
from nettrain.training.callbacks import Callback

if TYPE_CHECKING:
    from nettrain.training.evaluate import PartEvaluation
    from nettrain.training.run import Run

Intervals = dict[str, dict[str, Interval]]
Metrics = dict[str, dict[str, float]]


class Assessment(Callback):
    """Adds `intervals` and `linear` to summary.json: by part, then by the name of the metric.

    The training part has no intervals: its rows are no sample of those to come. Nor has a part with
    predictions that are not finite.

    Attributes:
        intervals: 95 % intervals of the metrics on validation and test part.
        linear: The metrics of a linear model of the same inputs and training rows; empty where
            `baseline` in the configuration, or its size, leaves it out.
        linear_left_out: Why it is left out, where that is not what was asked for.
        reading: How the metrics are to be read.

    Example:
        result = nettrain.train("digits.yaml", callbacks=[nettrain.Assessment()])
        print(result.added["linear"]["test"], result.added["intervals"]["test"])
    """

    def __init__(self) -> None:
        self.intervals: Intervals = {}
        self.linear: Metrics = {}
        self.linear_left_out = ""
        self.reading = Reading()
        self._evaluations: dict[str, PartEvaluation] = {}

    def evaluated(self, run: "Run", part: str, evaluation: "PartEvaluation") -> None:
        """Keep it."""
        self._evaluations[part] = evaluation

    def summary(self, run: "Run") -> dict[str, Any]:
        """Compute both."""
        self.intervals = {
            part: metric_intervals(one.metrics, one.outcome, one.losses)
            for part, one in self._evaluations.items()
            if part != "train" and not len(not_finite(one.outcome))
        }
        reason = left_out(run.config, run.pipeline, len(run.parts["train"]))
        try:
            self.linear = self._linear(run) if reason is None else {}
        except MemoryError:
            reason = "its inputs do not fit into memory"
        self.linear_left_out = reason or ""
        self.reading = reading_of(run.plan.config, run.loss, run.pipeline.schema.classes)
        return {"intervals": self.intervals, "linear": self.linear}

    def _linear(self, run: "Run") -> Metrics:
        train, task = run.parts["train"], run.pipeline.schema.task
        if train.truth is None:
            raise ValueError("a part without targets has no linear model")
        model = fit_to_targets(flat_inputs(train.x, run.pipeline), train.truth, run.pipeline)
        return {
            part: all_metrics(
                outcome_of(
                    task,
                    one.outcome.targets,
                    model.predictions(flat_inputs(run.parts[part].x, run.pipeline), task),
                ),
                run.plan.metrics,
            )
            for part, one in self._evaluations.items()
        }
