"""Where named sets are kept: the folder $NETTRAIN_DATA, or the user's cache."""
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from nettrain.errors import DataError


def data_directory() -> Path:
    """$NETTRAIN_DATA if it is set, otherwise nettrain's place in the user's cache folder."""
    given = os.environ.get("NETTRAIN_DATA")
    if given:
        return Path(given).expanduser()
    pooch = import_module("pooch")                           # heavy, and needed only here
    return Path(pooch.os_cache("nettrain"))


def find_files(name: str, stems: Sequence[str]) -> list[Path]:
    """The files of a named set, each plain or `.gz`. Raises DataError that says which files to put where."""
    directory = data_directory() / name
    found = [next((path for path in (directory / stem, directory / f"{stem}.gz") if path.is_file()), None) for stem in stems]
    if missing := [stem for stem, path in zip(stems, found, strict=True) if path is None]:
        raise DataError(f"the set {name!r} is not complete in {directory}: put there {', '.join(missing)} (plain or .gz), "
                        "or set NETTRAIN_DATA to the folder that holds the folder " + name)
    return [path for path in found if path is not None]
