"""What explains predictions: dependence, importance, linear models, correlated columns."""

import math
from typing import Any

import numpy as np
from against.comparison import Comparison
from against.predictions.draws import numbers
from scipy import stats
from sklearn import inspection, linear_model
from sklearn.base import BaseEstimator, RegressorMixin

from nettrain.data.features import Features
from nettrain.inspection.dependence import grid_of, mean_predictions
from nettrain.inspection.importance import permuted_scores
from nettrain.inspection.linear_model import fit_linear, identity, sigmoid, softmax
from nettrain.inspection.raw_features import correlated_columns
from nettrain.metrics import metrics_of, outcome_of

EXACT = 1e-12
OBJECTIVE = 1e-6  # L-BFGS ends at a gradient of 1e-5; by its square the objective is too large ...
PREDICTED = 2e-3  # ... and by itself, times the rows, the weights are off


class _Model(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A function of the columns."""

    def __init__(self, weights: Any = None) -> None:
        self.weights = weights

    def fit(self, x: Any, y: Any = None) -> "_Model":
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> np.ndarray:
        return np.tanh(np.asarray(x) @ self.weights).sum(axis=1) + np.asarray(x)[:, 0] ** 2


def dependence(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    d = case["columns"]
    x = numbers(case, random, d)
    model = _Model(random.normal(size=(d, 3))).fit(x)
    features = Features(x, tuple(f"number {j}" for j in range(d)))
    for j, name in enumerate(features.names):
        grid = grid_of(features, name, 7)
        distinct = np.unique(x[:, j])
        wanted = distinct if len(distinct) <= 7 else np.unique(np.quantile(x[:, j], np.linspace(0.05, 0.95, 7)))  # fmt: skip
        comparison.close("dependence: grid", grid, wanted, EXACT)
        ours = mean_predictions(
            lambda rows: model.predict(rows.array)[:, None], features, name, grid
        )
        theirs = inspection.partial_dependence(model, x, [j], kind="average", method="brute", custom_values={j: np.array(grid)})  # fmt: skip
        comparison.close("dependence", ours[:, 0], theirs["average"][0], EXACT)


def importance(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """By the permutations that scikit-learn draws, each of which shuffles the one before it."""
    d, repeats = case["columns"], 4
    x = numbers(case, random, d)
    model = _Model(random.normal(size=(d, 3))).fit(x)
    y = model.predict(x) + random.normal(size=len(x))
    theirs = inspection.permutation_importance(model, x, y, scoring="r2", n_repeats=repeats, random_state=case["seed"])  # fmt: skip
    seed = np.random.RandomState(case["seed"]).randint(np.iinfo(np.int32).max + 1)
    drawn, order, rows, permutations = np.random.RandomState(seed), np.arange(len(x)), None, []
    for _ in range(repeats):
        drawn.shuffle(order)
        rows = order.copy() if rows is None else rows[order]
        permutations.append(rows)

    def score(features: Features) -> float:
        found = outcome_of("regression", y[:, None], model.predict(features.array)[:, None])
        value = metrics_of(found)["r2"].value(found)
        return math.nan if value is None else value

    features = Features(x, tuple(f"number {j}" for j in range(d)))
    value, scores = score(features), permuted_scores(score, features, np.array(permutations))
    for j, name in enumerate(features.names):
        scale = max(1.0, float(np.abs(theirs.importances).max()))
        comparison.close("importance", value - scores[name], theirs.importances[j], EXACT, scale)


def linear(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Ridge and logistic regression: what they minimize, at both solutions, and what they predict."""
    n, d, k = case["rows"], case["columns"], 3
    x = numbers(case, random, d) / max(case["scale"], 1.0)
    y, values = random.integers(k, size=n), random.normal(size=(n, 2))
    ours, theirs = fit_linear(x, values, identity), linear_model.Ridge(alpha=1.0).fit(x, values)

    def squares(predicted: np.ndarray, weights: np.ndarray) -> float:
        return float(((predicted - values) ** 2).sum() + (weights**2).sum())

    found, wanted = ours(x), theirs.predict(x)
    least = squares(wanted, theirs.coef_)
    comparison.close("linear: ridge", squares(found, ours.weights), least, OBJECTIVE)
    comparison.close("linear: ridge's predictions", found, wanted, PREDICTED, 1.0)
    for link, codes in ((softmax, y), (sigmoid, (y > 0).astype(int))):
        if len(set(codes)) < (k if link is softmax else 2):
            continue
        peer = linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(x, codes)
        indicators = np.eye(k)[codes] if link is softmax else codes[:, None].astype(float)
        ours = fit_linear(x, indicators, link)
        mine = ours(x) if link is softmax else np.column_stack([1 - ours(x), ours(x)])

        def likelihood(p: np.ndarray, weights: np.ndarray, codes: np.ndarray = codes) -> float:
            return float(-np.log(p[np.arange(n), codes]).sum() + (weights**2).sum() / 2)

        wanted = peer.predict_proba(x)
        least = likelihood(wanted, peer.coef_)
        comparison.close(
            f"linear: {link.__name__}", likelihood(mine, ours.weights), least, OBJECTIVE
        )
        comparison.close("linear: probabilities", mine, wanted, PREDICTED, 1.0)


def correlation(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    d = case["columns"] + 1
    x = numbers(case, random, d)
    features = Features(x, tuple(map(str, range(d))))
    found = {frozenset(pair[:2]): pair[2] for pair in correlated_columns(features, 0.0)}
    for i in range(d):
        for j in range(i):
            constant = np.ptp(x[:, i]) == 0 or np.ptp(x[:, j]) == 0
            r = 0.0 if constant else stats.pearsonr(x[:, i], x[:, j]).statistic
            comparison.close("correlation", found[frozenset((str(i), str(j)))], r, 1e-10, 1.0)
