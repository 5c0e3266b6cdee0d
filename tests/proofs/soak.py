"""Long runs, many runs, large sweeps: memory, open files and time per unit stay flat.

    python tests/proofs/soak.py [steps] [runs] [sweep] --count 10000

Three parts: one run of 100 times --count steps, --count / 10 runs in one process, a sweep of
--count trials. Each is measured at a hundredth, a tenth and the end of its length. From a tenth to
the end, resident memory may grow by a tenth and 8 MB (a sweep: and 1.5 kB per trial, which is
remembered), open files not at all, and processor time per step, run or trial by half.
"""

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from campaign import Campaign
from processes.descendants import descendants

BATCHES = 100  # steps of an epoch
SLOWER, LARGER, ROOM = 1.5, 1.1, 8.0  # growth that is allowed; MB
REMEMBERED = (
    0.0015  # MB per trial, of which the parent holds 0.9 kB: its setting, status and scores
)
CONFIG: dict[str, Any] = {
    "model": {"type": "mlp", "hidden": [2]},
    "optimizer": {"type": "sgd", "lr": 0.001},
    "training": {"epochs": 1, "batch_size": 1, "kernels": "numpy"},
}


@dataclass
class Point:
    """What was measured after so many units.

    Attributes:
        done: Steps, runs or trials.
        memory: Resident, in MB, of this process.
        files: That are open.
        microseconds: Of processor time per unit since the point before.
        workers: Resident memory of the largest process below.
    """

    done: int
    memory: float
    files: int
    microseconds: float
    workers: float = 0.0


class Meter:
    """Takes points at the lengths that are asked for."""

    def __init__(self, length: int) -> None:
        self.points: list[Point] = []
        self._at = [length // 100, length // 10, length]
        self._last = (0, _processor_time())

    def seen(self, done: int) -> None:
        """So many units are done."""
        if len(self.points) == len(self._at) or done < self._at[len(self.points)]:
            return
        before, then = self._last
        now = _processor_time()
        below = [_memory(pid) for pid in descendants(os.getpid())]
        each = (now - then) / max(done - before, 1) * 1e6
        files = len(os.listdir("/proc/self/fd"))
        point = Point(done, _memory(os.getpid()), files, round(each, 1), max(below, default=0.0))
        self.points.append(point)
        self._last = (done, now)


def steps(folder: Path, count: int, done: Callable[[int], None]) -> None:
    """One long run: checkpoints, diagnostics, early stopping, a schedule that follows a metric."""
    import nettrain

    class Watch(nettrain.Callback):
        def epoch_end(self, run: Any, row: Any) -> None:
            done(run.update.steps)

    config = CONFIG | {
        "training": CONFIG["training"] | {"epochs": count // BATCHES, "ema": 0.99},
        "dataset": {"source": "memory", "split": {"validation": 0.2}},
        "schedule": {"type": "plateau", "patience": 1000},
        "early_stopping": {"patience": count},
        "diagnostics": True,
        "baseline": ["constant"],
    }
    data = _rows(BATCHES * 5 // 4)
    nettrain.train(config, data, output_directory=folder, threads=1, callbacks=[Watch()])


def runs(folder: Path, count: int, done: Callable[[int], None]) -> None:
    """Many runs, one after the other in one process."""
    import nettrain

    data = _rows(20)
    for index in range(count):
        nettrain.train(CONFIG, data, output_directory=folder, run_name="run", overwrite=True, threads=1)  # fmt: skip
        done(index + 1)


def sweep(folder: Path, count: int, done: Callable[[int], None]) -> None:
    """A sweep of instant runs."""
    import nettrain
    from nettrain.search.observer import Observer

    class Watch(Observer):
        def __init__(self) -> None:
            self.count = 0

        def ended(self, outcome: Any) -> None:
            self.count += 1
            if outcome.index is not None:
                done(self.count)

    config = {
        "base": CONFIG | {"baseline": ["constant"]},
        "method": "random",
        "metric": "validation_loss",
        "trials": count,
        "parameters": {"optimizer.lr": {"min": 1e-6, "max": 1.0}},
    }
    found = nettrain.sweep(config, _rows(20), output_directory=folder, workers=2, observer=Watch())
    if len(found.trials) != count or any(trial.status != "finished" for trial in found.trials):
        raise RuntimeError("not every trial has finished")


PARTS = {"steps": (steps, 100), "runs": (runs, 0.1), "sweep": (sweep, 1)}


def measured(name: str, count: int) -> dict[str, Any]:
    """The points of one part, and what is not flat."""
    part, factor = PARTS[name]
    length = max(int(count * factor), 100)
    meter, began = Meter(length), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="nettrain-soak-"))
    try:
        part(folder, length, meter.seen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "part": name,
        "length": length,
        "points": [asdict(point) for point in meter.points],
        "seconds": round(time.monotonic() - began, 1),
        "not_flat": not_flat(meter.points, REMEMBERED if name == "sweep" else 0.0),
    }


def not_flat(points: list[Point], remembered: float = 0.0) -> list[str]:
    """What has grown by more than it may from the second point to the last."""
    _, middle, last = points
    room = ROOM + remembered * (last.done - middle.done)
    found = []
    for what in ("memory", "workers"):
        before, after = getattr(middle, what), getattr(last, what)
        if after > LARGER * before + (room if what == "memory" else ROOM):
            found.append(f"{what}: {before:.0f} MB, then {after:.0f}")
    if last.files > middle.files:
        found.append(f"open files: {middle.files}, then {last.files}")
    if last.microseconds > SLOWER * middle.microseconds:
        found.append(f"time: {middle.microseconds} us each, then {last.microseconds}")
    return found


def _rows(n: int) -> tuple[Any, Any]:
    import numpy as np

    x = np.linspace(-1, 1, 2 * n).reshape(n, 2)
    return x, (np.arange(n) % 2 > 0) * 1


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)


def main() -> None:
    """The command: each part in a process of its own."""
    campaign = Campaign("soak", __doc__, count=10_000, what="trials")
    campaign.parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    given = campaign.begin()
    if unknown := set(given.parts) - set(PARTS):
        campaign.parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found = []
    for name in given.parts or PARTS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(measured, (name, given.count)))
    faults = [f"{part['part']}: {what}" for part in found for what in part.pop("not_flat")]
    campaign.end(given.count, faults, parts=found)


if __name__ == "__main__":
    main()
