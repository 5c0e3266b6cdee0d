"""`-o FILE`: written as a whole, in the format that the ending names, never over another file."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from nettrain.errors import ConfigError

_MANY = 4  # endings
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output file if it exists.")
]


def check_output(
    path: Path, endings: Sequence[str], *, overwrite: bool, inputs: Sequence[Path] = ()
) -> None:
    """Refuse an output that cannot or must not be written, before any work is done.

    Args:
        path: what follows `-o`. A device or pipe (/dev/null) is always allowed.
        endings: the endings that the command can write, such as .csv and .csv.gz.
        overwrite: whether an existing file may be replaced.
        inputs: the files that the command reads.

    Raises:
        ConfigError: a folder, a missing folder, another ending, an existing file that may not be
            replaced, or one of the inputs, also through a link, which never may.
    """
    if path.is_dir():
        raise ConfigError(f"-o {path}: is a folder; name a file in it")
    if is_device(path):
        return
    if not path.parent.is_dir():
        raise ConfigError(f"-o {path}: the folder {str(path.parent)!r} does not exist")
    if ending_of(path, endings) is None:
        named = " or ".join(endings) if len(endings) < _MANY else f"one of {', '.join(endings)}"
        got = f"got {path.suffix!r}" if path.suffix else "got none"
        raise ConfigError(f"-o {path}: the ending says what is written: expected {named}, {got}")
    if any(source.exists() and path.exists() and path.samefile(source) for source in inputs):
        raise ConfigError(
            f"-o {path}: is the input of this command, which would be lost; choose another name"
        )
    if not overwrite and os.path.lexists(path):
        raise ConfigError(
            f"-o {path}: exists already; choose another name, or add --overwrite to replace it"
        )


def ending_of(path: Path, endings: Sequence[str]) -> str | None:
    """The one of some endings that a file has, in small letters; None where it has none of them."""
    name = path.name.lower()
    fitting = [ending for ending in endings if name.endswith(ending) and name != ending]
    return max(fitting, key=len, default=None)


def is_device(path: Path) -> bool:
    """Whether a path is there but no regular file: it is written to, never replaced."""
    return path.exists() and not path.is_file()


def write_output(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write the whole file or none of it; a link keeps pointing to its file.

    Args:
        path: of the file.
        content: its bytes, or some of them after the other. If making them fails, nothing is
            written.
    """
    from nettrain.training.artifacts.files import disk_errors, write_chunks_atomically

    chunks = [content] if isinstance(content, bytes) else content
    if is_device(path):
        with disk_errors(path), open(path, "wb") as device:
            device.writelines(chunks)
    else:
        write_chunks_atomically(path.resolve(), chunks)
