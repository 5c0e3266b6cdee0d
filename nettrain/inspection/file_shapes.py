"""The shapes of what nettrain writes as JSON into a directory; what has another shape is left out.

Files of a directory may be damaged, edited or made by somebody else. A key of another shape counts
as one that is not there, so that nothing that reads a record has to ask again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from nettrain.files import read_bytes, read_text
from nettrain.numbers import is_finite

_MOST = 2**53  # a larger number of anything is damage
_Int = Annotated[int, Field(strict=True, ge=-_MOST, le=_MOST)]
_Number = Annotated[float, Field(strict=True)] | None  # None: not defined
_Metrics = dict[str, _Number]
_Parts = dict[str, _Metrics]
_Interval = tuple[Annotated[float, Field(strict=True)], Annotated[float, Field(strict=True)]]


@dataclass
class _Fold:
    repeat: _Int
    fold: _Int
    metrics: _Metrics


@dataclass
class _Final:
    metrics: _Parts


@dataclass
class _Best:
    metric: _Number


SUMMARY: dict[str, Any] = {
    "stop_reason": str | None,
    "epochs": _Int,
    "best_epoch": _Int | None,
    "seconds": _Number,
    "metrics": _Parts,
    "baseline": _Parts,
    "linear": _Parts,
    "intervals": dict[str, dict[str, _Interval | None]],
    "folds": list[_Fold],
    "mean": _Metrics,
    "std": _Metrics,
    "interval": dict[str, _Interval | None],
    "final": _Final | None,
    "best": _Best | None,
    "test": _Metrics | None,
    "members": list[dict[str, Any]],
    "notes": list[str],
    "warnings": list[str],
    "message": str,
}
ENVIRONMENT: dict[str, Any] = {
    "data_fingerprint": str,
    "versions": dict[str, str],
    "command": list[str],
    "started": _Number,
}
DIVISION: dict[str, Any] = {"folds": Annotated[int, Field(strict=True, ge=2)], "repeats": _Int}
SWEEP: dict[str, Any] = {"metric": str | dict[str, Any], "parameters": dict[str, Any]}


@dataclass
class EpochRow:
    """A row of metrics.jsonl, which has metrics beside these."""

    epoch: _Int
    step: _Int


@dataclass
class DiagnosticsRow:
    """A row of diagnostics.jsonl: values by layer."""

    epoch: _Int
    layers: dict[str, _Metrics]


@dataclass
class TrialRow:
    """A row of trials.jsonl."""

    index: _Int
    parameters: dict[str, Any]
    metric: _Number
    seconds: _Number
    status: str
    run_directory: str


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def fits(value: object, shape: Any) -> bool:
    """Whether a JSON value has a shape."""
    try:
        _adapter(shape).validate_python(value)
    except ValidationError:
        return False
    return True


def sound(value: object, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a mapping that have their shapes, or of which none is told."""
    if not isinstance(value, Mapping):
        return {}
    return {
        key: item for key, item in value.items() if key not in shapes or fits(item, shapes[key])
    }


def json_object(path: Path, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """What a JSON file holds, as far as it is sound; empty where it cannot be read."""
    try:
        return sound(json.loads(read_text(path)), shapes)
    except (OSError, ValueError, RecursionError):
        return {}


def json_rows(path: Path, shape: Any) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines, up to the first that is not sound: torn by a crash."""
    rows: list[dict[str, Any]] = []
    try:
        lines = read_bytes(path).splitlines()
    except OSError:
        return rows
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not fits(row, shape):
            break
        rows.append(row)
    return rows


def epochs_of(path: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl; of each what is a finite number, or null: not defined."""
    rows = json_rows(path, EpochRow)
    return [
        {key: value for key, value in row.items() if value is None or is_finite(value)}
        for row in rows
    ]
