"""What a run directory holds, without times and paths: equal runs have equal content, bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.training.artifacts.checkpoint import Checkpoint

EVENTS = "events.out.tfevents.*"
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
    if any(path.glob(EVENTS)):
        found["logged"] = logged_epochs(path)
    found["files"] = sorted(
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file() and "tfevents" not in file.name
    )
    return found


def logged_epochs(path: Path) -> list[tuple[int, str, bytes]]:
    """What TensorBoard shows per epoch: neither steps, whose means begin anew on a resume, nor the end.

    An epoch may be there twice, with the same values: a checkpoint after its last batch knows
    nothing of its end.
    """
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    records = [
        record for file in path.glob(EVENTS) for record in RawEventFileLoader(str(file)).Load()
    ]
    events = map(Event.FromString, records)
    found = {
        (event.step, value.tag, value.SerializeToString())
        for event in events
        for value in event.summary.value
        if not value.tag.startswith(("step/", "final/"))
        and value.tag not in UNEQUAL
        and not value.HasField("image")
    }
    return sorted(found)


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
