"""What is read from predictions and from data: by scikit-learn and SciPy, for random numbers, ties included."""

import dataclasses
import math
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
from against.chance import Chance
from against.comparison import Comparison
from against.coverage import Coverage
from scipy import optimize, special, stats
from sklearn import inspection, linear_model, metrics, model_selection
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import class_weight

from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.target import Target
from nettrain.data.weights import row_weights, settle_class_weights
from nettrain.inference.conformal import Conformal
from nettrain.inference.voting import combined, disagreement
from nettrain.inspection.dependence import grid_of, mean_predictions
from nettrain.inspection.importance import permuted_scores
from nettrain.inspection.linear_model import fit_linear, identity, sigmoid, softmax
from nettrain.inspection.raw_features import correlated_columns
from nettrain.inspection.statistics.bootstrap import percentile_interval
from nettrain.inspection.statistics.chi_squared import chi_squared
from nettrain.inspection.statistics.corrected_t import corrected_t_test, estimate, t_quantile
from nettrain.inspection.statistics.kolmogorov_smirnov import kolmogorov, kolmogorov_smirnov
from nettrain.inspection.statistics.mcnemar import clopper_pearson, mcnemar_exact
from nettrain.inspection.statistics.wilson import wilson_interval
from nettrain.inspection.threshold import best_f1_threshold, threshold_scores
from nettrain.metrics import ClassOutcome, Decision, metrics_of, outcome_of
from nettrain.nn.loss import Loss
from nettrain.search.cv.folds import grouped, plain, stratified
from nettrain.search.ensembles.boosting import boosting_round
from nettrain.training.temperature import LEAST, MOST, best_temperature, is_inside

CASES = 100
EXACT = 1e-12
TESTS = 1e-9  # SciPy's own distributions
OBJECTIVE = 1e-6  # L-BFGS ends at a gradient of 1e-5; by its square the objective is too large ...
PREDICTED = 2e-3  # ... and by itself, times the rows, the weights are off
MINIMUM = 1e-8  # of a log loss; what minimizes it is known to the root of that


def draw(chance: Chance) -> dict[str, Any]:
    """What is computed, and from how many numbers."""
    return {
        "what": chance.pick(sorted(COMPARED)),
        "rows": chance.randint(2, 60),
        "columns": chance.randint(1, 5),
        "digits": chance.pick([0, 1, 15]),
        "scale": chance.number(0.1, 10),
        "level": chance.between(0.05, 0.99),
        "seed": chance.randrange(10**6),
    }


class _Everything(Coverage):
    """Each of the functions below must be tried."""

    def __init__(self) -> None:
        super().__init__([], [], {})

    def add(self, *values: Any) -> None:
        self.counts.update(values)

    def missing(self) -> list[str]:
        return sorted(set(COMPARED) - set(self.counts))


def coverage() -> Coverage:
    """No components, but every function."""
    return _Everything()


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare one of them. Returns which."""
    random = np.random.Generator(np.random.PCG64(case["seed"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not defined
        COMPARED[case["what"]](case, random, comparison)
    return (case["what"],)


def _numbers(case: dict[str, Any], random: np.random.Generator, *more: int) -> np.ndarray:
    found = random.normal(size=(case["rows"], *more)) * case["scale"]
    return np.round(found, case["digits"])


def _probabilities(case: dict[str, Any], random: np.random.Generator, *shape: int) -> np.ndarray:
    z = np.round(random.normal(size=shape) * case["scale"], case["digits"])
    return special.softmax(z, axis=-1)


def _temperature(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """By SciPy's minimizer of scikit-learn's log loss."""
    k = case["columns"] + 1
    z, y = _numbers(case, random, k), random.integers(k, size=case["rows"])
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


def _threshold(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    y = random.integers(2, size=case["rows"])
    y[0] = 1
    p = _probabilities(case, random, case["rows"], 2)
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


def _conformal(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """The score of its rank, by NumPy's quantile of the scores and an infinite one."""
    levels = [(), (0.1, 0.9), (0.05, 0.25, 0.5, 0.75, 0.95)][case["columns"] % 3]
    k, t = max(len(levels), 1), 2
    truth = _numbers(case, random, t)
    predicted = np.sort(_numbers(case, random, k, t), axis=1)
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


def _voting(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    n, m, k = case["rows"], case["columns"], random.integers(2, 5)
    p = _probabilities(case, random, m, n, k)
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


class _Model(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A function of the columns."""

    def __init__(self, weights: Any = None) -> None:
        self.weights = weights

    def fit(self, x: Any, y: Any = None) -> "_Model":
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> np.ndarray:
        return np.tanh(np.asarray(x) @ self.weights).sum(axis=1) + np.asarray(x)[:, 0] ** 2


def _dependence(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    d = case["columns"]
    x = _numbers(case, random, d)
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


def _linear(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Ridge and logistic regression: what they minimize, at both solutions, and what they predict."""
    n, d, k = case["rows"], case["columns"], 3
    x = _numbers(case, random, d) / max(case["scale"], 1.0)
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


def _correlation(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    d = case["columns"] + 1
    x = _numbers(case, random, d)
    features = Features(x, tuple(map(str, range(d))))
    found = {frozenset(pair[:2]): pair[2] for pair in correlated_columns(features, 0.0)}
    for i in range(d):
        for j in range(i):
            constant = np.ptp(x[:, i]) == 0 or np.ptp(x[:, j]) == 0
            r = 0.0 if constant else stats.pearsonr(x[:, i], x[:, j]).statistic
            comparison.close("correlation", found[frozenset((str(i), str(j)))], r, 1e-10, 1.0)


def _shares(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Binomial tests and intervals."""
    n = case["rows"]
    hits, level = int(random.integers(n + 1)), case["level"]
    test = stats.binomtest(hits, n, 0.5)
    comparison.close("mcnemar", mcnemar_exact(hits, n - hits), test.pvalue, TESTS, 1.0)
    for name, ours in (("wilson", wilson_interval), ("exact", clopper_pearson)):
        theirs = test.proportion_ci(level, method=name)
        comparison.close(f"interval: {name}", ours(hits, n, level), tuple(theirs), TESTS, 1.0)


def _tables(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    counts = random.integers(
        0, 1 + case["rows"], size=(case["columns"], int(random.integers(1, 5)))
    )
    counts = counts[counts.any(axis=1)][:, counts[counts.any(axis=1)].any(axis=0)]
    if not counts.size:
        return
    ours = chi_squared(counts)
    theirs = stats.chi2_contingency(counts, correction=False)
    largest = max(1.0, theirs.statistic)
    comparison.close("chi squared", ours[0], theirs.statistic, EXACT, largest)
    comparison.close("chi squared: p", ours[1], theirs.pvalue, TESTS, 1.0)
    comparison.close("chi squared: small p", ours[1], theirs.pvalue, 1e-6)


def _distributions(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:  # fmt: skip
    a, b = _numbers(case, random), _numbers(case, random)[: 1 + case["rows"] // 2] + case["level"]
    distance, p = kolmogorov_smirnov(a, b)
    comparison.close("kolmogorov-smirnov", distance, stats.ks_2samp(a, b).statistic, EXACT, 1.0)
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    comparison.close("kolmogorov-smirnov: p", p, special.kolmogorov(root * distance), TESTS)
    x = random.uniform(0.01, 4)
    comparison.close("kolmogorov", kolmogorov(x), special.kolmogorov(x), TESTS)


def _folds(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Corrected resampled t-test, by Student's distribution of SciPy."""
    values, share, level = _numbers(case, random), random.uniform(0.05, 1), max(case["level"], 0.5)
    j, degrees = len(values), len(values) - 1
    q = (1 + level) / 2
    comparison.close("t quantile", t_quantile(q, degrees), stats.t.ppf(q, degrees), TESTS)
    if np.ptp(values) == 0:
        return
    error = values.std(ddof=1) * math.sqrt(1 / j + share)
    half = stats.t.ppf(q, degrees) * error
    found = estimate(values.tolist(), share, level)
    scale = float(np.abs(values).max()) + half
    comparison.close("folds: interval", found.interval, (values.mean() - half, values.mean() + half), TESTS, scale)  # fmt: skip
    p = 2 * stats.t.sf(abs(values.mean()) / error, degrees)
    comparison.close("folds: p", corrected_t_test(values.tolist(), share), p, TESTS, 1.0)


def _bootstrap(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    values = _numbers(case, random)
    found = percentile_interval(values, case["level"])
    if np.ptp(values) == 0:
        comparison.equal("bootstrap", None, found)
        return
    ends = np.quantile(values, [(1 - case["level"]) / 2, (1 + case["level"]) / 2])
    comparison.close("bootstrap", found, ends, EXACT, float(np.abs(values).max()))


def _importance(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """By the permutations that scikit-learn draws, each of which shuffles the one before it."""
    d, repeats = case["columns"], 4
    x = _numbers(case, random, d)
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


def _boosting(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """The errors and weights of scikit-learn's members, from what they predict."""
    n, k = case["rows"], 2 + case["columns"] % 3
    x, y = _numbers(case, random, 2), random.integers(k, size=n)
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


def _dealt(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """How many rows, of each class and of each group, folds have."""
    n, codes = case["rows"], random.integers(case["columns"], size=case["rows"])
    count = int(random.integers(2, 1 + min(n, 6)))
    everything = np.zeros(n)

    def sizes(folds: np.ndarray, chosen: Any = slice(None)) -> list[int]:
        return sorted(np.bincount(folds[chosen], minlength=count).tolist())

    def of(peer: Any, *more: Any) -> np.ndarray:
        found = np.empty(n, int)
        for fold, (_, rows) in enumerate(peer.split(everything, *more)):
            found[rows] = fold
        return found

    ours = plain(n, count, random)
    comparison.equal("folds", sizes(ours), sizes(of(model_selection.KFold(count))))
    ours, theirs = stratified(codes, count, random), None
    if np.bincount(codes).max() >= count:
        theirs = of(model_selection.StratifiedKFold(count), codes)
        comparison.equal("folds: stratified", sizes(ours), sizes(theirs))
        for code in set(codes):
            comparison.equal(
                "folds: classes", sizes(ours, codes == code), sizes(theirs, codes == code)
            )
    groups = random.integers(1 + n // 2, size=n)
    if len(set(groups)) >= count:
        ours, theirs = grouped(groups, count, random), of(model_selection.GroupKFold(count), codes, groups)  # fmt: skip
        comparison.equal("folds: groups", sizes(ours), sizes(theirs))
        whole = all(len(set(ours[groups == group])) == 1 for group in set(groups))
        comparison.equal("folds: whole groups", True, whole)


def _weights(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Balanced class weights, for rows with weights too: those of rows that stand several times."""
    n, k = case["rows"], 1 + case["columns"]
    y = random.integers(k, size=n)
    often = random.integers(0, 4, size=n)
    often[0] = 1
    names = tuple(f"class {code}" for code in range(k))
    plain_rows = Dataset(Features(np.zeros((n, 1)), ("x",)), Target(y, classes=names))
    weighted = dataclasses.replace(plain_rows, weights=often.astype(float))
    for rows, several in ((plain_rows, y), (weighted, np.repeat(y, often))):
        found = settle_class_weights("balanced", rows)
        present = np.unique(several)
        theirs = class_weight.compute_class_weight("balanced", classes=present, y=several)
        mine = [found[names[code]] for code in present]
        comparison.close("class weights", mine, theirs, EXACT)
        each = row_weights(rows, found)
        of_rows = dict(zip(present, theirs, strict=True))
        own = np.ones(n) if rows.weights is None else rows.weights
        wanted = [of_rows.get(code, 1.0) * w for code, w in zip(y, own, strict=True)]
        comparison.close("row weights", each, wanted, EXACT)


COMPARED = {
    "boosting": _boosting,
    "bootstrap": _bootstrap,
    "chi squared": _tables,
    "conformal intervals": _conformal,
    "correlation": _correlation,
    "distributions": _distributions,
    "division in folds": _dealt,
    "folds": _folds,
    "importance": _importance,
    "linear models": _linear,
    "partial dependence": _dependence,
    "shares": _shares,
    "temperature": _temperature,
    "thresholds": _threshold,
    "voting": _voting,
    "weights": _weights,
}
