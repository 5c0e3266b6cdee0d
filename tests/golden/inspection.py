"""Curves, calibration, importance and partial dependence by scikit-learn, for tests/inspection.

Made with scikit-learn 1.9; run it where that is installed: `python tests/golden/inspection.py`.
The tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    auc,
    average_precision_score,
    brier_score_loss,
    precision_recall_curve,
    r2_score,
    roc_curve,
)


def binary_cases():
    random = np.random.Generator(np.random.PCG64(0))
    yield random.integers(0, 2, 60), random.random(60).round(2)  # some tied, some on bin edges
    yield random.integers(0, 2, 40), random.choice([0.0, 0.1, 0.5, 1.0], 40)
    yield np.array([1, 0]), np.array([0.3, 0.3])
    yield np.array([0] * 9 + [1]), np.linspace(0.05, 0.95, 10)


def curves(y, p):
    false_positive, true_positive, thresholds = roc_curve(y, p, drop_intermediate=False)
    precision, recall, cuts = precision_recall_curve(y, p)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="uniform")
    return {
        "y": y.tolist(),
        "p": p.tolist(),
        "roc": [false_positive.tolist(), true_positive.tolist(), thresholds[1:].tolist()],
        "area": auc(false_positive, true_positive),
        "pr": [precision[::-1].tolist(), recall[::-1].tolist(), cuts[::-1].tolist()],
        "average_precision": average_precision_score(y, p),
        "calibration": [predicted.tolist(), observed.tolist()],
        "brier": brier_score_loss(y, p),
    }


def several_classes():
    random = np.random.Generator(np.random.PCG64(1))
    logits = random.normal(0, 2, (50, 4))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = random.integers(0, 4, 50)
    return {"y": y.tolist(), "p": p.tolist(), "brier": brier_score_loss(y, p, labels=range(4))}


def fitted(task):
    """A linear model of three columns, one of which does not matter."""
    random = np.random.Generator(np.random.PCG64(2))
    x = random.normal(0, 1, (30, 3))
    score = 2 * x[:, 0] - x[:, 1] + random.normal(0, 0.1, 30)
    if task == "regression":
        return x, score, LinearRegression().fit(x, score)
    y = (score > 0).astype(int)
    return x, y, LogisticRegression().fit(x, y)


def explained(task):
    """Importances, with the permutations that scikit-learn drew, and partial dependence."""
    x, y, model = fitted(task)
    metric = r2_score if task == "regression" else accuracy_score
    seen = []

    def scorer(estimator, shuffled, targets):
        seen.append(np.array(shuffled))
        return metric(targets, estimator.predict(shuffled))

    found = permutation_importance(model, x, y, scoring=scorer, n_repeats=4, random_state=0)
    permutations = [
        [int(np.flatnonzero(x[:, 0] == cell)[0]) for cell in shuffled[:, 0]]
        for shuffled in seen[1:5]
    ]
    method = "predict" if task == "regression" else "predict_proba"
    grid = np.quantile(x[:, 0], np.linspace(0.05, 0.95, 6))
    dependence = partial_dependence(
        model, x, [0], custom_values={0: grid}, method="brute",
        response_method="auto" if task == "regression" else method, kind="average",
    )  # fmt: skip
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "coefficients": model.coef_.ravel().tolist(),
        "intercept": float(np.ravel(model.intercept_)[0]),
        "permutations": permutations,
        "importances": found.importances.tolist(),
        "mean": found.importances_mean.tolist(),
        "std": found.importances_std.tolist(),
        "grid": grid.tolist(),
        "dependence": dependence["average"].ravel().tolist(),
    }


def main():
    golden = {
        "binary": [curves(y, p) for y, p in binary_cases()],
        "several": several_classes(),
        "regression": explained("regression"),
        "classification": explained("classification"),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
