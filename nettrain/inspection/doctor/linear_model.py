"""The network after a short training, beside a linear model of the same rows."""

from nettrain.errors import Diverged
from nettrain.inspection.doctor.against_baseline import beats_baseline
from nettrain.inspection.doctor.finding import Finding, ok, skipped, warning
from nettrain.inspection.doctor.paired import paired_difference
from nettrain.inspection.doctor.sample import inputs_of, truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.squared_error import (
    constant_predictions,
    measure_name,
    squared_errors,
)

NAME = "linear model"
CERTAIN = 3.0  # standard errors of the mean of paired differences; the best epoch is chosen
MARGIN = 0.05  # of the baseline's error: what is certain may still be small


def check(setup: Setup) -> list[Finding]:
    """Compare squared errors, which both models are good or bad at alike, on validation rows."""
    validation, task = setup.sample.validation, setup.task
    if validation is None:
        return skipped(NAME, "there is no validation part, and too few rows to hold some out")
    if setup.run.loss.name() == "quantile":
        return skipped(NAME, "the network predicts a quantile, a linear model the mean")
    if setup.sample.train.weights is not None:
        return skipped(NAME, "rows have weights, and a linear model counts them alike")
    linear = setup.linear
    if linear is None:
        return skipped(NAME, "the targets are the inputs, or fitting it would take long")
    try:
        training = setup.training
    except Diverged:
        return skipped(NAME, "the training diverges")
    if training.best is None:
        raise ValueError("validation rows were not judged")
    truth = truth_of(validation)
    constant = constant_predictions(
        task, truth_of(setup.sample.train), setup.target_size, len(truth)
    )
    baseline = float(squared_errors(task, truth, constant).mean())
    of_network = squared_errors(task, truth, training.best.predictions)
    predicted = linear.predictions(inputs_of(validation), task)
    of_linear = squared_errors(task, truth, predicted)
    if baseline <= 0:
        return skipped(NAME, "the validation rows are all alike")
    skills = [1 - float(one.mean()) / baseline for one in (of_network, of_linear)]
    whole = "" if setup.work.complete else f" after {training.steps:,} steps"
    message = f"{measure_name(task)} {skills[0]:.3f}{whole}, of the linear model {skills[1]:.3f}"
    behind = paired_difference(of_network, of_linear)
    lags = behind.exceeds(CERTAIN) and behind.mean > MARGIN * baseline
    if task == "classification":  # scores of hinge and the like are no probabilities
        decided = training.best.predictions.argmax(axis=1) != truth
        lags = lags and paired_difference(decided, predicted.argmax(axis=1) != truth).exceeds(
            CERTAIN
        )
    if lags and (setup.work.complete or not beats_baseline(setup)):
        return warning(
            NAME,
            message,
            "a higher learning rate or more epochs; standardized inputs; fewer units or more "
            "regularization if the validation loss rises early",
        )
    return ok(NAME, message + (", which more steps may reach" if lags else ""))
