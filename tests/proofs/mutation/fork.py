"""Functions called in processes of their own: the parent goes on unchanged, whatever a mutant does."""

import json
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzzing.guard import scratch
from mutation.waiting import Waiting

MEMORY, FILE = (
    4 * 2**30,
    2**30,
)  # what a child may take beyond its parent's memory, and the size of a file
NOTE = "note"  # a file in a child's folder, which the parent reads at its end
PAUSE = 0.002  # seconds between two looks at the children
IDLE = (
    5.0  # seconds in which a child, and whatever it has started, only waits; then it has timed out
)
SURVIVED, KILLED, INVALID = 0, 1, 77  # exit codes; anything else is an end that no test foresaw


def call(function: Callable[[], Any]) -> Any:
    """What the function returns (as JSON) in a process of its own; what that prints is shown if it fails."""
    with tempfile.TemporaryFile("w+") as answer, tempfile.TemporaryFile("w+") as printed:
        process = os.fork()
        if process == 0:
            try:
                os.dup2(printed.fileno(), 1)
                os.dup2(printed.fileno(), 2)
                answer.write(json.dumps(function()))
                answer.flush()
                os._exit(0)
            except BaseException:
                traceback.print_exc(file=printed)
                printed.flush()
                os._exit(1)
        _, status = os.waitpid(process, 0)
        if status:
            printed.seek(0)
            raise RuntimeError(f"a process ended with status {status}:\n{printed.read()[-5000:]}")
        answer.seek(0)
        return json.load(answer)


@dataclass
class _Child:
    what: Any
    process: int
    folder: Path
    deadline: float
    waiting: Waiting

    def outcome(self) -> tuple[str, str] | None:
        """How it ended, and what it noted; None while it runs."""
        process, status = os.waitpid(self.process, os.WNOHANG)
        if process == 0:
            self.waiting.look()
            if time.monotonic() < self.deadline and self.waiting.seconds < IDLE:
                return None
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        note = self.folder / NOTE
        noted = note.read_text() if note.exists() else ""
        self._clean()
        if process == 0 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF):
            return "timed out", noted
        code = os.waitstatus_to_exitcode(status)
        return {SURVIVED: "survived", INVALID: "invalid"}.get(code, "killed"), noted

    def _clean(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process, signal.SIGKILL)  # whatever it started
        shutil.rmtree(self.folder, ignore_errors=True)


def outcomes(
    tasks: Iterable[Any], run: Callable[[Any, Path], int], *, jobs: int, wall: float
) -> Iterator[tuple[Any, str, str]]:
    """(a task, how its process ended, what it noted) in the order in which they end.

    Args:
        tasks: What is run, drawn when a process is free.
        run: Called with a task and an empty folder in a child; returns its exit code.
        jobs: How many run at once.
        wall: Seconds of real time after which one has timed out; processor time is for `run` to bound.
            One that only waits, as for a thread that has ended, has timed out after `IDLE` seconds.
    """
    tasks, running, more = iter(tasks), [], True
    while running or more:
        while more and len(running) < jobs:
            try:
                task = next(tasks)
            except StopIteration:
                more = False
                break
            running.append(_started(task, run, wall))
        time.sleep(PAUSE)
        for child in list(running):
            how = child.outcome()
            if how is not None:
                running.remove(child)
                yield child.what, *how


def _started(task: Any, run: Callable[[Any, Path], int], wall: float) -> _Child:
    folder = scratch()
    process = os.fork()
    if process == 0:
        code = KILLED
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
            size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
            code = run(task, folder)
        finally:
            os._exit(code)
    return _Child(task, process, folder, time.monotonic() + wall, Waiting(process))


def limit_cpu(seconds: float) -> None:
    """End this process after so much more of processor time; 0 takes the limit away."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
