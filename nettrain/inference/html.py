"""A trained model as a fragment of HTML, for notebooks."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nettrain.files import read_text
from nettrain.numbers import is_finite
from nettrain.training.html import curves, metrics_table, paragraph
from nettrain.training.result import epoch_rows


def model_html(kind: str, path: Path, about: str) -> str:
    """What the model is, and the metrics and curves of its run where its directory is there.

    Args:
        kind: Of the model: `Model`.
        path: Of its checkpoint.
        about: A sentence on it.
    """
    directory = path.parent.parent
    head = paragraph(f"{kind} {path}: {about}")
    summary = _summary(directory)
    metrics = {part: _numbers(own) for part, own in _mapping(summary.get("metrics")).items()}
    baseline = {part: _numbers(own) for part, own in _mapping(summary.get("baseline")).items()}
    table = metrics_table(metrics, baseline) if metrics else ""
    return head + table + curves(epoch_rows(directory))


def _summary(directory: Path) -> Mapping[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        return _mapping(json.loads(read_text(directory / "summary.json")))
    return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: object) -> dict[str, float]:
    return {name: float(one) for name, one in _mapping(value).items() if is_finite(one)}
