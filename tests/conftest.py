"""What holds for all tests."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import preloaded
import pytest
import typer.main
import typer.testing
from _pytest.runner import runtestprotocol
from hypothesis import settings

from nettrain.errors import ConfigError

# Tests interrupt runs. A job in the background of a script ignores signals, and what ignores one
# goes on doing so, as do the processes that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_IGN:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

os.environ.pop("COLUMNS", None)  # tables are as wide as a pipe has them, whatever runs the tests

# Ten thousands of small files, each written to the last byte and removed again: a disk takes a minute
# and more for it. What fails is kept (pyproject.toml), and so is whatever folder the user has chosen.
MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
if (
    "PYTEST_DEBUG_TEMPROOT" not in os.environ
    and tempfile.gettempdir() == "/tmp"
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > ROOM
):
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)

WITH_NUMBA = find_spec("numba") is not None

# Every call of the runner would make all commands anew, 9 ms a time.
typer.testing._get_command = cache(typer.main.get_command)

# A machine that others use takes its time now and then: that is no fault. In CI the same examples are
# tried each time, so that what it says is of the change.
settings.register_profile("shared", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("shared")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Half a million objects stay from the collection of the tests to the end.

    The garbage collector would go through them again and again: a fifth of the time that the
    collection of the tests takes, and 0.7 s for each `gc.collect()` later. The garbage among them
    stays too: to find it takes 0.7 s. Of what comes later the collector goes through all a fifth
    as often as it would: that was two thirds of its time, and 4 in 100 of that of the tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], 50)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """A process of xdist reports how a test ended, and not that it began, was set up and torn down.

    Each report takes it and the one that prints them a third of a millisecond.
    """
    if not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Without Numba a test of compiled loops is skipped; forms of it that need none are tried."""
    if WITH_NUMBA or item.get_closest_marker("compiled") is None:
        return (yield)
    try:
        return (yield)
    except (ModuleNotFoundError, ConfigError) as error:
        if "numba" not in str(error):
            raise
        pytest.skip("needs Numba")


@pytest.fixture(scope="session")
def preloaded_processes():
    """`preloaded.Popen` forks its processes from now on, and fork servers are such processes."""
    if sys.platform != "linux":
        yield
        return
    from nettrain.search.executors import local

    names = ("DEVNULL", "TimeoutExpired")
    preloaded.Popen.interpreter = preloaded.Interpreter()
    local.subprocess = SimpleNamespace(
        Popen=preloaded.Popen, **{n: getattr(subprocess, n) for n in names}
    )
    yield
    preloaded.Popen.interpreter.close()
    local.subprocess, preloaded.Popen.interpreter = subprocess, None


@pytest.fixture
def cold(monkeypatch):
    """For a test of how a process starts: none of its processes is one that is preloaded."""
    monkeypatch.setattr(preloaded.Popen, "interpreter", None)
