"""What scikit-learn's AdaBoostClassifier (SAMME) makes of decision stumps, for tests/search/test_boosting.py.

Made with scikit-learn 1.9; run it where that is installed: `python tests/golden/boosting.py`. The tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris, load_wine
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

SETS = {"iris": load_iris, "wine": load_wine}


def main():
    golden = []
    for name, load in SETS.items():
        x, y = load(return_X_y=True)
        for rows in (slice(None), y > 0):
            model = AdaBoostClassifier(
                DecisionTreeClassifier(max_depth=1), n_estimators=8, random_state=0
            ).fit(x[rows], y[rows])
            decided = [
                np.searchsorted(model.classes_, one.predict(x[rows])) for one in model.estimators_
            ]
            golden.append(
                {
                    "name": f"{name}, {len(model.classes_)} classes",
                    "classes": len(model.classes_),
                    "targets": np.searchsorted(model.classes_, y[rows]).tolist(),
                    "decided": np.array(decided).tolist(),
                    "errors": model.estimator_errors_.tolist(),
                    "weights": model.estimator_weights_.tolist(),
                    "predicted": np.searchsorted(model.classes_, model.predict(x[rows])).tolist(),
                }
            )
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
