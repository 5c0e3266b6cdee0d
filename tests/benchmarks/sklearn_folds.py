"""scikit-learn's MLPClassifier on the folds of a `nettrain cv`: the same rows train, the same are scored.

    nettrain cv configs/iris.yaml --repeats 3
    python tests/benchmarks/sklearn_folds.py iris runs/iris-cv

The network, the rate, the batches and the epochs are those of configs/iris.yaml and configs/digits.yaml; standardised features, no penalty.
Its figure comes from the last weights; the validation rows of a fold, with which nettrain chooses the best epoch, are left out.
Two means agree if they differ by two standard errors at most: sqrt(s^2 / J) of the J differences, fold by fold.
"""

import argparse
import csv
import json
import math
import statistics
import sys
import warnings
from pathlib import Path

try:
    import numpy as np
    from sklearn.datasets import load_digits, load_iris
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    sys.exit(
        f"{error.name} is not installed here; this comparison needs scikit-learn: pip install scikit-learn"
    )

SETS = {"iris": load_iris, "digits": load_digits}
NETWORKS = {
    "iris": {
        "hidden_layer_sizes": (16,),
        "learning_rate_init": 0.01,
        "batch_size": 16,
        "max_iter": 100,
    },
    "digits": {
        "hidden_layer_sizes": (64, 64),
        "learning_rate_init": 1e-3,
        "batch_size": 32,
        "max_iter": 30,
    },
}


def accuracy(x, y, train, test, seed, network):
    """Of one fold."""
    scaler = StandardScaler().fit(x[train])
    x = scaler.transform(x).astype(np.float32)
    model = MLPClassifier(
        **network, alpha=0.0, n_iter_no_change=network["max_iter"], tol=0.0, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are meant to be used
        model.fit(x[train], y[train])
    return float(model.score(x[test], y[test]))


def check_rows(directory, targets, names):
    """The rows of the folds must be those of scikit-learn's copy."""
    with open(directory / "predictions.csv", newline="") as file:
        for row in csv.DictReader(file):
            if str(names[targets[int(row["row"])]]) != row["target"]:
                sys.exit(
                    f"row {row['row']} is {row['target']} in {directory} and {names[targets[int(row['row'])]]} here: other data"
                )


def main():
    """Read the folds, train, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=SETS)
    parser.add_argument("directory", type=Path, help="of the cross-validation")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    options = parser.parse_args()
    data = SETS[options.data]()
    check_rows(options.directory, data.target, data.target_names)
    ours, theirs = [], []
    for fold in json.loads((options.directory / "summary.json").read_text())["folds"]:
        with np.load(Path(fold["run_directory"]) / "splits.npz") as rows:
            theirs.append(
                accuracy(
                    data.data,
                    data.target,
                    rows["train"],
                    rows["test"],
                    fold["repeat"],
                    NETWORKS[options.data],
                )
            )
        ours.append(fold["metrics"]["accuracy"])
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    error = math.sqrt(statistics.variance(differences) / len(differences))
    difference = statistics.mean(differences)
    found = {
        "nettrain": statistics.mean(ours),
        "scikit-learn": statistics.mean(theirs),
        "difference": difference,
        "standard_error": error,
    }
    if options.json:
        print(json.dumps(found | {"folds": [ours, theirs]}))
        return
    for name, figure in found.items():
        print(f"{name:16}{figure:8.4f}")
    print(
        f"{len(ours)} folds: the means {'agree' if abs(difference) <= 2 * error else 'DIFFER'} within two standard errors"
    )


if __name__ == "__main__":
    main()
