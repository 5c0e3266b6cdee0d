"""What is decided by predictions: temperature, threshold, conformal intervals."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from against.comparison import Comparison
from against.predictions.draws import numbers, probabilities
from scipy import optimize, special
from sklearn import metrics

from nettrain.inference.conformal import Conformal
from nettrain.inspection.threshold import best_f1_threshold, threshold_scores
from nettrain.metrics import ClassOutcome, Decision, outcome_of
from nettrain.nn.loss import Loss
from nettrain.training.temperature import LEAST, MOST, best_temperature, is_inside

EXACT = 1e-12
MINIMUM = 1e-8  # of a log loss; what minimizes it is known to the root of that


def temperature(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """By SciPy's minimizer of scikit-learn's log loss."""
    k = case["columns"] + 1
    z, y = numbers(case, random, k), random.integers(k, size=case["rows"])
    pipeline: Any = SimpleNamespace(schema=SimpleNamespace(task="classification"))
    ours, least = best_temperature(Loss.parse("cross_entropy"), pipeline, z, y)

    def cost(log_t: float) -> float:
        p = special.softmax(z / math.exp(log_t), axis=1)
        chosen = p[np.arange(len(y)), y]
        return float(-np.log(np.maximum(chosen, np.finfo(float).tiny)).mean())

    theirs = optimize.minimize_scalar(cost, bounds=(math.log(LEAST), math.log(MOST)), method="bounded", options={"xatol": 1e-10})  # fmt: skip
    comparison.close("temperature: loss", least, min(theirs.fun, cost(theirs.x)), MINIMUM, 1.0)
    p = special.softmax(z / ours, axis=1)
    comparison.close("temperature: log loss", least, metrics.log_loss(y, p, labels=range(k)), 1e-9, max(1.0, least))  # fmt: skip
    inner = math.log(LEAST) + 0.1 < theirs.x < math.log(MOST) - 0.1
    flat = cost(theirs.x + 0.1) - theirs.fun < 1e-6 or cost(theirs.x - 0.1) - theirs.fun < 1e-6
    if inner and not flat:
        comparison.equal("temperature", True, is_inside(ours))
        comparison.close("temperature", math.log(ours), theirs.x, 1e-4, 1.0)


def threshold(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    y = random.integers(2, size=case["rows"])
    y[0] = 1
    p = probabilities(case, random, case["rows"], 2)
    chosen = best_f1_threshold(y == 1, p[:, 1])
    scores = {t: metrics.f1_score(y, p[:, 1] >= t) for t in np.unique(p[:, 1])}
    comparison.close("threshold: F1", scores[chosen], max(scores.values()), EXACT, 1.0)
    best = max(t for t, f1 in scores.items() if f1 >= max(scores.values()) - 1e-12)
    comparison.equal("threshold", chosen, best)
    outcome = outcome_of("classification", y, p, Decision(1, float(np.clip(chosen, 0.01, 0.99))))
    if not isinstance(outcome, ClassOutcome):
        raise TypeError("no classes")
    decided = outcome.predicted
    theirs = {
        "precision": metrics.precision_score(y, decided, zero_division=np.nan),
        "recall": metrics.recall_score(y, decided, zero_division=np.nan),
        "f1": metrics.f1_score(y, decided, zero_division=np.nan),
        "specificity": metrics.recall_score(y, decided, pos_label=0, zero_division=np.nan),
        "accuracy": metrics.accuracy_score(y, decided),
    }
    for name, share in threshold_scores(outcome).items():
        mine = math.nan if share.value is None else share.value
        comparison.close(f"threshold: {name}", mine, theirs[name], EXACT, 1.0)


def conformal(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """The score of its rank, by NumPy's quantile of the scores and an infinite one."""
    levels = [(), (0.1, 0.9), (0.05, 0.25, 0.5, 0.75, 0.95)][case["columns"] % 3]
    k, t = max(len(levels), 1), 2
    truth = numbers(case, random, t)
    predicted = np.sort(numbers(case, random, k, t), axis=1)
    level = case["level"]
    found = Conformal.fit(predicted.reshape(len(truth), -1), truth, Decision(levels=levels), level)
    pair = min(range(max(k // 2, 1)), key=lambda i: abs((levels[-1 - i] - levels[i] if levels else 0) - level))  # fmt: skip
    low, high = (predicted[:, pair], predicted[:, -1 - pair]) if levels else (predicted[:, 0],) * 2
    scores = np.maximum(low - truth, truth - high)
    if math.ceil((len(scores) + 1) * level - 1e-9) > len(scores):
        return  # refused by `at`
    endless = np.vstack([scores, np.full((1, t), np.inf)])
    margins = np.quantile(endless, level, axis=0, method="inverted_cdf")
    comparison.close("conformal: margins", found.margins, margins, EXACT)
    ends = found.interval(predicted.reshape(len(truth), -1))
    middle = (low + high) / 2
    comparison.close("conformal: lower", ends[0], np.minimum(low - margins, middle), EXACT)
    comparison.close("conformal: upper", ends[1], np.maximum(high + margins, middle), EXACT)
    inside = ((truth >= ends[0] - 1e-12) & (truth <= ends[1] + 1e-12)).mean(axis=0)
    comparison.equal("conformal: coverage", True, bool((inside >= level - 1e-9).all()))
