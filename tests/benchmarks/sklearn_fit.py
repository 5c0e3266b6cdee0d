"""`fit` of NettrainClassifier and of scikit-learn's MLPClassifier on the digits, in one process, warmed up, by turns.

    python tests/benchmarks/sklearn_fit.py --repeat 7 --json result.json

Both train two hidden layers of 64 relu units on all 1,797 standardised rows: Adam at 1e-3, batches of 32, 30 epochs, no penalty, no
early stopping. MLPClassifier is given float32, as it computes in the type of X; nettrain computes in float32 too. Each estimator is
fitted once before the clock starts, then all of them by turns, so that what else the machine does strikes all alike.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from pathlib import Path

import environment  # noqa: F401  (before NumPy)

try:
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    sys.exit(
        f'{error.name} is not installed here; this comparison needs it: pip install "nettrain[sklearn]"'
    )
from nettrain.sklearn import NettrainClassifier

HIDDEN, BATCH, LR = (64, 64), 32, 1e-3


def estimators(epochs: int) -> dict[str, object]:
    """What is compared, by name."""
    scikit_learn = MLPClassifier(
        hidden_layer_sizes=HIDDEN, activation="relu", solver="adam", learning_rate_init=LR, batch_size=BATCH, alpha=0.0,
        max_iter=epochs, n_iter_no_change=epochs, tol=0.0, early_stopping=False, random_state=0,
    )  # fmt: skip
    own = {
        f"nettrain, {kernels}": NettrainClassifier(
            model__hidden=list(HIDDEN), optimizer__lr=LR, training__batch_size=BATCH, training__epochs=epochs,
            training__kernels=kernels, dataset__transforms=[], random_state=0,
        )
        for kernels in ("numpy", "numba")
    }  # fmt: skip
    return {"MLPClassifier": scikit_learn, **own}


def fit_seconds(estimator: object, x: np.ndarray, y: np.ndarray) -> float:
    """Of one `fit`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are meant to be used
        began = time.perf_counter()
        estimator.fit(x, y)
        return time.perf_counter() - began


def main() -> None:
    """Read the arguments, fit by turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=7, help="fits of each estimator")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the seconds of every fit")
    options = parser.parse_args()

    x, y = load_digits(return_X_y=True)
    x = StandardScaler().fit_transform(x).astype(np.float32)
    compared = estimators(options.epochs)
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for estimator in compared.values():
        fit_seconds(estimator, x, y)
    for _ in range(options.repeat):
        for name, estimator in compared.items():
            seconds[name].append(fit_seconds(estimator, x, y))

    reference = seconds["MLPClassifier"]
    print(f"{'':16} {'median':>8} {'fastest':>8}   MLPClassifier / it (median of turns, range)")
    for name, own in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(reference, own, strict=True)]
        print(
            f"{name:16} {statistics.median(own):7.3f}s {min(own):7.3f}s   {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
            f"{max(ratios):.2f})   accuracy on the training rows {compared[name].score(x, y):.4f}"
        )
    if options.json:
        options.json.write_text(json.dumps(seconds) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
