"""Time and memory of nettrain's training step against rows, width, depth and threads, one of them changed at a time.

    python tests/benchmarks/scaling.py [AXIS ...]        a table, then a JSON line a point, each measured in a process of its own

AXIS: rows, width, depth, threads; default all. Relu networks on 64 inputs and 10 classes, Adam, batches of 128.
"""

import environment  # noqa: F401, I001

import argparse
import json
import subprocess
import sys

import numpy as np

from nettrain.training.train import prepare_run
from nettrain.training.engine.threads import cores
from step import measure

BASE = {"rows": 10_000, "width": 512, "depth": 2, "threads": cores()}
AXES = {
    "rows": [1_000, 10_000, 100_000, 1_000_000],
    "width": [16, 64, 256, 1024, 4096],
    "depth": [1, 2, 8, 32],
    "threads": sorted({count for count in (1, 2, 4, 8, 16) if count < cores()} | {cores()}),
}
EPOCHS = 2
COLUMNS = (
    "rows",
    "width",
    "depth",
    "threads",
    "ms_per_step",
    "gflops",
    "peak_share",
    "peak_rss_mb",
)


def point(rows: int, width: int, depth: int, threads: int) -> dict[str, float]:
    """One measurement, in this process."""
    draw = np.random.Generator(np.random.PCG64(0))
    x, y = draw.random((rows, 64), dtype=np.float32), draw.integers(0, 10, rows)
    model = {"type": "mlp", "hidden": [width] * depth}
    config = {
        "dataset": {"source": "memory", "split": "none", "transforms": []},
        "model": model,
        "training": {"epochs": EPOCHS, "batch_size": 128},
    }
    return measure(prepare_run(config, data=(x, y)), threads, EPOCHS)


def measured(axis: str, value: int) -> dict[str, object]:
    """A point, in a process of its own."""
    place = BASE | {axis: value}
    done = subprocess.run(
        [sys.executable, __file__, "--point", json.dumps(place)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {"axis": axis} | place | json.loads(done.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("axes", nargs="*", metavar="AXIS", help=f"of {', '.join(AXES)}")
    parser.add_argument(
        "--point",
        type=json.loads,
        help="measure one point here: what the other processes are started with",
    )
    given = parser.parse_args()
    if given.point:
        print(json.dumps(point(**given.point)), flush=True)
        sys.exit()
    if unknown := set(given.axes) - set(AXES):
        parser.error(f"no axis {', '.join(sorted(unknown))}; there are {', '.join(AXES)}")
    print("".join(f"{name:>12}" for name in COLUMNS), flush=True)
    found = []
    for axis in given.axes or AXES:
        for value in AXES[axis]:
            found.append(measured(axis, value))
            print("".join(f"{found[-1][name]:>12}" for name in COLUMNS), flush=True)
    for one in found:
        print(json.dumps(one))
