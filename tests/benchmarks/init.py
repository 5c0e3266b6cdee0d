"""What `nettrain init` chooses against the hand-written configurations: the test metric over seeds.

    python tests/benchmarks/init.py [NAME ...]

Split, initial weights and batches follow the seed; where a test part is predefined the split of the
rest does. +- is the standard error over the seeds.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nettrain.inspection.proposal.choice import Wishes
from nettrain.inspection.proposal.propose import propose_config
from nettrain.training.train import train

DATA = Path(os.environ["NETTRAIN_DATA"])
CONFIGS = Path(__file__).parents[2] / "configs"
# The data, the target, the task if not the target's own, the metric, the hand-written configuration
# and changes of it, and the seeds.
CASES = {
    "iris": ("tables/iris.csv", "species", None, "accuracy", "iris", [], 10),
    "wdbc": ("tables/wdbc.csv", "diagnosis", None, "accuracy", None, [], 10),
    "titanic": ("tables/titanic.csv", "Survived", None, "accuracy", None, [], 10),
    "auto_mpg": ("tables/auto_mpg.csv", "mpg", None, "r2", None, [], 10),
    "wine": ("tables/winequality-white.csv", "quality", "regression", "r2", "wine_quality", [], 5),
    "california": ("tables/california_housing.csv", "median_house_value", None, "r2",
                   "california_housing", [], 3),
    "adult": ("tables/adult.data.gz", None, None, "accuracy", "adult", [], 3),
    "usps": ("usps/usps.npz", None, None, "accuracy", "usps", [], 2),
    "cifar10_png": ("cifar10-png", None, None, "accuracy", "images_folder",
                    ["dataset.source.path={data}"], 3),
    "mnist": ("mnist/train-images-idx3-ubyte.gz", None, None, "accuracy", "mnist", [], 1),
}  # fmt: skip


def scores(config, sets, metric, seeds):
    """(metrics of the test part, seconds of a run)"""
    found, start = [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            result = train(config, sets=[*sets, f"seed={seed}"], output_directory=Path(folder),
                           run_name=f"seed-{seed}")  # fmt: skip
            found.append(result.metrics["test"][metric])
    return np.array(found), (time.monotonic() - start) / seeds


def shown(found):
    """`0.9512 +- 0.0031`."""
    error = found.std(ddof=1) / len(found) ** 0.5 if len(found) > 1 else float("nan")
    return f"{found.mean():.4f} +- {error:.4f}"


def main(names):
    """Print a row per data set."""
    print(f"{'data':12} {'metric':9} {'init':>18} {'s':>6} {'by hand':>18} {'s':>6}", flush=True)
    for name in names or CASES:
        path, target, task, metric, hand, sets, seeds = CASES[name]
        proposal = propose_config(DATA / path, Wishes(target=target, task=task))
        chosen, seconds = scores(proposal.mapping(), [], metric, seeds)
        row = f"{name:12} {metric:9} {shown(chosen):>18} {seconds:6.1f}"
        if hand is not None:
            sets = [one.format(data=DATA / path) for one in sets]
            config = CONFIGS / f"{hand}.yaml"
            written, seconds = scores(config, sets, metric, seeds)
            row += f" {shown(written):>18} {seconds:6.1f}"
        print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
