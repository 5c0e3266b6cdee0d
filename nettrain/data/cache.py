"""The user's cache folder: files made of data once, each named after all that decides it.

They may be removed any time: what needs one makes it again.
"""

import errno
import hashlib
import logging
import os
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from nettrain.errors import DataError

Kind = Literal["images", "arrays", "tables", "inputs", "shared"]
KINDS: dict[str, str] = {
    "images": "decoded pixels",
    "arrays": "contiguous rows",
    "tables": "columns",
    "inputs": "transformed rows",
    "shared": "rows that workers share",
}
_UNTOLD = ("inputs", "shared")  # what follows a table of which it was said, or takes its place
DOWNLOADED = "downloaded data set"
_LOG = logging.getLogger(__name__)
_ABANDONED = 3600  # seconds after which a file that is still partial has no writer any more
_LONGEST_STEM = 40
_DIGEST, _SHOWN = 32, 8  # characters of a digest
_READ = 2**22  # bytes
_SUM, _END = 4, b"nettrain"
CHECKSUM = _SUM + len(_END)  # bytes of what `add_checksum` adds


@dataclass(frozen=True)
class CachedFile:
    """A file in the cache folder.

    Attributes:
        path: The file.
        kind: What it holds.
        size: In bytes.
        used: When it was last read or written, in seconds since 1970.
    """

    path: Path
    kind: str
    size: int
    used: float

    @property
    def name(self) -> str:
        """Of what it is made, and the beginning of the digest; of other files their own name."""
        stem, _, digest = self.path.stem.rpartition("-")
        short = f"{stem}-{digest[:_SHOWN]}".removeprefix("-")
        return short if len(digest) == _DIGEST else self.path.name


def cache_folder() -> Path:
    """nettrain's place in the user's cache folder ($XDG_CACHE_HOME on Linux)."""
    return Path(import_module("pooch").os_cache("nettrain"))  # heavy, and needed only here


def file_state(path: Path) -> str:
    """What tells that a file has changed, also by an edit that keeps its size and time."""
    state = path.stat()
    stamp = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    return repr((str(path.absolute()), *stamp))


def cached_name(stem: str, decisive: Iterable[str], suffix: str) -> str:
    """The name of a file: what it is made of, and a digest of all that decides its content."""
    digest = hashlib.blake2b(digest_size=_DIGEST // 2)
    for text in decisive:
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    return f"{stem[:_LONGEST_STEM]}-{digest.hexdigest()}{suffix}"


def digest_of(array: np.ndarray | None) -> str:
    """Of the bytes of an array; "" for None."""
    if array is None:
        return ""
    content = np.ascontiguousarray(array).data.cast("B") if array.size else b""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def made_once(
    kind: Kind,
    name: str,
    write: Callable[[BinaryIO], None],
    *,
    of: str,
    size: float,
    remedy: str,
    valid: Callable[[Path], bool] = Path.exists,
) -> Path:
    """The path of a file in the cache, which is made if it is not there.

    Processes that make the same file at once each write one of their own; all are equal, and the
    first one stays, so that all map the same. A process that is killed leaves a partial file, which
    a later one removes.

    Args:
        kind: Of the file.
        name: As `cached_name` gives it.
        write: Writes the content.
        of: What it is made of, for messages.
        size: About how many bytes it takes.
        remedy: What else helps where there is no room for it.
        valid: Whether a file that is there may be used; one that may not is made again.

    Raises:
        DataError: It cannot be written.
    """
    folder = cache_folder() / kind
    target = folder / name
    if target.exists():
        if valid(target):
            return target
        _LOG.warning("%s: damaged, and made again", target)
    if kind not in _UNTOLD:
        _LOG.warning(
            "writing %s of %s to %s (%.2g GB), from where they are read; `nettrain cache` lists "
            "such files, and removes them",
            KINDS[kind],
            of,
            target,
            size / 1e9,
        )
    partial = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        if size > shutil.disk_usage(folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            with partial.open("w+b") as file:
                write(file)
            if not (target.exists() and valid(target)):
                os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        room = "free some space (`nettrain cache` lists what may go)" if full else "make room there"
        raise DataError(
            f"{target}: the {KINDS[kind]} cannot be written: {error.strerror or error}; {room}, "
            f"name another folder by XDG_CACHE_HOME in the environment, or {remedy}"
        ) from None
    return target


def add_checksum(file: BinaryIO) -> None:
    """End a file, opened for reading and writing, with the checksum of all before it."""
    size = file.seek(0, 2)
    file.flush()
    found = _checksum(file, size)
    file.seek(0, 2)
    file.write(found.to_bytes(_SUM, "little") + _END)


def is_whole(path: Path) -> bool:
    """Whether a file ends with the checksum of all before it."""
    with path.open("rb") as file:
        size = file.seek(0, 2) - CHECKSUM
        if size < 0:
            return False
        file.seek(size)
        end = file.read()
        return end[_SUM:] == _END and int.from_bytes(end[:_SUM], "little") == _checksum(file, size)


def _checksum(file: BinaryIO, size: int) -> int:
    file.seek(0)
    found = 0
    while size and (data := file.read(min(size, _READ))):
        found, size = zlib.crc32(data, found), size - len(data)
    return found


def _remove_abandoned(folder: Path) -> None:
    for file in folder.glob(".*"):
        try:
            if time.time() - file.stat().st_mtime > _ABANDONED:
                file.unlink()
        except OSError:  # another process has just removed it
            continue


def cached_files() -> list[CachedFile]:
    """All files in the cache folder, those used last first; partial ones too."""
    root = cache_folder()
    found = []
    for path in root.rglob("*") if root.is_dir() else ():
        if path.is_file():
            state = path.stat()
            first = path.relative_to(root).parts[0]
            kind = KINDS.get(first, DOWNLOADED)
            used = max(state.st_atime, state.st_mtime)
            found.append(CachedFile(path, kind, state.st_size, used))
    return sorted(found, key=lambda file: (-file.used, file.path))
