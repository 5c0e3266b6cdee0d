"""Makes metrics.json: awkward outcomes and scikit-learn's figures for them. Made with scikit-learn 1.9.1, NumPy 2.4.6, Python 3.11+.

Run it in an environment with scikit-learn: `python tests/golden/metrics.py`. The tests read the file only.
A figure that scikit-learn calls undefined (NaN) is null.
"""

import json
import math
import platform
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor

generator = np.random.default_rng(20)


def probabilities(n, k, decimals, weights=1.0):
    """Rows that sum to 1; few decimals make ties; a class of small weight is never predicted."""
    raw = generator.integers(1, 10**decimals, (n, k)) * np.asarray(weights)
    return raw / raw.sum(axis=1, keepdims=True)


def label_probabilities(n, width, decimals):
    return np.round(generator.random((n, width)), decimals)


def plain(value):
    """Lists and floats; NaN is null."""
    if np.ndim(value):
        return [plain(item) for item in value]
    value = float(value)
    return None if math.isnan(value) else value


def averaged(y, predicted, **keywords):
    """Macro precision, recall and F1, and those of each class or label. 'occurring': scikit-learn's own choice of labels."""
    figures = {}
    functions = {
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    for name, function in functions.items():
        value = function(y, predicted, average="macro", zero_division=0)
        figures[name] = {
            "value": value,
            "each": function(y, predicted, average=None, zero_division=0, **keywords),
        }
    return figures


def classes(y, p):
    k = p.shape[1]
    predicted = p.argmax(axis=1)
    labels = list(range(k))
    figures = averaged(y, predicted, labels=labels)
    occurs = np.isin(labels, np.union1d(y, predicted))
    for figure in figures.values():
        figure["each"] = np.where(occurs, figure["each"], np.nan)
    figures["accuracy"] = {"value": metrics.accuracy_score(y, predicted)}
    per_class = np.array(
        [
            metrics.recall_score(y == c, predicted == c, zero_division=0)
            if (y == c).any()
            else np.nan
            for c in labels
        ]
    )
    figures["balanced_accuracy"] = {
        "value": metrics.balanced_accuracy_score(y, predicted),
        "each": per_class,
    }
    figures["log_loss"] = {"value": metrics.log_loss(y, p, labels=labels)}
    figures["top5_accuracy"] = {
        "value": metrics.top_k_accuracy_score(y, p, k=5, labels=labels) if k > 5 else math.nan
    }
    several = {"multi_class": "ovr", "average": "macro", "labels": labels}
    area = metrics.roc_auc_score(y, p[:, 1]) if k == 2 else metrics.roc_auc_score(y, p, **several)
    figures["roc_auc"] = {
        "value": area,
        "each": [metrics.roc_auc_score(y == c, p[:, c]) for c in labels],
    }
    confusion = metrics.confusion_matrix(y, predicted, labels=labels)
    return {"figures": figures, "confusion_matrix": confusion, "support": confusion.sum(axis=1)}


def labels(y, p):
    predicted = (p >= 0.5).astype(int)
    figures = averaged(y, predicted)
    figures["subset_accuracy"] = {"value": metrics.accuracy_score(y, predicted)}
    each = [metrics.accuracy_score(y[:, c], predicted[:, c]) for c in range(y.shape[1])]
    figures["label_accuracy"] = {"value": 1 - metrics.hamming_loss(y, predicted), "each": each}
    area = metrics.roc_auc_score(y, p, average="macro")
    figures["roc_auc"] = {
        "value": area,
        "each": [metrics.roc_auc_score(y[:, c], p[:, c]) for c in range(y.shape[1])],
    }
    return {"figures": figures, "support": y.sum(axis=0)}


def values(y, predicted):
    functions = {
        "mse": metrics.mean_squared_error,
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
        "r2": metrics.r2_score,
    }
    return {
        "figures": {
            name: {
                "value": function(y, predicted),
                "each": np.broadcast_to(
                    function(y, predicted, multioutput="raw_values"), y.shape[1:]
                ),
            }
            for name, function in functions.items()
        }
        | {name: {"value": math.nan} for name in QUANTILE_METRICS}
    }


def quantiles(y, z, levels):
    """The figures of quantiles z (n, k, t): those of the central one, and of the outermost two as an interval."""
    found = values(y, z[:, np.argmin(np.abs(np.array(levels) - 0.5))])
    pinball = np.mean(
        [
            metrics.mean_pinball_loss(y, z[:, i], alpha=level, multioutput="raw_values")
            for i, level in enumerate(levels)
        ],
        axis=0,
    )
    inside = ((z[:, 0] <= y) & (y <= z[:, -1])).mean(axis=0)
    width = (z[:, -1] - z[:, 0]).mean(axis=0)
    figures = {"pinball_loss": pinball} | (
        {"coverage": inside, "interval_width": width} if len(levels) > 1 else {}
    )
    undefined = {name: {"value": math.nan} for name in QUANTILE_METRICS}
    return {
        "figures": found["figures"]
        | undefined
        | {name: {"value": each.mean(), "each": each} for name, each in figures.items()}
    }


QUANTILE_METRICS = ("pinball_loss", "coverage", "interval_width")


def class_cases():
    yield "two classes", generator.integers(0, 2, 41), probabilities(41, 2, 6)
    yield "two classes, tied scores", generator.integers(0, 2, 41), probabilities(41, 2, 1)
    yield "four classes", generator.integers(0, 4, 57), probabilities(57, 4, 6)
    yield "four classes, tied scores", generator.integers(0, 4, 57), probabilities(57, 4, 1)
    yield "a class absent from the targets", generator.choice([0, 2], 23), probabilities(23, 3, 3)
    yield (
        "a class absent from the predictions",
        generator.integers(0, 3, 23),
        probabilities(23, 3, 3, [1, 1, 0.01]),
    )
    yield (
        "a class absent from both",
        generator.choice([0, 1, 3], 23),
        probabilities(23, 4, 3, [1, 1, 0.01, 1]),
    )
    yield (
        "the last class absent from both",
        generator.integers(0, 3, 23),
        probabilities(23, 4, 3, [1, 1, 1, 0.01]),
    )
    yield "one class only", np.ones(9, dtype=int), probabilities(9, 2, 3)
    yield "all right", np.arange(12) % 3, np.eye(3)[np.arange(12) % 3]
    yield "all wrong", np.arange(12) % 3, np.eye(3)[(np.arange(12) + 1) % 3]
    yield "all scores equal", np.arange(12) % 3, np.full((12, 3), 1 / 3)
    yield "one row, right", np.array([1]), np.array([[0.25, 0.75]])
    yield "one row, wrong", np.array([2]), np.array([[0.5, 0.25, 0.25]])
    yield "eight classes", generator.integers(0, 8, 41), probabilities(41, 8, 6)
    yield "seven classes, tied scores", generator.integers(0, 7, 41), probabilities(41, 7, 1)
    yield "seven classes, all scores equal", np.arange(14) % 7, np.full((14, 7), 1 / 7)


def label_cases():
    yield "three labels", generator.integers(0, 2, (31, 3)), label_probabilities(31, 3, 6)
    yield (
        "tied scores, some at one half",
        generator.integers(0, 2, (31, 3)),
        label_probabilities(31, 3, 1),
    )
    yield (
        "a label that no row has",
        generator.integers(0, 2, (19, 3)) * [1, 0, 1],
        label_probabilities(19, 3, 3),
    )
    yield (
        "a label that is never predicted",
        generator.integers(0, 2, (19, 3)),
        label_probabilities(19, 3, 3) * [1, 0.4, 1],
    )
    yield (
        "a label that neither occurs",
        generator.integers(0, 2, (19, 3)) * [1, 0, 1],
        label_probabilities(19, 3, 3) * [1, 0.4, 1],
    )
    yield "all right", np.eye(4, dtype=int), np.eye(4)
    yield "one row", np.array([[1, 0]]), np.array([[0.75, 0.5]])


def value_cases():
    y = np.round(generator.normal(size=(37, 1)) * 1000, 3)
    yield "one target", y, np.round(y + generator.normal(size=y.shape) * 300, 3)
    y = np.round(generator.normal(size=(29, 3)) * [1, 1e-6, 1e6], 9)
    yield (
        "three targets of unlike scale",
        y,
        y + np.round(generator.normal(size=y.shape) * [0.3, 1e-7, 1e6], 9),
    )
    yield "far from zero", y[:, :1] + 1e6, y[:, :1] + 1e6 + 0.125
    yield "worse than the mean", y[:, :1], -y[:, :1]
    yield "all right", y, y
    yield "a constant target missed", np.full((8, 1), 2.0), np.linspace(1, 2, 8)[:, None]
    yield "a constant target met", np.full((8, 1), 2.0), np.full((8, 1), 2.0)
    y = np.column_stack([np.arange(8.0), np.full(8, 2.0), np.full(8, -1.0)])
    yield "constant targets among others", y, y + np.outer(np.arange(8.0) % 3, [1, 1, 0])
    yield "one row", np.array([[3.0]]), np.array([[2.5]])


def quantile_cases():
    chance = np.random.default_rng(21)
    for name, levels, t in (
        ("three quantiles", (0.05, 0.5, 0.9), 1),
        ("two quantiles of three targets", (0.2, 0.7), 3),
        ("one quantile", (0.8,), 2),
    ):
        y = np.round(chance.normal(size=(23, t)) * 100, 3)
        z = np.sort(np.round(chance.normal(size=(23, len(levels), t)) * 100, 3), axis=1)
        yield name, y, z, levels


def baseline_cases():
    """What the dummy models predict for four rows (probabilities, or values) after seeing these training targets."""
    x, rows = np.zeros((9, 1)), np.zeros((4, 1))
    for name, y, k in (
        ("classes", np.array([2, 0, 1, 2, 2, 0, 1, 2, 0]), 3),
        ("tied classes", np.array([2, 1, 2, 1, 2, 1, 0, 2, 1]), 3),
    ):
        yield (
            name,
            "classification",
            k,
            y,
            DummyClassifier(strategy="prior").fit(x, y).predict_proba(rows),
        )
    y = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 1], [0, 1, 0]] * 2)
    yield (
        "labels, two of them tied",
        "multilabel",
        3,
        y,
        DummyClassifier(strategy="most_frequent").fit(x[:8], y).predict(rows),
    )
    y = np.round(generator.normal(size=(9, 2)), 6)
    yield "values", "regression", 2, y, DummyRegressor(strategy="mean").fit(x, y).predict(rows)


def tree(value):
    return (
        {key: tree(item) for key, item in value.items()}
        if isinstance(value, dict)
        else plain(value)
    )


warnings.simplefilter("ignore")  # scikit-learn warns of each undefined figure
outcomes = [
    {"task": task, "case": case, "targets": y.tolist(), "predictions": p.tolist()}
    | tree(figures(y, p))
    for task, cases, figures in (
        ("classification", class_cases, classes),
        ("multilabel", label_cases, labels),
        ("regression", value_cases, values),
    )
    for case, y, p in cases()
]
outcomes += [
    {
        "task": "regression",
        "case": case,
        "targets": y.tolist(),
        "predictions": z.reshape(len(z), -1).tolist(),
        "levels": levels,
    }
    | tree(quantiles(y, z, levels))
    for case, y, z, levels in quantile_cases()
]
baselines = [
    {"case": case, "task": task, "k": k, "train_targets": y.tolist(), "predictions": p.tolist()}
    for case, task, k, y, p in baseline_cases()
]
versions = f"tests/golden/metrics.py, scikit-learn {sklearn.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
lines = ",\n".join(json.dumps(outcome) for outcome in outcomes)
more = ",\n".join(json.dumps(baseline) for baseline in baselines)
text = f'{{"made_by": {json.dumps(versions)},\n"outcomes": [\n{lines}\n],\n"baselines": [\n{more}\n]}}\n'
Path(__file__).with_suffix(".json").write_text(text)
