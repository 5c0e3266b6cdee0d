"""What holds for all tests."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import typer.main
import typer.testing
from hypothesis import settings

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

# Every call of the runner would make all commands anew, 9 ms a time.
typer.testing._get_command = cache(typer.main.get_command)

# A machine that others use takes its time now and then: that is no fault. In CI the same examples are
# tried each time, so that what it says is of the change.
settings.register_profile("shared", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("shared")
