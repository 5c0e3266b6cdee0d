"""A warm process: it has imported nettrain, has one thread, and forks a process for each command.

What runs is the command line of nettrain in a process of its own, without the second that starting
Python and importing takes. Threads that the command starts are the child's alone.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forked_child import ForkedChild

from processes.system_calls import NOTHING, Calls, Trouble

COUNT = Trouble("none", -1, NOTHING)
THREADED = ("onnxruntime", "polars")  # start threads when they are imported
PATIENCE = 120.0  # seconds for any one command


class Hang(Exception):
    """A process that did not end."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: Its exit code, or minus the signal.
        out: Its standard output.
        err: Its standard error.
        counted: System calls that were counted.
        struck: The one that was struck.
        imported: Modules that the warm process had not imported.
    """

    code: int
    out: str
    err: str
    counted: int = 0
    struck: str = ""
    imported: Sequence[str] = ()

    @property
    def killed(self) -> bool:
        """Whether it was killed."""
        return self.code == -signal.SIGKILL

    def described(self) -> str:
        """For a report of a fault."""
        return f"exit code {self.code}: {self.err.strip()[-1500:]}"


class Warm:
    """Forks processes that run nettrain.

    Args:
        scratch: For their streams.
        calls: Fails their system calls.
    """

    def __init__(self, scratch: Path, calls: Calls) -> None:
        import nettrain.cli

        for module in pkgutil.walk_packages(nettrain.cli.__path__, "nettrain.cli."):
            importlib.import_module(module.name)
        self._scratch, self.calls = scratch, calls
        self._learned: set[str] = set()
        os.chmod(scratch, 0o777)  # a child may become another user

    def train(self, config: Path, folder: Path) -> None:
        """Train here, on one thread: what it imports and compiles, no process has to again."""
        import nettrain

        nettrain.train(config, output_directory=folder, threads=1)

    def learn(self, ended: Ended) -> None:
        """Import here what a process has imported, so that those to come need not."""
        missing = {name for name in ended.imported if name.partition(".")[0] not in THREADED}
        missing -= self._learned
        if not missing:
            return
        self._learned |= missing
        for name in missing:
            with suppress(ImportError):  # a name that a package made up: `__mp_main__`
                importlib.import_module(name)
        self.check()
        gc.collect()
        gc.freeze()  # so that no collection of a child touches, and thereby copies, what is here

    def check(self) -> None:
        """Raises RuntimeError where this process has threads, which a fork would lose."""
        threads = len(os.listdir("/proc/self/task"))
        if threads > 1:
            raise RuntimeError(f"{threads} threads: no process can be forked safely")

    def start(
        self,
        words: Sequence[object],
        *,
        watch: Path,
        trouble: Trouble = COUNT,
        place: int = 0,
        before: Callable[[], None] = lambda: None,
    ) -> "Child":
        """Fork a process that runs `nettrain WORDS`.

        Args:
            words: The arguments.
            watch: Calls on files below it are counted.
            trouble: What happens at one of them.
            place: At which; 0: at none.
            before: Called in the child first.
        """
        self.check()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return Child(pid, self._scratch)
        try:
            self._run([str(word) for word in words], watch, trouble, place, before)
        finally:
            os._exit(99)

    def run(self, words: Sequence[object], **how: object) -> Ended:
        """Run one to its end."""
        return self.start(words, **how).ended()  # type: ignore[arg-type]

    def _run(
        self,
        words: list[str],
        watch: Path,
        trouble: Trouble,
        place: int,
        before: Callable[[], None],
    ) -> None:
        from nettrain.cli.main import run

        before_it = {*sys.modules}
        os.setsid()
        for number, name in enumerate(("null", "out", "err")):
            path = os.devnull if name == "null" else _stream(self._scratch, os.getpid(), name)
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.argv = ["nettrain", *words]
        code: object = 1
        before()
        sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)
        self.calls.arm(watch, trouble, place)
        try:
            run()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        with suppress(OSError, ValueError):  # whoever read has gone
            sys.stdout.flush()
        counted, struck = self.calls.counted(), self.calls.struck()
        self.calls.arm(watch, COUNT, 0)
        imported = [name for name in sys.modules if name not in before_it]
        report = json.dumps({"counted": counted, "struck": struck, "imported": imported})
        with suppress(OSError):  # too many open files
            _stream(self._scratch, os.getpid(), "report").write_text(report)
        os._exit(code if isinstance(code, int) else 1)


class Child(ForkedChild):
    """A process that was forked."""

    def __init__(self, pid: int, scratch: Path) -> None:
        super().__init__(pid)
        self._scratch = scratch

    def kill_after(self, seconds: float) -> None:
        """`kill -9` it after so many seconds, if it still runs."""
        self.ends_within(seconds)
        self.send(signal.SIGKILL)

    def ended(self) -> Ended:
        """Wait for its end. Raises Hang."""
        if not self.ends_within(PATIENCE):
            os.killpg(self.pid, signal.SIGKILL)
            self.exit_code()
            raise Hang(f"not at its end after {PATIENCE:.0f} s")
        code = self.exit_code()
        texts = dict.fromkeys(("out", "err", "report"), "")
        for name in texts:
            path = _stream(self._scratch, self.pid, name)
            if path.exists():
                texts[name] = path.read_text(errors="replace")
                path.unlink()
        report = json.loads(texts["report"]) if texts["report"] else {}
        return Ended(code, texts["out"], texts["err"], **report)


def _text_stream(number: int) -> Any:
    """What Python makes of a descriptor when it starts: None, if it is closed."""
    try:
        return open(number, "w", errors="backslashreplace", closefd=False)
    except OSError:
        return None


def _stream(scratch: Path, pid: int, name: str) -> Path:
    return scratch / f"{pid}.{name}"
