"""What an input must never bring about: a write outside its folder, code that runs, a connection.

Python reports such events to an audit hook before they happen. A hook cannot be removed, so the
fuzzer's worker has a process of its own.
"""

import os
import sys
import tempfile
from pathlib import Path
from types import CodeType
from typing import Any

from fuzzing.case import PREPARED

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Which arguments of an event are paths that are changed, and those of the directories that they
# count from (descriptors).
_CHANGES = {
    "os.mkdir": {0: 2},
    "os.rename": {0: 2, 1: 3},
    "os.remove": {0: 1},
    "os.rmdir": {0: 1},
    "os.link": {1: 3},
    "os.symlink": {1: 2},
    "os.truncate": {0: None},
    "os.chmod": {0: 2},
    "os.chown": {0: 3},
    "os.utime": {0: 3},
    "shutil.move": {0: None, 1: None},
}
_NEVER = ("socket.connect", "socket.bind", "os.system", "os.exec", "pickle.find_class")
_STARTS = ("subprocess.Popen", "os.posix_spawn")
# The process that reads columnar files, so that damage takes down that process alone.
_READER = "_frame_process.py"
# Who may execute a text that they have made: dataclasses and named tuples do, when they are defined.
_MAKERS = (
    "dataclasses.py",
    "collections/__init__.py",
    "typing.py",
    "importlib",
    "<frozen",
    "numba",
    "site-packages",
)
_DEVICES = (os.devnull, "/dev/tty")


class Guard:
    """The hook. Between `begin` and `end` it notes what must not happen.

    Args:
        known: The folders whose code may run.
        allowed: A folder that may be written to beside that of the input.
    """

    def __init__(self, *known: Path, allowed: Path) -> None:
        self._known = tuple(str(path) for path in known)
        self._allowed = str(allowed.resolve())
        self._folder: str | None = None
        self._found: list[str] = []
        sys.addaudithook(self._event)

    def begin(self, folder: Path) -> None:
        """From here on nothing but the folder may be written to."""
        self._folder, self._found = str(folder.resolve()), []

    def end(self) -> list[str]:
        """What happened that must not, in words."""
        self._folder = None
        return list(dict.fromkeys(self._found))

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        folder = self._folder
        if folder is None:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
                mode is None and isinstance(flags, int) and flags & _WRITING
            )
            if writes and isinstance(path, str | bytes):
                self._check(event, path, folder)
        elif event in _CHANGES:
            for place, start in _CHANGES[event].items():
                path = arguments[place]
                if (
                    start is not None
                    and isinstance(arguments[start], int)
                    and arguments[start] >= 0
                ):
                    path = os.path.join(f"/proc/self/fd/{arguments[start]}", os.fsdecode(path))
                self._check(event, path, folder)
        elif event in _NEVER:
            self._found.append(f"{event} {arguments[:2]!r}"[:300])
        elif event in _STARTS:
            if not any(_READER in str(word) for word in arguments[1]):
                self._found.append(f"{event} {arguments[:2]!r}"[:300])
        elif event == "ctypes.dlopen":
            if arguments[0] is not None and not str(arguments[0]).startswith(self._known):
                self._found.append(f"{event} {arguments[0]!r}")
        elif event == "exec":
            self._check_code(arguments[0])

    def _check(self, event: str, path: Any, folder: str) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor, which has been opened already
        where = os.path.realpath(os.path.dirname(os.path.abspath(os.fsdecode(path))))
        whole = os.path.join(where, os.path.basename(os.fsdecode(path)))
        if event == "open":
            whole = os.path.realpath(whole)  # what is renamed or removed is the link itself
        cached = whole.endswith((".pyc", ".nbi", ".nbc")) or "__pycache__" in whole
        inside = any(
            whole == place or whole.startswith(place + os.sep) for place in (folder, self._allowed)
        )
        if not (inside or whole in _DEVICES or cached):
            self._found.append(f"{event} outside of the folder: {whole}")

    def _check_code(self, code: Any) -> None:
        name = code.co_filename if isinstance(code, CodeType) else str(code)
        if name.startswith((*self._known, "<frozen")):
            return
        caller = sys._getframe(2).f_code.co_filename
        if not any(maker in caller for maker in _MAKERS):
            self._found.append(f"exec of {name} from {caller}")


def known_folders(package: Path) -> tuple[Path, ...]:
    """The folders whose code is trusted: Python's own, the installed packages', nettrain's."""
    return (Path(os.__file__).parent, Path(sys.prefix), Path(sys.base_prefix), package)


def scratch() -> Path:
    """A folder for inputs, in memory where there is one; its path is always of one length.

    So a file that names what lies in it can be one of the corpus, whose lengths all fit.
    """
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    parent = str(memory if usable else tempfile.gettempdir())
    random = 8  # letters that mkdtemp adds
    padding = len(PREPARED) - len(f"{parent}/{'x' * random}/prepared")
    return Path(tempfile.mkdtemp(prefix="nettrain-fuzz-".ljust(padding, "-"), dir=parent))
