"""Locks of directories: one process holds one, and the system releases those of one that ends."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

fcntl: Any
msvcrt: Any
try:
    import fcntl
except ImportError:  # Windows, where directories cannot be opened: a file stands for each
    fcntl = None
    import msvcrt

_PAUSE = 0.05  # seconds between two tries to take a lock


@contextmanager
def directory_lock(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a directory inside.

    Args:
        path: The directory.
        shared: Whether others may hold it too that ask for it shared (not on Windows).
        wait: Whether to wait until it is free.

    Raises:
        BlockingIOError: Another holds it, and `wait` is false.
    """
    if fcntl is None:
        with _windows_lock(path, wait=wait):
            yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)
        yield
    finally:
        with suppress(OSError):  # a disk that fails: the lock is released nevertheless
            os.close(descriptor)


@contextmanager
def _windows_lock(path: Path, *, wait: bool) -> Iterator[None]:
    identity = hashlib.blake2b(os.path.realpath(path).lower().encode(), digest_size=16).hexdigest()
    folder = Path(tempfile.gettempdir()) / "nettrain-locks"
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / identity, os.O_RDWR | os.O_CREAT)
    try:
        while not _taken(descriptor):
            if not wait:
                raise BlockingIOError(f"{path}: locked by another process")
            time.sleep(_PAUSE)
        yield
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
