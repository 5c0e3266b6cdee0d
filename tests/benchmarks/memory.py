"""Memory of a long training: what is resident after many steps against few, and what a step allocates.

    python tests/benchmarks/memory.py [WORKLOAD] [--early 1000] [--steps 100000]
        one JSON line {"workload", "steps", "early_mb", "late_mb", "growth", "step_bytes", "allocated_by"}

early_mb and late_mb are resident after that many steps, growth is their ratio less 1 (Linux). step_bytes is the most that a step takes
beside what stood before it, Python's own objects and NumPy's arrays: a step that allocates no array takes a few kilobytes, whatever
the size of the batch and of the network. allocated_by: the lines that take more at once than views and numbers do. For these two the
steps run on one thread, and NumPy's buffers for repeating a vector over rows (at most 32 KB, and no arrays) are made small.
"""

import environment  # noqa: F401, I001

import argparse
import json
import os
import sys
import tracemalloc
from pathlib import Path
from types import FrameType
from typing import Any, Self

import numpy as np

import nettrain
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run
from step import prepared
from workloads import WORKLOADS

TRACED = 20  # steps in which allocations are looked for
SMALL = 1500  # bytes: numbers, views, and what NumPy notes while it repeats a vector over rows; not the arrays of a batch
SOURCE = str(Path(nettrain.__file__).parent) + os.sep


def resident() -> float:
    """What this process holds now, in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def steps(run: Run, count: int) -> None:
    """So many full steps."""
    made = 0
    while made < count:
        order = epoch_order(run)
        for i in range(min(len(order) // run.plan.batch_size, count - made)):
            run.step(order[i * run.plan.batch_size : (i + 1) * run.plan.batch_size], run.rate)
            made += 1
        run.progress.epoch += 1


class Allocations:
    """By line of nettrain, the most bytes that it took at once beside what stood before it. Use as a context manager, on one thread."""

    def __init__(self) -> None:
        self.highest: dict[str, int] = {}
        self._line = ""

    def __enter__(self) -> Self:
        tracemalloc.start()
        self._before = tracemalloc.get_traced_memory()[0]
        sys.settrace(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        tracemalloc.stop()

    def _event(self, frame: FrameType, event: str, argument: object) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(SOURCE):
            return None  # what others take counts for the line that called them
        taken = tracemalloc.get_traced_memory()[1] - self._before
        if self._line and taken > self.highest.get(self._line, SMALL):
            self.highest[self._line] = taken
        self._line = f"{path.removeprefix(SOURCE)}:{frame.f_lineno}"
        tracemalloc.reset_peak()
        self._before = tracemalloc.get_traced_memory()[0]
        return self._event


def step_peak(run: Run) -> int:
    """The most bytes that one of some steps takes beside what stood before it. All numbers of rows have been recorded before."""
    order = epoch_order(run)
    highest = 0
    tracemalloc.start()
    for i in range(TRACED):
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run.step(order[i * run.plan.batch_size : (i + 1) * run.plan.batch_size], run.rate)
        highest = max(highest, tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()
    return highest


def measure(workload: str, early: int, late: int, threads: int | None) -> dict[str, object]:
    """The line that is printed."""
    run = prepared(workload)
    with one_blas_thread():
        with run.workers(threads):
            steps(run, early)
            first = resident()
            steps(run, late - early)
            last = resident()
        usual = np.setbufsize(16)
        peak = step_peak(run)
        order = epoch_order(run)
        with Allocations() as found:
            run.step(order[: run.plan.batch_size], run.rate)
        np.setbufsize(usual)
    return {
        "workload": workload,
        "steps": [early, late],
        "early_mb": round(first, 2),
        "late_mb": round(last, 2),
        "growth": round(last / first - 1, 4),
        "step_bytes": peak,
        "allocated_by": dict(sorted(found.highest.items(), key=lambda one: -one[1])),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", nargs="?", default="small", choices=sorted(WORKLOADS))
    parser.add_argument("--early", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--threads", type=int, help="default: as many as cores")
    given = parser.parse_args()
    print(json.dumps(measure(given.workload, given.early, given.steps, given.threads)), flush=True)
