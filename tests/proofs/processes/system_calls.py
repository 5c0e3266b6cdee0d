"""System calls that fail or kill at a chosen moment: a small C library, compiled here and preloaded."""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
MARK = "NETTRAIN_PROOF_CALLS"  # in the environment of a process that has the library preloaded

OPEN, WRITE, FSYNC, RENAME, CLOSE, TRUNCATE, MKDIR, UNLINK, CREATE = (1 << i for i in range(9))
EVERY = OPEN | WRITE | FSYNC | RENAME | CLOSE | TRUNCATE | MKDIR | UNLINK
TAKES_SPACE = CREATE | WRITE | FSYNC | RENAME | TRUNCATE | MKDIR
CHANGES = CREATE | WRITE | FSYNC | RENAME | TRUNCATE | MKDIR | UNLINK
NOTHING, FAIL_ONCE, FAIL_FROM_HERE, SHORT_WRITE, DIE_BEFORE, DIE_AFTER, DIE_HALF_WRITTEN = range(7)


@dataclass(frozen=True)
class Trouble:
    """What happens at a call.

    Attributes:
        name: In results.
        calls: Those that are counted, of which the n-th is struck.
        action: As the library numbers them.
        number: The error.
    """

    name: str
    calls: int
    action: int
    number: int = 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """What a message must say, one of them."""
        remedies = {errno.ENOSPC: "the disk is full", errno.EROFS: "the file system is read-only"}
        return tuple(
            text.lower()
            for text in (os.strerror(self.number), remedies.get(self.number))
            if text is not None
        )


TROUBLES = (
    Trouble("disk full", TAKES_SPACE, FAIL_FROM_HERE, errno.ENOSPC),
    Trouble("disk full for a moment", TAKES_SPACE, FAIL_ONCE, errno.ENOSPC),
    Trouble("disk fails once", EVERY, FAIL_ONCE, errno.EIO),
    Trouble("disk fails", EVERY, FAIL_FROM_HERE, errno.EIO),
    Trouble("becomes read-only", CHANGES, FAIL_FROM_HERE, errno.EROFS),
    Trouble("interrupted call", OPEN | WRITE | FSYNC | TRUNCATE, FAIL_ONCE, errno.EINTR),
    Trouble("short write", WRITE, SHORT_WRITE),
)
KILLS = (
    Trouble("before a call", EVERY, DIE_BEFORE),
    Trouble("after a call", EVERY, DIE_AFTER),
    Trouble("within a write", WRITE, DIE_HALF_WRITTEN),
)


@dataclass
class Calls:
    """The library as this process has it; absent where there is no C compiler.

    Attributes:
        absent: Why there is none.
    """

    absent: str = ""
    _library: ctypes.CDLL | None = field(default=None, repr=False)

    def arm(self, folder: Path, trouble: Trouble, place: int) -> None:
        """From now on count calls on files below the folder; the n-th is struck (0: none)."""
        if self._library is not None:
            self._library.arm(
                os.fsencode(folder.absolute()),
                trouble.calls,
                ctypes.c_long(place),
                trouble.action,
                trouble.number,
            )

    def set_back(self, seconds: float) -> None:
        """From now on the clock is set back by so many seconds each time that it is read."""
        if self._library is not None:
            self._library.set_back(ctypes.c_double(seconds))

    def counted(self) -> int:
        """The calls since `arm`."""
        return 0 if self._library is None else int(self._library.counted())

    def struck(self) -> str:
        """The call that was struck, such as `fsync /tmp/.../last.safetensors`; none: empty."""
        return "" if self._library is None else os.fsdecode(self._library.struck())


def run_preloaded() -> None:
    """Run this program once more with the library preloaded, and end with its exit code.

    Returns at once in that process. One thread of BLAS, so that it has no others when it forks.
    """
    if MARK in os.environ:
        return
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory(prefix="nettrain-calls-") as folder:
        library = Path(folder) / "system_calls.so"
        compiler = shutil.which("cc") or shutil.which("gcc")
        given = {MARK: ""}
        if compiler is not None and sys.platform == "linux":
            command = [compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]
            subprocess.run(command, check=True)
            given = {MARK: str(library), "LD_PRELOAD": str(library)}
        program = [sys.executable, *sys.argv]
        sys.exit(subprocess.run(program, env=os.environ | one_thread | given).returncode)


def preloaded() -> Calls:
    """The library that `preload` has preloaded."""
    path = os.environ.get(MARK)
    if not path:
        return Calls("no C compiler, or not Linux: nothing was aimed at single system calls")
    library = ctypes.CDLL(path)
    library.struck.restype = ctypes.c_char_p
    library.counted.restype = ctypes.c_long
    return Calls("", library)
