"""What a directory of nettrain is. Shell completion asks at every key: it imports nothing heavy."""

from pathlib import Path
from typing import Literal

Kind = Literal["run", "sweep", "cv", "ensemble"]

CALLED = {
    "run": "a run",
    "sweep": "a sweep",
    "cv": "a cross-validation",
    "ensemble": "an ensemble",
}


def kind_of(path: Path) -> Kind | None:
    """Returns what a directory is, by the files that only that kind has; None: none of them."""
    if (path / "sweep.yaml").is_file():
        return "sweep"
    if (path / "cv.json").is_file():
        return "cv"
    if (path / "ensemble.json").is_file():
        return "ensemble"
    marks = ("environment.json", "metrics.jsonl", "checkpoints")
    is_run = (path / "config.yaml").is_file() and any((path / mark).exists() for mark in marks)
    return "run" if is_run else None
