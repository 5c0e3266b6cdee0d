"""Predictions and scores of scikit-learn's LogisticRegression and Ridge, for tests/inspection.

Made with scikit-learn 1.9; run it where that is installed: `python tests/golden/linear_models.py`.
The tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier


def problem(task):
    """Rows to train on, rows to predict, and targets of both; inputs of unequal scale and mean."""
    chance = np.random.Generator(np.random.PCG64(5))
    x = chance.normal(size=(120, 4)) * [1, 0.2, 5, 1] + [0, 3, -2, 0]
    z = x @ chance.normal(size=(4, 3)) + chance.normal(size=(120, 3))
    z -= z.mean(axis=0)
    y = {
        "binary": (z[:, 0] > 0).astype(int),
        "classes": z.argmax(axis=1),
        "labels": (z[:, :2] > 0).astype(int),
        "numbers": 1000 * z[:, :2] + 50,
    }[task]
    return x[:80], y[:80], x[80:], y[80:]


def main():
    found = {}
    for task in ("binary", "classes", "labels", "numbers"):
        x, y, new, truth = problem(task)
        logistic = LogisticRegression(C=1, tol=1e-10, max_iter=10_000)
        model = {"labels": OneVsRestClassifier(logistic), "numbers": Ridge(alpha=1)}.get(
            task, logistic
        )
        model.fit(x, y)
        predicted = model.predict(new) if task == "numbers" else model.predict_proba(new)
        arrays = {"x": x, "y": y, "new": new, "truth": truth, "predicted": predicted}
        found[task] = {name: array.tolist() for name, array in arrays.items()}
        found[task]["score"] = float(model.score(new, truth))
    Path(__file__).with_suffix(".json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
