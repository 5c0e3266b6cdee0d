"""The processes below one, as Linux lists them."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TRACKER = "multiprocessing.resource_tracker"  # Dask leaves one behind for good


def command_of(pid: int) -> str | None:
    """What a process runs; None once it has ended, whether or not its parent has asked how."""
    with suppress(OSError):
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    return None


def descendants(parent: int) -> list[int]:
    """The processes below one, the older ones first."""
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def still_running(pids: Iterable[int], seconds: float = 30.0) -> dict[int, str]:
    """Wait until processes have ended; those that have not within the time, with their commands."""
    last = time.monotonic() + seconds
    while left := {pid: command for pid in pids if (command := command_of(pid)) is not None}:
        if time.monotonic() > last:
            break
        time.sleep(0.01)
    return left
