"""DATA in place of a CONFIG: told by its ending and contents, and the configuration made for it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.inspection.proposal.choice import Proposal, Wishes

_CONFIGS = (".yaml", ".yml")
_PRESETS = ("small", "default", "strong")
_TASKS = ("classification", "regression")
_FIRST = 4096  # bytes by which a configuration of an unusual ending is told from a table


def is_data(path: Path) -> bool:
    """Whether a path names data rather than a configuration."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(_CONFIGS):
        return False
    if path.is_dir():
        return not (path / "config.yaml").is_file()
    from nettrain.data.readers.file_name import kind_by_name

    if kind_by_name(path) not in (None, "images"):
        return True
    return path.is_file() and _holds_data(path)


def _holds_data(path: Path) -> bool:
    from nettrain.data.readers.file_kind import file_kind
    from nettrain.files import open_unpacked

    if file_kind(path) != "csv":
        return True
    with open_unpacked(path) as file:
        lines = file.read(_FIRST).splitlines()
    keys = (b"dataset:", b"model:", b"extends:", b"base:")
    return bool(lines) and not any(line.startswith(keys) for line in lines)


def wishes(
    target: str | None,
    task: str | None = None,
    ignore: list[str] | None = None,
    group: str | None = None,
    time: str | None = None,
    preset: str = "default",
) -> "Wishes":
    """The options as the proposal takes them. Raises ConfigError for a value that there is not."""
    from nettrain.errors import nearest
    from nettrain.inspection.proposal.choice import Preset, Wishes

    for option, value, known in (("--task", task, _TASKS), ("--preset", preset, _PRESETS)):
        if value is not None and value not in known:
            raise ConfigError(
                f"{option}: expected {' or '.join(known)}, got {value!r}{nearest(value, known)}"
            )
    columns = [name.strip() for names in ignore or () for name in names.split(",")]
    return Wishes(
        target,
        cast(Literal["classification", "regression"] | None, task),
        tuple(dict.fromkeys(name for name in columns if name)),
        group,
        time,
        cast(Preset, preset),
    )


def stem(path: Path) -> str:
    """The name of data without its ending: `wine` of wine.csv.gz and of the folder wine."""
    name = path.absolute().name.removesuffix(".gz")
    return name if path.is_dir() else Path(name).stem


def mapping_for(path: Path, target: str | None) -> "tuple[dict[str, object], Proposal]":
    """The configuration that `fit DATA` trains, and the proposal that it comes from."""
    from nettrain.inspection.proposal.propose import propose_config

    proposal = propose_config(path, wishes(target))
    return {"name": stem(path), **proposal.mapping()}, proposal


def init_command(path: Path, target: str | None) -> str:
    """The command that writes the same configuration."""
    named = "" if target is None else f" --target {shlex.quote(target)}"
    return f"nettrain init {shlex.quote(str(path))}{named}"
