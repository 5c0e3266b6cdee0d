"""Milliseconds a training step of nettrain, run by the product's own step from a YAML file.

    python tests/benchmarks/step.py WORKLOAD [--threads N] [--kernels auto|numpy|numba]
        one JSON line {"workload", "kernels", "ms_per_step", "median", "cpu_ms", "gflops", "peak_share", "peak_rss_mb"}

WORKLOAD: mlp, mlp_sgd, small, wide, cnn, cifar, resnet, realmlp, tabm, tabular (tests/benchmarks/workloads/*.yaml). A step is: gather the batch, forward, backward, update.
ms_per_step is the best epoch after one warm-up epoch, median the middle one; cpu_ms is the processor time of a step, of all threads. gflops counts the products only, without the gradient of
the input, which no step computes; peak_share is its share of the best 2048 x 2048 float32 product on as many threads. A convolution
counts with the products of its windows, whichever way it is computed: Winograd's makes fewer, so the share may exceed 1.
"""

import environment  # noqa: I001

import argparse
import json
import time
from pathlib import Path

import numpy as np

from nettrain.training.engine.blas import one_blas_thread
from nettrain.inspection.flops import layer_flops, sgemm_peak
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run
from nettrain.training.train import prepare_run
from workloads import WORKLOADS

HERE = Path(__file__).parent


def prepared(workload: str, kernels: str = "auto") -> Run:
    """The run of a workload, on random rows and classes."""
    x, y = WORKLOADS[workload].data()
    return prepare_run(
        HERE / "workloads" / f"{workload}.yaml",
        data=(x, y.astype(str)),
        sets=[f"training.kernels={kernels}"],
    )


def epoch(run: Run) -> float:
    """Milliseconds a full step of one epoch."""
    steps = len(run.parts["train"]) // run.plan.batch_size
    start = time.perf_counter()
    order = epoch_order(run)
    for i in range(steps):
        run.step(order[i * run.plan.batch_size : (i + 1) * run.plan.batch_size], run.rate)
    run.progress.epoch += 1
    return 1e3 * (time.perf_counter() - start) / steps


def flops(run: Run) -> int:
    """Of one step."""
    return run.plan.batch_size * sum(
        layer.forward + layer.backward for layer in layer_flops(run.network).values()
    )


def measure(run: Run, threads: int | None, epochs: int) -> dict[str, float]:
    """Time and rate of a run's steps, memory of the process."""
    with one_blas_thread(), run.workers(threads):
        epoch(run)
        cpu = time.process_time()
        times = [epoch(run) for _ in range(epochs)]
        cpu = time.process_time() - cpu
    memory, rate = environment.resident_peak(), flops(run) / min(times) / 1e6
    return {
        "ms_per_step": round(min(times), 4),
        "median": round(float(np.median(times)), 4),
        "cpu_ms": round(1e3 * cpu / epochs / (len(run.parts["train"]) // run.plan.batch_size), 4),
        "gflops": round(rate, 1),
        "peak_share": round(rate / sgemm_peak(run.threads), 3),
        "peak_rss_mb": round(memory),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--threads", type=int, help="default: as many as cores")
    parser.add_argument("--epochs", type=int, help="to time; default: as many as the workload says")
    parser.add_argument(
        "--kernels",
        choices=["auto", "numpy", "numba"],
        default="auto",
        help="default: as the few epochs are worth",
    )
    given = parser.parse_args()
    run = prepared(given.workload, given.kernels)
    about = {"workload": given.workload, "kernels": run.plan.kernels}
    print(
        json.dumps(about | measure(run, given.threads, given.epochs or run.config.training.epochs)),
        flush=True,
    )
