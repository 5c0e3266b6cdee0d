"""What a run directory holds, without times and paths: equal runs have equal content, bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.training.artifacts.checkpoint import Checkpoint

UNEQUAL = ("seconds", "run_directory", "notes")  # what a resumed run may say otherwise


def run_content(path: Path) -> dict[str, Any]:
    """Metrics, summary, and the checkpoints to the last bit."""
    found = {
        "metrics": json_lines(path / "metrics.jsonl"),
        "summary": without_seconds(json.loads((path / "summary.json").read_text())),
    }
    for name in ("best", "last"):
        file = path / "checkpoints" / f"{name}.safetensors"
        if name == "best" and not file.exists():
            continue  # no metric chose an epoch
        checkpoint = Checkpoint.read(file)
        content = {
            key: value
            for key, value in checkpoint.content.items()
            if key not in ("config", "metrics")
        }
        found[name] = _bits(checkpoint)
        found[f"{name}.content"] = json.loads(json.dumps(content), object_hook=without_seconds)
    return found


def whole_content(path: Path) -> dict[str, Any]:
    """The same with configuration, splits, diagnostics, snapshots, and the names of all files."""
    found = run_content(path)
    found["config"] = (path / "config.yaml").read_text()
    with np.load(path / "splits.npz") as splits:
        found["splits"] = {name: splits[name].tobytes() for name in splits.files}
    found["snapshots"] = {
        file.name: _bits(Checkpoint.read(file)) for file in sorted(path.glob("snapshots/epoch-*"))
    }
    if (path / "diagnostics.jsonl").exists():
        found["diagnostics"] = json_lines(path / "diagnostics.jsonl")
    found["files"] = sorted(
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file() and "tfevents" not in file.name
    )
    return found


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, without their seconds."""
    return [without_seconds(json.loads(line)) for line in path.read_text().splitlines()]


def without_seconds(value: Any) -> Any:
    """The same without times and paths."""
    if not isinstance(value, dict):
        return value
    return {key: without_seconds(item) for key, item in value.items() if key not in UNEQUAL}


def _bits(checkpoint: Checkpoint) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {
        key: (array.dtype.str, array.shape, array.tobytes())
        for key, array in checkpoint.tensors.items()
    }
