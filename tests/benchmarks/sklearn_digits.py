"""scikit-learn's MLPClassifier on the digits, as configs/digits.yaml trains them: what accuracy and whole-process time are compared with.

    python tests/benchmarks/sklearn_digits.py --make digits.csv          the UCI digits as CSV: 64 pixels, then the digit
    python tests/benchmarks/sklearn_digits.py digits.csv --repeat 5      test accuracy, and the seconds of 5 whole processes
    python tests/benchmarks/sklearn_digits.py digits.csv --seeds 10 --splits 'runs/digits-{seed}/splits.npz'      on nettrain's own rows

Two hidden layers of 64 relu units, Adam at 1e-3, batches of 32, 30 epochs, no penalty, no early stopping, standardised features.
Its figure comes from the last weights; validation rows are left out of the training and not looked at. A whole process is the start
of Python, imports, reading, training and exit. scikit-learn uses as many BLAS threads as there are cores; OMP_NUM_THREADS=1 changes that.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

try:
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    sys.exit(
        f"{error.name} is not installed here; this comparison needs scikit-learn: pip install scikit-learn"
    )


def make(path: Path) -> None:
    """Write the digits as CSV with a header."""
    from sklearn.datasets import load_digits  # only here: its import costs the comparison time

    digits = load_digits()
    header = ",".join([*(f"pixel_{i}" for i in range(64)), "digit"])
    np.savetxt(
        path,
        np.column_stack([digits.data, digits.target]),
        fmt="%d",
        delimiter=",",
        header=header,
        comments="",
    )


def parts(
    targets: np.ndarray, seed: int, splits: str | None, validation: float, test: float
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that train and the rows that test: nettrain's, or drawn here, stratified."""
    if splits is not None:
        with np.load(splits.replace("{seed}", str(seed))) as stored:
            return stored["train"], stored["test"]
    rest, test_rows = train_test_split(
        np.arange(len(targets)), test_size=test, stratify=targets, random_state=seed
    )
    train_rows, _ = train_test_split(
        rest, test_size=validation / (1 - test), stratify=targets[rest], random_state=seed
    )
    return train_rows, test_rows


def accuracy(
    x: np.ndarray,
    y: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    seed: int,
    options: argparse.Namespace,
) -> float:
    """Of one training."""
    if options.scale == "standardize":
        scaler = StandardScaler().fit(x[train])
        x = scaler.transform(x)
    elif options.scale == "divide":
        x = x / 16
    network = MLPClassifier(
        hidden_layer_sizes=(64, 64), activation="relu", solver="adam", learning_rate_init=1e-3, batch_size=32, alpha=0.0,
        max_iter=options.epochs, n_iter_no_change=options.epochs, tol=0.0, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are meant to be used
        network.fit(x[train].astype(np.float32), y[train])
    return float(network.score(x[test].astype(np.float32), y[test]))


def whole_process_seconds(repeat: int) -> list[float]:
    """Of this very command in processes of its own, one after the other: start of Python, imports, reading, training and exit."""
    command = [sys.executable, *sys.argv, "--repeat", "0", "--json"]
    seconds = []
    for _ in range(repeat):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Read the arguments, train, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data", nargs="?", type=Path, help="CSV with a header, the digit in the last column"
    )
    parser.add_argument("--make", type=Path, metavar="PATH", help="write that CSV and stop")
    parser.add_argument("--seeds", type=int, default=1, help="train with the seeds 0 ... N - 1")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument(
        "--splits", help="npz with the row indices train and test; {seed} stands for the seed"
    )
    parser.add_argument(
        "--validation", type=float, default=0.2, help="share of the rows left out, without --splits"
    )
    parser.add_argument(
        "--test", type=float, default=0.2, help="share of the rows tested on, without --splits"
    )
    parser.add_argument(
        "--scale",
        choices=("standardize", "divide", "none"),
        default="standardize",
        help="divide: by 16",
    )
    parser.add_argument(
        "--repeat", type=int, default=0, metavar="N", help="also time N processes of this command"
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    options = parser.parse_args()
    if options.make:
        make(options.make)
        return
    if options.data is None:
        parser.error("name the CSV; --make PATH writes it")

    table = np.loadtxt(options.data, delimiter=",", skiprows=1)
    x, y = table[:, :-1], table[:, -1].astype(int)
    accuracies = []
    for seed in range(options.seeds):
        train, test = parts(y, seed, options.splits, options.validation, options.test)
        accuracies.append(accuracy(x, y, train, test, seed, options))
        if not options.json:
            print(
                f"seed {seed}: test accuracy {accuracies[-1]:.4f}  ({len(train)} rows train, {len(test)} test)",
                flush=True,
            )
    result = {"test_accuracy": accuracies, "mean": statistics.mean(accuracies)}
    if options.repeat:
        result["seconds"] = whole_process_seconds(options.repeat)
    if options.json:
        print(json.dumps(result))
        return
    print(f"mean {result['mean']:.4f}")
    if options.repeat:
        print(
            f"whole process: median {statistics.median(result['seconds']):.2f} s of {', '.join(f'{s:.2f}' for s in result['seconds'])}"
        )


if __name__ == "__main__":
    main()
