"""What a folder holds, as one number: equal for folders that differ in times and process ids alone."""

import hashlib
import os
import re
from pathlib import Path

from nettrain.training.artifacts.files import final_name

HEADER = 8  # bytes of a safetensors file that say how long its header is
# Seconds as JSON, also within a string of JSON; moments as in log.txt.
TIMES = re.compile(
    rb'(?P<key>\\?"(?:seconds|started|run_directory)\\?": )[^,}\n]+|\d{4}-\d\d-\d\dT[\d:.+Z]+'
)


def state_of(folder: Path) -> bytes:
    """The digest of all names and contents below a folder. Links count by where they lead."""
    found = hashlib.blake2b(digest_size=16)
    for path, folders, files in os.walk(folder):
        folders.sort()
        for final, temporary, name in sorted(map(_named, [*folders, *files])):
            file = Path(path, name)
            kind = temporary, file.is_symlink(), file.is_dir()
            found.update(repr((os.path.relpath(path, folder), final, kind)).encode())
            found.update(_content(file))
    return found.digest()


def _named(name: str) -> tuple[str, bool, str]:
    """By what it is sorted: what it is to become, and whether it is temporary."""
    final = final_name(name)
    return final, final != name, name


def _content(file: Path) -> bytes:
    if file.is_symlink():
        return os.readlink(file).encode()
    return b"" if file.is_dir() else without_times(file.read_bytes())


def without_times(content: bytes) -> bytes:
    """The same without times, which make the header of a checkpoint longer or shorter too."""
    size = int.from_bytes(content[:HEADER], "little")
    if HEADER < size <= len(content) - HEADER and content[HEADER : HEADER + 1] == b"{":
        header, rest = content[HEADER : HEADER + size].rstrip(b" "), content[HEADER + size :]
        return _untimed(header) + b"\0" + rest
    return _untimed(content)


def _untimed(text: bytes) -> bytes:
    return TIMES.sub(lambda match: match["key"] or b"", text)
