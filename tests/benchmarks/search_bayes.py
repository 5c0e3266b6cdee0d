"""Bayesian search against random search: the best validation loss after 40 trials of the spirals, by the sweep's seed.

    python tests/benchmarks/search_bayes.py                        10 seeds, a worker each search: the figures are the same every time
    python tests/benchmarks/search_bayes.py --seeds 3 --trials 20

Seven parameters, one of them with a condition, most settings bad: lr from 1e-5 to 1, three optimizers, width, activation, batch, dropout.
A seed decides the rows, the weights and the settings; both methods have the same rows and weights.
"""

import argparse
import statistics
import sys
import tempfile
import time

from nettrain.search.sweep.sweep import sweep

BASE = {
    "dataset": {
        "source": {"type": "spirals", "rows": 300, "turns": 1.0, "noise": 0.05},
        "split": {"validation": 0.4, "test": 0.1, "stratify": True},
    },
    "model": {"type": "mlp", "hidden": [16, 16], "activation": "relu"},
    "training": {"epochs": 20, "batch_size": 32},
}  # fmt: skip
PARAMETERS = {
    "optimizer.type": {"values": ["sgd", "momentum", "adam"]},
    "optimizer.lr": {"min": 1e-5, "max": 1.0, "distribution": "log_uniform"},
    "optimizer.beta": {"values": [0.8, 0.9, 0.98], "when": {"optimizer.type": "momentum"}},
    "model.hidden": {"values": [[4], [16], [64], [4, 4], [16, 16], [64, 64]]},
    "model.activation": {"values": ["relu", "tanh", "sigmoid"]},
    "training.batch_size": {"min": 8, "max": 128, "distribution": "int_log_uniform"},
    "regularization.dropout": {"min": 0, "max": 0.5, "step": 0.1},
}


def best(method: str, seed: int, trials: int, executor: str) -> tuple[float, float]:
    """The least validation loss of a sweep, and its seconds."""
    spec = {
        "base": BASE | {"seed": seed},
        "method": method,
        "metric": "validation_loss",
        "trials": trials,
        "parameters": PARAMETERS,
    }
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = sweep(spec, output_directory=folder, executor=executor, workers=1)
    if found.best is None or found.best.metric is None:
        sys.exit(f"{method}, seed {seed}: no trial finished: {found.trials[0].message}")
    return found.best.metric, time.perf_counter() - began


def main() -> None:
    """Print the best of each seed, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--executor", default="local")
    options = parser.parse_args()
    results: dict[str, list[float]] = {"bayes": [], "random": []}
    seconds: dict[str, float] = dict.fromkeys(results, 0.0)
    print(f"validation loss of the best of {options.trials} trials\nseed    bayes   random")
    for seed in range(options.seeds):
        for method, found in results.items():
            value, took = best(method, seed, options.trials, options.executor)
            found.append(value)
            seconds[method] += took
        print(f"{seed:>4} {results['bayes'][-1]:8.4f} {results['random'][-1]:8.4f}", flush=True)
    means = {method: statistics.fmean(found) for method, found in results.items()}
    print(f"mean {means['bayes']:8.4f} {means['random']:8.4f}")
    won = sum(a < b for a, b in zip(results["bayes"], results["random"], strict=True))
    print(
        f"bayes is better on {won} of {options.seeds} seeds; seconds: bayes {seconds['bayes']:.0f}, random {seconds['random']:.0f}"
    )


if __name__ == "__main__":
    main()
