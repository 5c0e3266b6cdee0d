"""Directories that nettrain makes: a free name, one process at a time, and removal of nothing else.

What a directory of some kind may hold is its `Layout`. `--overwrite` removes a directory only where
everything in it is part of the layout, so that no file of the user's goes with it.
"""

import errno
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from nettrain.errors import RunError
from nettrain.files import cannot_read, read_text
from nettrain.locks import directory_lock
from nettrain.training.artifacts.files import disk_errors, final_name

REFUSED = (errno.EIO, errno.ESTALE, errno.EACCES)  # a disk that fails, no permission
SHOWN = 5  # names of foreign files in a message
ATTEMPTS = 5  # to take a lock, which `is_locked` holds for a moment
PAUSE = 0.01  # seconds between them


@dataclass(frozen=True)
class Layout:
    """What the directories of one kind hold.

    Attributes:
        kind: What it is called in messages: "a run directory".
        files: Patterns (`fnmatch`) of the names of its files.
        folders: The layouts of the directories in it, by pattern of their names.
        marks: Files by which nettrain knows the directory. They are removed last, in this order,
            so that a removal that fails half way can be repeated.
        is_ours: Whether a directory bears the marks of nettrain. Without marks a directory is
            removed only if it holds no files.
    """

    kind: str
    files: tuple[str, ...] = ()
    folders: Mapping[str, "Layout"] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    is_ours: Callable[[Path], bool] = lambda path: True

    def foreign(self, path: Path) -> Iterator[Path]:
        """What stands in a directory and is not part of the layout; links always are foreign."""
        for entry in sorted(path.iterdir()):
            inner = _first_match(self.folders, entry.name)
            if entry.is_symlink():
                yield entry
            elif entry.is_dir():
                yield from [entry] if inner is None else inner.foreign(entry)
            elif not any(fnmatchcase(final_name(entry.name), name) for name in self.files):
                yield entry

    def directories(self, path: Path) -> Iterator[Path]:
        """The directory and those in it: each may be locked by a process of its own."""
        yield path
        for entry in sorted(path.iterdir()):
            inner = _first_match(self.folders, entry.name)
            if inner is not None and entry.is_dir():
                yield from inner.directories(entry)


def new_directory(
    parent: Path, name: str, *, exact: bool, remedy: str = "choose another --run-name"
) -> Path:
    """Create an empty directory.

    Args:
        parent: Where; it is created if need be.
        name: Its name. One that is taken gets a suffix (digits-2), unless `exact`.
        exact: Whether a name that is taken is an error.
        remedy: What that error tells the user to do.
    """
    with disk_errors(parent / name):
        parent.mkdir(parents=True, exist_ok=True)
        for free in numbered_names(name):
            path = parent / free
            try:
                path.mkdir()  # fails where another process was first
                break
            except FileExistsError:
                if exact:
                    raise RunError(f"{path}: exists already; {remedy}") from None
        return path


def numbered_names(name: str) -> Iterator[str]:
    """digits, digits-2, digits-3 ...: what something is called whose name may be taken."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def remove_directory(path: Path, layout: Layout) -> None:
    """Remove a directory that nettrain made, and nothing else.

    Raises:
        RunError: It is not of this kind, holds files that nettrain did not write (they are named),
            or another process works in it; nothing is removed then. Or the disk refuses to
            remove it; what is left can be removed later.
    """
    if path.is_symlink() or not path.is_dir():
        raise RunError(f"{path}: is not {layout.kind}, so it is not replaced; choose another name")
    foreign = [str(entry.relative_to(path)) for entry in layout.foreign(path)]
    if foreign:
        more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
        raise RunError(
            f"{path}: is not {layout.kind} alone, so it is not replaced: it holds "
            f"{', '.join(foreign[:SHOWN])}{more}; move that away, or choose another name"
        )
    if not layout.is_ours(path) and any(map(_is_whole_file, path.rglob("*"))):
        raise RunError(
            f"{path}: is not {layout.kind} of nettrain, so it is not replaced; choose another name"
        )
    with disk_errors(path), ExitStack() as locks:
        for directory in list(layout.directories(path)):
            locks.enter_context(locked(directory))
        for entry in path.iterdir():
            if entry.is_dir():
                _remove_tree(entry)
            elif entry.name not in layout.marks:
                entry.unlink()
        for name in layout.marks:
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def _remove_tree(path: Path) -> None:
    """Remove a directory, or raise what kept it from being removed.

    Until Python 3.12, `rmtree` closes a directory again whose closing has failed, and that second
    error hides the first.
    """
    try:
        shutil.rmtree(path)
    except OSError as error:
        if error.errno == errno.EBADF and isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Inside, no other process works in this directory.

    Raises:
        RunError: One does, or a directory in it is a link, through which nothing is written.
    """
    for entry in path.iterdir():
        if entry.is_symlink() and entry.is_dir():
            raise RunError(
                f"{entry}: is a link to a directory, through which nothing is written; put the "
                "directory itself there"
            )
    with ExitStack() as lock:
        for attempt in range(ATTEMPTS):
            try:
                lock.enter_context(directory_lock(path))
                break
            except BlockingIOError:
                if attempt == ATTEMPTS - 1:
                    raise RunError(
                        f"{path}: another process is training into it; wait for it, or stop it"
                    ) from None
                time.sleep(PAUSE)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process works in this directory; asking does not keep one from beginning."""
    try:
        with directory_lock(path, shared=True):
            return False
    except BlockingIOError:
        return True


def written_by_nettrain(path: Path) -> bool:
    """Whether environment.json, the first file of a run, names a version of nettrain.

    Raises:
        DataError: The file is there, and the system does not let it be read.
    """
    file = path / "environment.json"
    try:
        content = json.loads(read_text(file))
        return isinstance(content["versions"]["nettrain"], str)
    except OSError as error:
        if error.errno in REFUSED:
            raise cannot_read(file, error) from None
        return False
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _is_whole_file(entry: Path) -> bool:
    """Whether it is a file, and none that a killed process was still writing."""
    return entry.is_file() and final_name(entry.name) == entry.name


def _first_match(folders: Mapping[str, Layout], name: str) -> Layout | None:
    return next((layout for pattern, layout in folders.items() if fnmatchcase(name, pattern)), None)
