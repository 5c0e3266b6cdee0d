"""Random targets and predictions, with ties, absent classes and constants: metrics by scikit-learn."""

import math
import warnings
from typing import Any

import numpy as np
import sklearn
from against.chance import Chance
from against.comparison import Comparison
from against.coverage import Coverage
from against.scikit_learn import decided, expected
from sklearn import calibration, metrics
from sklearn.utils import validation

from nettrain.inspection.calibration import brier_score, predicted_events, reliability
from nettrain.inspection.threshold_curves import precision_recall_curve, roc_curve
from nettrain.metrics import ClassOutcome, Decision, LabelOutcome, Metric, metrics_of, outcome_of

CASES = 300
TOLERANCE = 1e-12  # of the metric, or of 1 where it is less
RESAMPLED = 0.3  # of the cases: metrics of rows drawn with replacement are compared too


def draw(chance: Chance) -> dict[str, Any]:
    """How targets and predictions are drawn."""
    task = chance.pick(["classification", "classification", "multilabel", "regression"])
    case: dict[str, Any] = {
        "task": task,
        "rows": chance.pick([1, 2, 3, chance.randint(4, 60), chance.randint(4, 60)]),
        "columns": chance.randint(2, 9) if task == "classification" else chance.randint(1, 4),
        "digits": chance.pick([1, 1, 2, 15]),
        "resampled": chance.maybe(RESAMPLED),
        "seed": chance.randrange(10**6),
    }
    match task:
        case "classification":
            case["present"] = chance.randint(1, case["columns"])
            case["sharpness"] = chance.number(0.1, 30)
            if case["columns"] == 2:
                case |= chance.some(
                    {"threshold": lambda: chance.between(0.05, 0.95), "positive": lambda: chance.randint(0, 1)}
                )  # fmt: skip
        case "multilabel":
            case["constant"] = chance.maybe(0.3)
            case["sharpness"] = chance.number(0.1, 3)
        case _:
            case["scale"] = chance.number(1e-6, 1e6)
            # Up to a million times the spread: beyond that rounding is all that is left of r2.
            case["offset"] = chance.pick([0, 0, case["scale"] * chance.number(1, 1e6)])
            case["error"] = chance.pick([0, chance.number(1e-3, 10)])
            case["constant"] = chance.maybe(0.2)
            if chance.maybe(0.4):
                count = chance.randint(1, 5)
                case["levels"] = sorted({chance.between(0.02, 0.98) for _ in range(count)})
    return case


def coverage() -> Coverage:
    """Every metric."""
    # Both take most of the time of small arrays, which are valid and no data frames.
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    validation._nw_into_df_or_series = lambda x: False
    return Coverage([Metric], [], {})  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare every metric of an outcome. Returns what was tried."""
    outcome = made(case)
    known = metrics_of(outcome)
    theirs = expected(outcome)
    comparison.equal("names", sorted(known), sorted(theirs))
    for name, metric in known.items():
        value, each = theirs[name]
        ours = metric.value(outcome)
        close(comparison, f"value: {name}", math.nan if ours is None else ours, value)
        mine = metric.each(outcome)
        if mine is not None and each is not None:
            close(comparison, f"each: {name}", mine, each)
        comparison.equal(f"bounds: {name}", True, ours is None or _within(ours, metric.bounds))
    if case["resampled"]:
        _resampled(case, outcome, comparison)
    if isinstance(outcome, ClassOutcome | LabelOutcome):
        _curves(comparison, outcome)
    return tuple(known.values())


def close(comparison: Comparison, what: str, ours: Any, theirs: Any) -> None:
    """Within the tolerance of the larger of the metric and 1; small errors within their own size."""
    finite = np.abs(np.asarray(theirs, float)[np.isfinite(theirs)])
    largest = float(finite.max(initial=0.0))
    small = what.partition(": ")[2] in ("mse", "mae", "rmse", "pinball_loss", "interval_width")
    comparison.close(what, ours, theirs, TOLERANCE, largest if small else max(1.0, largest))


def _resampled(case: dict[str, Any], outcome: Any, comparison: Comparison) -> None:
    """Compare the metrics of two samples of the rows."""
    draws = np.random.Generator(np.random.PCG64(case["seed"] + 1))
    n = case["rows"]
    samples = draws.multinomial(n, np.full(n, 1 / n), size=2).T
    drawn = [expected(outcome.take(np.repeat(np.arange(n), sample))) for sample in samples.T]
    for name, metric in metrics_of(outcome).items():
        ours = metric.resampled(outcome, samples.astype(np.float64))
        theirs = [found[name][0] for found in drawn]
        if name != "r2":
            close(comparison, f"samples: {name}", ours, theirs)
        elif not case["constant"] and n > 3 and case["digits"] > 1:
            # A quotient of differences of squares, from which no one can tell equal values.
            scale = max(1.0, float(np.nanmax(np.abs(theirs))))
            comparison.close("samples: r2", ours, theirs, 1e-9, scale)


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _curves(comparison: Comparison, outcome: ClassOutcome | LabelOutcome) -> None:
    """Curves over all thresholds, calibration, and the Brier score."""
    p, events = predicted_events(outcome)
    if isinstance(outcome, ClassOutcome) and outcome.probabilities.shape[1] > 2:
        confidence = outcome.probabilities.max(axis=1)
        comparison.close("confidence", p, confidence, 0.0)
        comparison.equal("confidence", events.tolist(), (decided(outcome) == outcome.targets).tolist())  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = roc_curve(events, p)
        comparison.equal("roc_curve", ours is None, not 0 < events.sum() < len(events))
        if ours is not None:
            fpr, tpr, thresholds = metrics.roc_curve(events, p, drop_intermediate=False)
            comparison.close("roc_curve", ours.false_positive_rate, fpr, TOLERANCE)
            comparison.close("roc_curve", ours.true_positive_rate, tpr, TOLERANCE)
            comparison.close("roc_curve", ours.thresholds, thresholds, 0.0)
            comparison.close("roc_curve", ours.area, metrics.roc_auc_score(events, p), TOLERANCE, 1)
        curve = precision_recall_curve(events, p)
        if curve is not None:
            precision, recall, thresholds = metrics.precision_recall_curve(events, p)
            comparison.close("precision_recall_curve", curve.precision[::-1], precision, TOLERANCE)
            comparison.close("precision_recall_curve", curve.recall[::-1], recall, TOLERANCE)
            comparison.close("precision_recall_curve", curve.thresholds[:0:-1], thresholds, 0.0)
            theirs = metrics.average_precision_score(events, p)
            comparison.close("average_precision", curve.average_precision, theirs, TOLERANCE, 1)
        found = reliability(p, events)
        observed, predicted = calibration.calibration_curve(events, p, n_bins=10)
        comparison.close("reliability", found.observed, observed, TOLERANCE, 1)
        comparison.close("reliability", found.predicted, predicted, TOLERANCE, 1)
        k = outcome.probabilities.shape[1]
        if isinstance(outcome, ClassOutcome):
            brier = metrics.brier_score_loss(outcome.targets, outcome.probabilities, labels=range(k), scale_by_half=k == 2)  # fmt: skip
        else:
            y = outcome.positives
            brier = np.mean([metrics.mean_squared_error(y[:, j], outcome.probabilities[:, j]) for j in range(k)])  # fmt: skip
        comparison.close("brier_score", brier_score(outcome), brier, TOLERANCE, 1)


def made(case: dict[str, Any]) -> Any:
    """The outcome that a case describes."""
    draws = np.random.Generator(np.random.PCG64(case["seed"]))
    n, k = case["rows"], case["columns"]
    match case["task"]:
        case "classification":
            present = draws.permutation(k)[: case["present"]]
            scores = np.round(draws.normal(size=(n, k)) * case["sharpness"], case["digits"] - 1)
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            decision = Decision(case.get("positive", 1), case.get("threshold"))
            return outcome_of("classification", draws.choice(present, n), p, decision)
        case "multilabel":
            y = draws.integers(2, size=(n, k))
            if case["constant"]:
                y[:, 0] = draws.integers(2)
            p = 1 / (1 + np.exp(-draws.normal(size=(n, k)) * case["sharpness"]))
            return outcome_of("multilabel", y, np.round(p, case["digits"]))
    levels = tuple(case.get("levels", ()))
    y = np.round(draws.normal(size=(n, k)), case["digits"]) * case["scale"] + case["offset"]
    if case["constant"]:
        y[:, 0] = y[0, 0]
    error = draws.normal(size=(n, max(len(levels), 1), k)) * case["error"] * case["scale"]
    z = np.sort(y[:, None] + error, axis=1).reshape(n, -1)
    return outcome_of("regression", y, z, Decision(levels=levels))
