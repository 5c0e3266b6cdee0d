"""What ensembles make of their members: votes, and the rounds of boosting."""

import math
from typing import Any

import numpy as np
from against.comparison import Comparison
from against.predictions.draws import numbers, probabilities
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier

from nettrain.inference.voting import combined, disagreement
from nettrain.search.ensembles.boosting import boosting_round

EXACT = 1e-12
TESTS = 1e-9  # SciPy's own distributions


class _Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose probabilities are columns of the rows."""

    def __init__(self, member: int = 0, classes: int = 2) -> None:
        self.member, self.classes = member, classes

    def fit(self, x: Any, y: Any = None) -> "_Given":
        self.classes_ = np.arange(self.classes)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return x[:, self.member * self.classes : (self.member + 1) * self.classes]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.predict_proba(x).argmax(axis=1)


def voting(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    n, m, k = case["rows"], case["columns"], random.integers(2, 5)
    p = probabilities(case, random, m, n, k)
    weights = random.uniform(0.1, 2, size=m)
    x = np.concatenate(list(p), axis=1)
    for vote, voting in (("mean", "soft"), ("majority", "hard")):
        members = [(str(i), _Given(i, k)) for i in range(m)]
        peer = VotingClassifier(members, voting=voting, weights=weights).fit(x[:k], np.arange(k)[:n] if n >= k else np.arange(n))  # fmt: skip
        peer.estimators_ = [one.fit(x) for _, one in members]
        peer.le_.classes_ = np.arange(k)
        ours = combined(p, weights, vote, "classification")  # type: ignore[arg-type]
        if vote == "mean":
            comparison.close("voting: mean", ours, peer.predict_proba(x), EXACT)
        margin = np.sort(ours, axis=1)
        clear = margin[:, -1] - margin[:, -2] > 1e-9
        comparison.close("voting: class", ours.argmax(axis=1)[clear], peer.predict(x)[clear], 0.0)
    decided = p.argmax(axis=2)
    pairs = [np.mean(decided[i] != decided[j]) for i in range(m) for j in range(i)]
    found = disagreement(p, "classification")
    comparison.close("voting: disagreement", math.nan if found is None else found, np.mean(pairs) if pairs else math.nan, EXACT, 1.0)  # fmt: skip


def boosting(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """The errors and weights of scikit-learn's members, from what they predict."""
    n, k = case["rows"], 2 + case["columns"] % 3
    x, y = numbers(case, random, 2), random.integers(k, size=n)
    y[:k] = np.arange(k)[: len(y[:k])]
    if len(set(y)) < k:
        return
    w = random.exponential(size=n)
    peer = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=6, random_state=0)
    try:
        peer.fit(x, y, w)
    except ValueError:  # its first member is no better than chance
        first = DecisionTreeClassifier(max_depth=1).fit(x, y, w).predict(x)
        comparison.equal("boosting: refused", None, boosting_round(w, first != y, k))
        return
    total, stages = w.copy(), list(peer.staged_predict_proba(x))
    for i, (member, error, alpha) in enumerate(
        zip(peer.estimators_, peer.estimator_errors_, peer.estimator_weights_, strict=False)
    ):
        found = boosting_round(total, member.predict(x) != y, k)
        if found is None or found.perfect:
            comparison.equal("boosting: end", True, error in (0, 1) or error >= 1 - 1 / k - 1e-12)
            return
        comparison.close("boosting: error", found.error, error, TESTS, 1.0)
        comparison.close("boosting: weight", found.weight, alpha, TESTS, 1.0)
        comparison.close("boosting: sum", found.weights.sum(), w.sum(), EXACT)
        total = found.weights
        members = np.array([np.eye(k)[one.predict(x)] for one in peer.estimators_[: i + 1]])
        votes = combined(members, peer.estimator_weights_[: i + 1], "majority", "classification")
        margin = np.sort(votes, axis=1)
        clear = margin[:, -1] - margin[:, -2] > 1e-9
        decided = stages[i].argmax(axis=1)
        comparison.close("boosting: vote", votes.argmax(axis=1)[clear], decided[clear], 0.0)
