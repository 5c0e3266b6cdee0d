"""nettrain's training step against the peers that are installed, alternating, each in a process of its own.

    python tests/benchmarks/compare.py WORKLOAD [--rounds 9] [--threads N] [--kernels auto|numpy|numba] [--peer-python PATH]
        a table, then one JSON line
        {"workload", "rounds", "threads", "kernels", "ms_per_step", "peak_rss_mb",
         "peers": {NAME: {"ratio", "low", "high", "ms_per_step", "memory"}}}

A ratio is the peer's milliseconds a step divided by nettrain's in the same round: above 1, nettrain is faster; memory is that of the
largest resident sizes (medians). Machines that others use
swing by a factor of two between minutes, so only such pairs count; told are their median and range. Beside the peers stands nettrain
itself on one thread.
"""

import environment  # noqa: F401, I001

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from workloads import WORKLOADS

HERE = Path(__file__).parent
ONE_THREAD = "nettrain, 1 thread"


def line(command: list[str]) -> Any:
    """The JSON line that a process prints last."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(
    workload: str,
    rounds: int,
    threads: int | None,
    kernels: str,
    python: str,
    wanted: list[str] | None,
) -> dict[str, Any]:
    """All rounds; every second one in the opposite order."""
    peers = str(HERE / "peers.py")
    installed = line([python, peers, "--installed", workload])
    names = wanted or [*installed, *([] if threads == 1 else [ONE_THREAD])]
    if missing := [name for name in names if name not in (*installed, ONE_THREAD)]:
        sys.exit(
            f"{', '.join(missing)}: not installed in {python}, or without {workload}; --peer-python names another Python"
        )
    many = [] if threads is None else ["--threads", str(threads)]
    ours = [sys.executable, str(HERE / "step.py"), workload, "--kernels", kernels]
    commands = {
        "nettrain": [*ours, *many],
        **{name: [python, peers, name, workload, *many] for name in names},
    }
    if ONE_THREAD in commands:
        commands[ONE_THREAD] = [*ours, "--threads", "1"]
    times: dict[str, list[float]] = {name: [] for name in commands}
    sizes: dict[str, list[float]] = {name: [] for name in commands}
    for i in range(rounds):
        for name in list(commands)[:: -1 if i % 2 else 1]:
            found = line(commands[name])
            times[name].append(found["ms_per_step"])
            sizes[name].append(found["peak_rss_mb"])
        print(
            f"round {i + 1}: " + ", ".join(f"{name} {ms[-1]:.4g} ms" for name, ms in times.items()),
            file=sys.stderr,
            flush=True,
        )
    own = times.pop("nettrain")
    memory = {name: statistics.median(found) for name, found in sizes.items()}
    ratios = {
        name: [peer / mine for peer, mine in zip(ms, own, strict=True)]
        for name, ms in times.items()
    }
    return {
        "workload": workload,
        "rounds": rounds,
        "threads": threads,
        "kernels": kernels,
        "ms_per_step": statistics.median(own),
        "peak_rss_mb": memory["nettrain"],
        "peers": {
            name: {
                "ratio": round(statistics.median(found), 3),
                "low": round(min(found), 3),
                "high": round(max(found), 3),
                "ms_per_step": statistics.median(times[name]),
                "memory": round(memory[name] / memory["nettrain"], 2),
            }
            for name, found in ratios.items()
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--threads",
        type=int,
        help="of nettrain and of the peers; default: all cores, and what each peer takes",
    )
    parser.add_argument(
        "--kernels",
        choices=["auto", "numpy", "numba"],
        default="auto",
        help="of nettrain; see step.py",
    )
    parser.add_argument(
        "--peer-python",
        default=sys.executable,
        metavar="PATH",
        help="the Python that has the peers",
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        metavar="NAME",
        help=f"default: all that are installed, and {ONE_THREAD!r}",
    )
    given = parser.parse_args()
    found = compare(
        given.workload, given.rounds, given.threads, given.kernels, given.peer_python, given.peers
    )
    print(
        f"{given.workload}: nettrain {found['ms_per_step']:.4g} ms a step, {found['peak_rss_mb']:.0f} MB"
    )
    for name, peer in found["peers"].items():
        span = f"{peer['low']:.2f} to {peer['high']:.2f}"
        print(
            f"{name:20} {peer['ms_per_step']:10.4g} ms   {peer['ratio']:6.2f} times nettrain's   ({span})"
            f"   {peer['memory']:.2f} times its memory"
        )
    print(json.dumps(found))
