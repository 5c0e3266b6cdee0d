"""Writing files: a crash, a kill or a full disk leaves the old content or the new."""

import errno
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nettrain.errors import RunError
from nettrain.files import WINDOWS

ELSEWHERE = "choose another folder with --output-directory"


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Inside, what the disk refuses becomes a RunError that says what to do."""
    try:
        yield
    except OSError as error:
        remedies: dict[int | None, str] = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EDQUOT: "the disk quota is used up: free some space",
            errno.EACCES: f"no permission to write there: {ELSEWHERE}",
            errno.EROFS: f"the file system is read-only: {ELSEWHERE}",
        }
        remedy = remedies.get(error.errno, error.strerror or str(error))
        raise RunError(f"{path}: cannot be written: {remedy}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it has either its old content or the new."""
    write_chunks_atomically(path, [content])


def write_chunks_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """The same for bytes that are made while they are written; what making them raises, this does.

    A temporary file beside it is written, forced to the disk and renamed; then the folder is forced
    to the disk.
    """
    temporary = _temporary(path)
    with disk_errors(path):
        try:
            with open_new(temporary) as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            _replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def final_name(name: str) -> str:
    """The file that a temporary one (`.config.yaml.4711.tmp`) was to become; others: their own."""
    parts = name.split(".")
    if len(parts) > 3 and not parts[0] and parts[-1] == "tmp" and parts[-2].isdigit():
        return ".".join(parts[1:-2])
    return name


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files that killed processes have left; nobody must write there now."""
    with disk_errors(folder):
        names = os.listdir(folder) if folder.is_dir() else []
        for name in names:
            if final_name(name) != name:
                (folder / name).unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    """Rename. Windows refuses it while somebody reads the file, such as a virus scanner."""
    for pause in (0.01, 0.1, 0.5) if WINDOWS else ():
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            time.sleep(pause)
    os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk. Windows opens no folders, and keeps renames in its journal."""
    if WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_new(path: Path) -> BinaryIO:
    """A new file in place of one of this name. A link is replaced too, not written through."""
    path.unlink(missing_ok=True)
    return open(path, "xb")


def open_for_appending(path: Path) -> BinaryIO:
    """A file to append to, created if need be. Links are refused: they lead to somebody's file."""
    # Without O_NONBLOCK, opening a FIFO waits for a process that reads from it.
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | careful, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RunError(f"{path}: is a link, and is not written through; remove it") from None
        raise
    return os.fdopen(descriptor, "ab")


def append_line(path: Path, text: str) -> None:
    """Append one line, in one write."""
    with disk_errors(path), open_for_appending(path) as file:
        file.write((text + "\n").encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON; NaN and infinity become null, which JSON can hold."""
    write_atomically(path, (json.dumps(finite(value), indent=2) + "\n").encode())


def finite(value: Any) -> Any:
    """The same value with every float that JSON cannot hold made None."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
