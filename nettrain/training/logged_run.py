"""What loggers are told of a run and of its sweep: from a run in progress, or from its files."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from nettrain.component import to_mapping
from nettrain.config.logger import LoggedGroup, LoggedLayer, LoggedRun
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import read
from nettrain.errors import ConfigError
from nettrain.files import read_bytes, read_text
from nettrain.nn.bound_layer import BoundLayer
from nettrain.numbers import is_finite
from nettrain.training.artifacts.run_directory import RunDirectory

SWEEP = "sweep.yaml"  # the file that marks the directory of a sweep
DEPTH = 3  # folders from a run up to its sweep: trials/000, trials/000/fold-1
ABSENT = object()


def logged_run(
    directory: RunDirectory,
    config: RunConfig,
    layers: Sequence[BoundLayer],
    input_shape: tuple[int, ...],
    *,
    step: int = 0,
) -> LoggedRun:
    """A run as its loggers see it.

    Args:
        directory: Of the run.
        config: The resolved configuration.
        layers: Of the network.
        input_shape: Of one row.
        step: Steps that it has made.
    """
    path, mapping = directory.path.absolute(), to_mapping(config)
    assert isinstance(mapping, dict)
    group = group_of(path)
    return LoggedRun(
        name=path.name if group is None else path.relative_to(group.directory).as_posix(),
        identity=identity_of(path),
        directory=path,
        config=mapping,
        started=started_at(path),
        step=step,
        layers=tuple(_layer(bound) for bound in layers),
        image_shape=input_shape if len(input_shape) == 3 else None,
        group=group,
        setting={} if group is None else _setting(group, mapping),
    )


def identity_of(path: Path) -> str:
    """The same after a resume and after the directory was moved, and of no other run."""
    try:
        content = read_bytes(path / "environment.json")
    except OSError:
        content = str(path).encode()
    return hashlib.blake2b(content + path.name.encode(), digest_size=16).hexdigest()


def started_at(path: Path) -> float:
    """When a run began, in seconds since 1970, as environment.json says, or the age of the file."""
    file = path / "environment.json"
    try:
        found = json.loads(read_text(file)).get("started")
        if isinstance(found, int | float) and abs(found) < 2**53:  # neither NaN nor infinite
            return float(found)
        return file.stat().st_mtime
    except (OSError, ValueError, AttributeError, RecursionError):
        return time.time()


def group_of(path: Path) -> LoggedGroup | None:
    """The sweep that a run directory is in; None where it is in none."""
    for folder in list(path.parents)[:DEPTH]:
        if (folder / SWEEP).is_file():
            return logged_group(folder)
    return None


def logged_group(directory: Path) -> LoggedGroup | None:
    """A sweep as loggers see it; None where its file is damaged."""
    file = directory / SWEEP
    try:
        spec = read(read_text(file), lambda line: f"{file}:{line}").value
    except (OSError, ValueError, ConfigError):
        return None
    if not _is_sound(spec):
        return None
    path = directory.absolute()
    identity = hashlib.blake2b(str(path.resolve()).encode(), digest_size=16).hexdigest()
    return LoggedGroup(path, identity, spec)


def _is_sound(spec: object) -> TypeGuard[dict[str, Any]]:
    """Whether a sweep has what loggers read: a metric's name, values or bounds of parameters."""
    if not isinstance(spec, dict) or not isinstance(spec.get("parameters"), dict):
        return False
    metric = spec.get("metric", "")
    name = metric.get("name") if isinstance(metric, dict) else metric
    return isinstance(name, str) and all(map(_has_values, spec["parameters"].values()))


def _has_values(parameter: object) -> bool:
    match parameter:
        case {"values": [_, *_]}:
            return True
        case {"values": value} if value is not None:
            return False
        case {"min": low, "max": high} if is_finite(low) and is_finite(high):
            return low <= high
    return False


def _setting(group: LoggedGroup, config: Mapping[str, Any]) -> dict[str, Any]:
    """The values in a configuration of the parameters of a sweep; one that it lacks is left out."""
    found = {
        path: _as_listed(_at(config, path), parameter)
        for path, parameter in group.spec["parameters"].items()
    }
    return {path: value for path, value in found.items() if value is not ABSENT}


def _as_listed(value: Any, parameter: Mapping[str, Any]) -> Any:
    """A component by the bare name that the sweep lists: the configuration has all of its keys."""
    name = value.get("type") if isinstance(value, Mapping) else None
    return name if name is not None and name in (parameter.get("values") or ()) else value


def _at(value: Any, path: str) -> Any:
    for key in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ABSENT
    return value


def _layer(bound: BoundLayer) -> LoggedLayer:
    shapes = {name: tuple(parameter.shape) for name, parameter in bound.parameters.items()}
    return LoggedLayer(bound.name, bound.layer.name(), tuple(bound.output_shape), shapes)
