"""Milliseconds a training step of nettrain, run by the product's own step from a YAML file.

    python tests/benchmarks/step.py WORKLOAD [--threads N]
        one JSON line {"workload", "ms_per_step", "median", "gflops", "peak_share", "peak_rss_mb"}

WORKLOAD: mlp, mlp_sgd, small, wide (tests/benchmarks/workloads/*.yaml). A step is: gather the batch, forward, backward, update.
ms_per_step is the best epoch after one warm-up epoch, median the middle one. gflops counts the products only, without the gradient of
the input, which no step computes; peak_share is its share of the best 2048 x 2048 float32 product on as many threads.
"""
import argparse
import json
import os
import resource
import time
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # a user's machine sets neither, and they choose BLAS's kernels
    os.environ.pop(name, None)

import numpy as np
from threadpoolctl import ThreadpoolController

from nettrain.streams import generator
from nettrain.training.blas import one_blas_thread
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run
from nettrain.training.train import prepare_run
from nettrain.training.workers import cores

HERE = Path(__file__).parent
SHAPES = {"mlp": (60000, 784), "mlp_sgd": (60000, 784), "small": (1797, 64), "wide": (10240, 784)}


def prepared(workload: str) -> Run:
    """The run of a workload, on random rows and classes."""
    draw = generator(0, "benchmark")
    x = draw.random(SHAPES[workload], dtype=np.float32)
    y = np.array([f"{digit}" for digit in range(10)])[draw.integers(0, 10, len(x))]
    return prepare_run(HERE / "workloads" / f"{workload}.yaml", data=(x, y))


def epoch(run: Run) -> float:
    """Milliseconds a full step of one epoch."""
    steps = len(run.parts["train"]) // run.batch_size
    start = time.perf_counter()
    order = epoch_order(run)
    for i in range(steps):
        run.step(order[i * run.batch_size : (i + 1) * run.batch_size], run.rate)
    run.progress.epoch += 1
    return 1e3 * (time.perf_counter() - start) / steps


def flops(run: Run) -> int:
    """Of one step: forward, and twice as much backward, less the gradient of the input."""
    layers = [placed.layer.flops(placed.input_shape) for placed in run.network.placed]
    first = next(count for count in layers if count)
    return run.batch_size * (3 * sum(layers) - first)


def sgemm_peak() -> float:
    """GFLOP/s of the best of several 2048 x 2048 float32 products."""
    a = generator(0, "peak").random((2048, 2048), dtype=np.float32)
    out = np.empty_like(a)
    best = np.inf
    for _ in range(8):
        start = time.perf_counter()
        np.matmul(a, a, out=out)
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best / 1e9


def measure(workload: str, threads: int | None) -> dict[str, object]:
    """The line that is printed."""
    with one_blas_thread():
        run = prepared(workload)
        with run.workers(threads):
            epoch(run)
            times = [epoch(run) for _ in range(run.config.training.epochs)]
    with ThreadpoolController().limit(limits=threads or cores(), user_api="blas"):
        peak = sgemm_peak()
    rate = flops(run) / min(times) / 1e6
    return {
        "workload": workload,
        "ms_per_step": round(min(times), 4),
        "median": round(float(np.median(times)), 4),
        "gflops": round(rate, 1),
        "peak_share": round(rate / peak, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", choices=sorted(SHAPES))
    parser.add_argument("--threads", type=int, help="default: as many as cores")
    given = parser.parse_args()
    print(json.dumps(measure(given.workload, given.threads)), flush=True)
