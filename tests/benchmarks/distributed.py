"""A training step divided among processes of MPI: measured on this machine, and calculated for several over a network.

    python tests/benchmarks/distributed.py [--workload cifar] [--kernels numpy] [--rounds 5] [--steps 10]

Measured, alternating: one process on one thread and on all cores, and as many processes as cores with a thread each; all have the same shards
and the same bits (a digest of the weights is compared). A JSON line a launch: median milliseconds of a step, of processor time in it, and of
exchanges; bytes that a process sends and collective calls in a step. Then two tables, calculated from these for machines of one core each:

    seconds of a step = shards of the slowest process * processor seconds of a shard + of the update
                        + bytes sent / bandwidth + collective calls * LATENCY * log2(processes)

Needs mpi4py and mpirun.
"""

import environment  # noqa: F401, I001

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from nettrain.training.distributed.agreement import digest
from nettrain.training.distributed.mpi import MpiGroup
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.distributed_partition import DistributedPartition
from nettrain.training.engine.threads import cores
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run
from nettrain.training.train import load_for_data, plan_and_data
from workloads import WORKLOADS

HERE = Path(__file__).parent
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
WARM_UP = 3  # steps
LATENCY = 50e-6  # seconds of a small message over Ethernet
NETWORKS = {"1 Gbit/s": 1e9 / 8, "10 Gbit/s": 10e9 / 8}  # bytes a second
MACHINES = (1, 2, 4, 8, 16, 32, 64)
LARGE = 16  # times as many rows in a step, in as many shards of the same size


class Counting(MpiGroup):
    """Counts the collective calls."""

    calls = 0

    def all_gather(self, *arguments):
        self.calls += 1
        super().all_gather(*arguments)

    def exchange(self, *arguments):
        self.calls += 1
        super().exchange(*arguments)


def measure(workload: str, kernels: str, shards: int, threads: int, steps: int) -> None:
    """Steps in this process, one of a group; the first one prints."""
    group = Counting()
    x, y = WORKLOADS[workload].data()
    sets = [f"training.kernels={kernels}", f"training.shards={shards}"]
    data = (x, y.astype(str))
    config = load_for_data(HERE / "workloads" / f"{workload}.yaml", data, sets, allow_plugins=False)
    run = Run(*plan_and_data(config, data), group=group)
    size, order = run.plan.batch_size, epoch_order(run)
    spent: list[float] = []

    def timed(name: str, function):
        def call(*arguments, **named):
            begun = time.process_time()
            found = function(*arguments, **named)
            if name == "update":
                spent.append(1e3 * (time.process_time() - begun))
            return found

        return call

    run.step.instrument(timed)
    walls, processor, exchanging = [], [], []
    partition = run.step.partition
    divided = partition if isinstance(partition, DistributedPartition) else None
    with one_blas_thread(), run.workers(threads):
        for i in range(WARM_UP + steps):
            calls, sent = group.calls, divided.sent if divided else 0
            start = time.perf_counter(), time.process_time(), divided.seconds if divided else 0.0
            run.step(order[i * size : (i + 1) * size], run.rate)
            walls.append(time.perf_counter() - start[0])
            processor.append(time.process_time() - start[1])
            exchanging.append((divided.seconds if divided else 0.0) - start[2])
    if group.rank:
        return

    def middle(values: list[float]) -> float:
        return round(1e3 * float(np.median(values[WARM_UP:])), 3)

    found = {
        "processes": group.size,
        "threads": threads,
        "ms_per_step": middle(walls),
        "processor_ms": middle(processor),
        "update_ms": round(float(np.median(spent[WARM_UP:])), 3),
        "exchange_ms": middle(exchanging),
        "sent": (divided.sent if divided else 0) - sent,
        "calls": group.calls - calls,
        "parameters": len(run.network.vector),
        "weights": digest([run.network.vector.values]),
    }
    print(json.dumps(found), flush=True)


def launched(processes: int, threads: int, given: argparse.Namespace) -> dict:
    """What the first of several processes has measured."""
    command = ["mpirun", "-n", str(processes), sys.executable, __file__, "--measure", str(threads)]
    command += ["--workload", given.workload, "--kernels", given.kernels]
    command += ["--shards", str(given.shards), "--steps", str(given.steps)]
    unbound = {
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "PRTE_MCA_hwloc_default_binding_policy": "none",
    }
    done = subprocess.run(
        command, env=os.environ | AS_ROOT | unbound, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def calculated(alone: dict, several: dict, shards: int, factor: int) -> None:
    """Print a table: milliseconds of a step, and how many times as fast as one machine."""
    shard = (alone["processor_ms"] - alone["update_ms"]) / 1e3 / shards
    gradient, update = 4 * alone["parameters"], alone["update_ms"] / 1e3
    shards *= factor
    print(f"\n{shards} shards of {1e3 * shard:.2f} ms, {gradient / 1e6:.2f} MB of gradient")
    print("machines  " + "".join(f"{name:>26}" for name in NETWORKS))
    for n in (n for n in MACHINES if n <= shards):
        cells = []
        for bandwidth in NETWORKS.values():
            computing = math.ceil(shards / n) * shard + update
            sent = 2 * gradient * (n - 1) / n
            exchange = sent / bandwidth + several["calls"] * LATENCY * math.log2(n)
            whole = shards * shard + update
            step = computing + exchange
            cells.append(f"{1e3 * step:>12.1f} ms {whole / step:>6.1f} x")
        print(f"{n:>8}  " + "".join(f"{cell:>26}" for cell in cells))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workload", choices=sorted(WORKLOADS), default="cifar")
    parser.add_argument("--kernels", choices=["numpy", "numba"], default="numpy")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--measure", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.workload, given.kernels, given.shards, given.measure, given.steps)
        sys.exit()
    settings = ((1, 1), (1, cores()), (cores(), 1))
    rounds = [[launched(*one, given) for one in settings] for _ in range(given.rounds)]
    for launches in rounds:
        for one in launches:
            print(json.dumps(one))
    assert len({one["weights"] for launches in rounds for one in launches}) == 1
    for name, place in (("threads of one process", 1), ("processes", 2)):
        ratios = [
            launches[0]["ms_per_step"] / launches[place]["ms_per_step"] for launches in rounds
        ]
        print(f"{cores()} {name}: {np.median(ratios):.2f} times as fast as one thread")
    alone = min((launches[0] for launches in rounds), key=lambda one: one["processor_ms"])
    several = rounds[0][2]
    for factor in (1, LARGE):
        calculated(alone, several, given.shards, factor)
