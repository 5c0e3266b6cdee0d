"""How long sweeps take: one worker against two, against scikit-learn's random search, and what the parent does a trial.

    python tests/benchmarks/search.py scaling [--rounds 3]           32 trials, 1 worker and 2 in turn: first start to last end
    python tests/benchmarks/search.py sklearn [--peer-python PATH]   whole processes in turn: RandomizedSearchCV with n_jobs=2
    python tests/benchmarks/search.py bookkeeping [--trials 500]     processor time of the parent a trial, with runs that take none

Each prints one JSON line last. The sweep is of the digits (8 x 8 pixels, split 60/20/20): 32 draws of rate, penalty, layers, activation and
batch size, 200 epochs each, which is half a second or more on a core; then the winner on training and validation rows. scikit-learn's
MLPClassifier has the same space, epochs and sizes of its one split, and its winner is fitted again too; it has no test to make. Machines
that others use swing by a factor of two between minutes: the runs alternate, and what counts is the median of the ratios.
"""

import environment  # noqa: F401, I001

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRIALS, EPOCHS = 32, 200
HIDDEN = [[64], [128], [64, 64], [128, 64]]
ACTIVATIONS = ["relu", "tanh"]
BATCHES = [32, 64]
RATES, PENALTIES = (1e-4, 3e-2), (1e-6, 1e-2)


def spec(trials: int = TRIALS, epochs: int = EPOCHS) -> dict[str, Any]:
    """The sweep, as a mapping."""
    return {
        "name": "benchmark",
        "base": {
            "dataset": {
                "source": "digits",
                "split": {"validation": 0.2, "test": 0.2, "stratify": True},
            },
            "model": {"type": "mlp", "hidden": [64, 64]},
            "training": {"epochs": epochs, "batch_size": 32},
        },
        "method": "random",
        "metric": "validation_accuracy",
        "trials": trials,
        "parameters": {
            "optimizer.lr": {"min": RATES[0], "max": RATES[1], "distribution": "log_uniform"},
            "regularization.l2": {
                "min": PENALTIES[0],
                "max": PENALTIES[1],
                "distribution": "log_uniform",
            },
            "model.hidden": {"values": HIDDEN},
            "model.activation": {"values": ACTIVATIONS},
            "training.batch_size": {"values": BATCHES},
        },
    }


def scaling(rounds: int, trials: int, epochs: int) -> dict[str, Any]:
    """Seconds from the first start to the last end, for one worker and for two, and their ratio in each round."""
    from nettrain.search.observer import Observer, Outcome
    from nettrain.search.sweep.sweep import sweep

    class Clock(Observer):
        def __init__(self) -> None:
            self.first: float | None = None
            self.last = 0.0

        def started(self, name: str, setting: Mapping[str, object]) -> None:
            if self.first is None:
                self.first, self.spent = time.perf_counter(), time.process_time()

        def ended(self, outcome: Outcome) -> None:
            if outcome.index is None:
                return
            self.last, self.parent = time.perf_counter(), time.process_time() - self.spent

    seconds: dict[int, list[float]] = {1: [], 2: []}
    shortest, parent = float("inf"), []
    for i in range(rounds):
        for workers in (1, 2) if i % 2 == 0 else (2, 1):
            clock = Clock()
            with tempfile.TemporaryDirectory() as folder:
                found = sweep(
                    spec(trials, epochs), output_directory=folder, workers=workers, observer=clock
                )
            seconds[workers].append(clock.last - (clock.first or 0.0))
            parent.append(1000 * clock.parent / trials)
            shortest = min(shortest, *(trial.seconds for trial in found.trials))
        print(
            f"round {i + 1}: 1 worker {seconds[1][-1]:.2f} s, 2 workers {seconds[2][-1]:.2f} s",
            file=sys.stderr,
            flush=True,
        )
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    return {
        "benchmark": "scaling",
        "trials": trials,
        "epochs": epochs,
        "seconds": {str(workers): found for workers, found in seconds.items()},
        "shortest_trial": shortest,
        "parent_ms_per_trial": statistics.median(parent),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def against_sklearn(rounds: int, trials: int, epochs: int, python: str) -> dict[str, Any]:
    """Seconds of whole processes, and their ratio in each round."""
    seconds: dict[str, list[float]] = {"nettrain": [], "sklearn": []}
    scores: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.json"  # JSON is YAML
        path.write_text(json.dumps(spec(trials, epochs)))
        program = [sys.executable, "-c", "from nettrain.cli.main import run; run()"]
        ours = [*program, "sweep", str(path), "-o", folder, "--workers", "2", "--quiet", "--json"]
        theirs = [python, __file__, "peer", "--trials", str(trials), "--epochs", str(epochs)]
        for i in range(rounds):
            for name in ("nettrain", "sklearn") if i % 2 == 0 else ("sklearn", "nettrain"):
                began = time.perf_counter()
                done = subprocess.run(
                    ours if name == "nettrain" else theirs,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                seconds[name].append(time.perf_counter() - began)
                found = json.loads(done.stdout.splitlines()[-1])
                scores[name] = found["best"]["metric"] if name == "nettrain" else found["best"]
            print(
                f"round {i + 1}: "
                + ", ".join(f"{name} {s[-1]:.2f} s" for name, s in seconds.items()),
                file=sys.stderr,
                flush=True,
            )
    ratios = [
        theirs / ours for theirs, ours in zip(seconds["sklearn"], seconds["nettrain"], strict=True)
    ]
    return {"benchmark": "sklearn", "trials": trials, "epochs": epochs, "seconds": seconds, "best_validation_accuracy": scores,
            "ratio": statistics.median(ratios), "ratios": ratios}  # fmt: skip


def peer(trials: int, epochs: int) -> dict[str, Any]:
    """scikit-learn's search; in a process of its own."""
    import warnings

    import numpy as np
    from scipy.stats import loguniform
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV, train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    digits = load_digits()
    x, y = digits.data.astype(np.float32), digits.target
    x, _, y, _ = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
    validation = np.full(len(x), -1)
    validation[
        train_test_split(np.arange(len(x)), test_size=0.25, stratify=y, random_state=0)[1]
    ] = 0
    network = MLPClassifier(
        solver="adam", max_iter=epochs, n_iter_no_change=epochs, tol=0.0, random_state=0
    )
    space = {
        "mlpclassifier__learning_rate_init": loguniform(*RATES),
        "mlpclassifier__alpha": loguniform(*PENALTIES),
        "mlpclassifier__hidden_layer_sizes": [tuple(hidden) for hidden in HIDDEN],
        "mlpclassifier__activation": ACTIVATIONS,
        "mlpclassifier__batch_size": BATCHES,
    }
    search = RandomizedSearchCV(
        make_pipeline(StandardScaler(), network),
        space,
        n_iter=trials,
        n_jobs=2,
        cv=PredefinedSplit(validation),
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are meant to be used
        search.fit(x, y)
    return {"best": float(search.best_score_)}


def bookkeeping(trials: int) -> dict[str, Any]:
    """Milliseconds of the parent's processor a trial, from the draw to the line on the disk: runs that end as soon as they are begun."""
    from nettrain.search.executors.base import DatasetInfo, Ended, Executor, Job
    from nettrain.search.sweep.sweep import sweep
    from nettrain.training.train import train

    result = {
        "best_epoch": 5,
        "epochs": 10,
        "metrics": {
            part: {"loss": 0.5, "accuracy": 0.9} for part in ("train", "validation", "test")
        },
    }

    class Instant(Executor):
        slots = 2

        def __init__(self) -> None:
            self.ended: list[Ended] = []

        def prepare(
            self, config: Any, monitor: str | None = None, *, allow_plugins: bool = False
        ) -> DatasetInfo:
            return DatasetInfo("classification", {"train": 1079, "validation": 359, "test": 359})

        def submit(self, job: Job) -> None:
            if job.name in ("000", "final"):  # what a winner leaves must be there
                train(
                    job.config,
                    output_directory=job.parent,
                    run_name=job.name,
                    sets=["training.epochs=1"],
                )
                self.began = time.process_time()
            self.ended.append(Ended(job.index, "finished", result, "", 0.0))
            json.dumps(dict(job.config))  # what an executor does to send it

        def next_event(self, timeout: float | None = None) -> Ended:
            return self.ended.pop(0)

        def prune(self, index: int) -> None:
            """Never asked for."""

        def close(self) -> None:
            """Nothing to end."""

    class Clock(Instant):
        def submit(self, job: Job) -> None:
            if job.name == "final":
                self.spent = time.process_time() - self.began
            super().submit(job)

    with tempfile.TemporaryDirectory() as folder:
        executor = Clock()
        sweep(spec(trials), output_directory=folder, executor=executor)
    return {
        "benchmark": "bookkeeping",
        "trials": trials,
        "ms_per_trial": 1000 * executor.spent / (trials - 1),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("scaling", "sklearn", "bookkeeping", "peer"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=int, help=f"default: {TRIALS}; of bookkeeping 500")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--peer-python",
        default=sys.executable,
        metavar="PATH",
        help="a Python that has scikit-learn",
    )
    options = parser.parse_args()
    trials = options.trials or (500 if options.what == "bookkeeping" else TRIALS)
    if options.what == "scaling":
        found = scaling(options.rounds, trials, options.epochs)
    elif options.what == "sklearn":
        found = against_sklearn(options.rounds, trials, options.epochs, options.peer_python)
    elif options.what == "peer":
        found = peer(trials, options.epochs)
    else:
        found = bookkeeping(trials)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
