"""`-o FILE`: written as a whole, in the format that the ending names, never over another file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nettrain.errors import ConfigError

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output file if it exists.")
]


def check_output(
    path: Path, endings: Sequence[str], *, overwrite: bool, inputs: Sequence[Path] = ()
) -> None:
    """Refuse an output that cannot or must not be written, before any work is done.

    Args:
        path: what follows `-o`. A device or pipe (/dev/null) is always allowed.
        endings: the endings that the command can write.
        overwrite: whether an existing file may be replaced.
        inputs: the files that the command reads.

    Raises:
        ConfigError: a folder, a missing folder, another ending, an existing file, or one of the
            inputs, also through a link.
    """
    if path.is_dir():
        raise ConfigError(f"-o {path}: is a folder; name a file in it")
    if is_device(path):
        return
    if not path.parent.is_dir():
        raise ConfigError(f"-o {path}: the folder {str(path.parent)!r} does not exist")
    if path.suffix.lower() not in endings:
        named = " or ".join(endings)
        got = f"got {path.suffix!r}" if path.suffix else "got none"
        raise ConfigError(f"-o {path}: the ending says what is written: expected {named}, {got}")
    if overwrite or not os.path.lexists(path):
        return
    if any(source.exists() and path.exists() and path.samefile(source) for source in inputs):
        what = "is the input of this command, which would be lost"
    else:
        what = "exists already"
    raise ConfigError(f"-o {path}: {what}; choose another name, or add --overwrite to replace it")


def is_device(path: Path) -> bool:
    """Whether a path is there but no regular file: it is written to, never replaced."""
    return path.exists() and not path.is_file()


def write_output(path: Path, content: bytes) -> None:
    """Write the whole file or none of it; a link keeps pointing to its file."""
    from nettrain.training.artifacts.files import disk_errors, write_atomically

    if is_device(path):
        with disk_errors(path), open(path, "wb") as device:
            device.write(content)
    else:
        write_atomically(path.resolve(), content)
