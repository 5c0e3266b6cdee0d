import os
from pathlib import Path

import pytest
from processes.descendants import TRACKER, command_of, descendants, still_running

from nettrain.search.observer import Observer

# Activations that go wrong in the ways in which real ones do, each where a file says so or every time.
PLUGIN = '''\
"""Activations that go wrong."""
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Faulty(Activation):
    """y = x, but for what `how` says; `times`: a file with a line for every time that it has happened, up to `most`."""

    how: str = "well"
    times: str = ""
    most: int = 1000

    def apply(self, x):
        if self.times:
            path = Path(self.times)
            done = path.read_text().count("x") if path.exists() else 0
            if done >= self.most:
                return x
            with path.open("a") as file:
                file.write("x")
        if self.how == "memory":
            raise MemoryError("no more")
        if self.how == "fault":
            raise ZeroDivisionError("by zero")
        if self.how == "exit":
            os._exit(3)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "abort":
            os.abort()
        if self.how == "hang":
            time.sleep(1000)
        return x
'''


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    """The plugin's path."""
    path = tmp_path_factory.mktemp("plugins") / "faulty.py"
    path.write_text(PLUGIN)
    return str(path)


@pytest.fixture
def children():
    """The ids of all processes below one (default: this one), without those that other tests' libraries keep.

    Nor the resource tracker of multiprocessing, one a process, which whoever first starts a Dask worker leaves behind for good.
    """
    if not Path("/proc/self/task").exists():
        pytest.skip("needs Linux's /proc")
    earlier = set(descendants(os.getpid()))
    return lambda parent=None: [
        pid
        for pid in descendants(parent or os.getpid())
        if pid not in earlier and TRACKER not in (command_of(pid) or "")
    ]


@pytest.fixture
def gone():
    """Waits until processes have ended; those that have not within the time are named."""

    def wait(pids, seconds=30.0):
        left = still_running(pids, seconds)
        assert not left, left

    return wait


class Seen(Observer):
    """Notes the names of the parts that end, and does something after the first."""

    def __init__(self, then=lambda: None):
        self.names, self.notes, self.then = [], [], then

    def ended(self, outcome):
        self.names.append(outcome.name)
        if len(self.names) == 1:
            self.then()

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def seen():
    """The class of such observers."""
    return Seen


@pytest.fixture(scope="session", autouse=True)
def fast_processes(preloaded_processes):
    """Commands and executors start processes that have imported what they need."""
