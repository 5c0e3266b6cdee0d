"""`nettrain cache`: what nettrain keeps in the user's cache folder, and its removal."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import Json
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.cli.table import NumberTable
    from nettrain.data.cache import CachedFile

_DAY = 86400  # seconds


def cache(
    delete: Annotated[
        list[str] | None,
        typer.Option(
            "--delete",
            metavar="NAME",
            help="Remove this file, unasked. Repeatable.",
            show_default=False,
        ),
    ] = None,
    unused: Annotated[
        float | None,
        typer.Option(
            "--unused",
            metavar="DAYS",
            help="Remove what was not used for so many days; 0: everything.",
            min=0,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List what is kept in the cache folder: tables and images on the disk, downloaded data sets.

    All of it may be removed any time: what needs a file makes or downloads it again.
    """
    from nettrain.data.cache import cache_folder, cached_files

    files = cached_files()
    if delete or unused is not None:
        chosen = _named(files, delete or [])
        chosen += [file for file in files if unused is not None and _days(file) >= unused]
        _remove(chosen := list(dict.fromkeys(chosen)), json=json)
    elif json:
        listed = [
            {
                "name": file.name,
                "path": str(file.path),
                "kind": file.kind,
                "size": file.size,
                "days": _days(file),
            }
            for file in files
        ]
        print_json({"folder": str(cache_folder()), "files": listed})
    elif files:
        console().print(_table(files))
        say(f"{_size(files)} in {cache_folder()}")
    else:
        say(f"nothing is kept in {cache_folder()}")


def _named(files: "list[CachedFile]", names: list[str]) -> "list[CachedFile]":
    """The files of these names. Raises ConfigError where there is none."""
    known = {file.name: file for file in files}
    for name in names:
        if name not in known:
            raise ConfigError(f"--delete {name}: no such file is kept{nearest(name, known)}")
    return [known[name] for name in names]


def _remove(files: "list[CachedFile]", *, json: bool) -> None:
    """Removes files; one in use stays readable for the process that has it open."""
    for file in files:
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{file.path}: cannot be removed: {error.strerror}") from None
    if json:
        print_json({"deleted": [str(file.path) for file in files]})
    else:
        say(f"removed {len(files)} file{'s' * (len(files) != 1)}, {_size(files)}")


def _table(files: "list[CachedFile]") -> "NumberTable":
    from nettrain.cli.render_model import size
    from nettrain.cli.table import NumberTable

    table = NumberTable("file", "holds", "size", "last used", optional=("holds",))
    for file in files:
        days = int(_days(file))
        ago = "today" if not days else f"{days} day{'s' * (days != 1)} ago"
        table.add_row(file.name, file.kind, size(file.size), ago)
    return table


def _days(file: "CachedFile") -> float:
    return max(time.time() - file.used, 0) / _DAY


def _size(files: "list[CachedFile]") -> str:
    from nettrain.cli.render_model import size

    return size(sum(file.size for file in files))
