"""What a trial has reported of its epochs, read again from the directory of its run."""

import json
from pathlib import Path


def reports_of(directory: Path, metric: str) -> dict[int, float]:
    """A metric by epoch, of a run or of the first run in a folder; empty where there is none.

    Only complete lines are read.
    """
    runs = [directory, *sorted(path for path in directory.glob("*") if path.is_dir())]
    file = next((run / "metrics.jsonl" for run in runs if (run / "metrics.jsonl").is_file()), None)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file else []
    rows = [json.loads(line) for line in lines if line.endswith("\n")]
    return {int(row["epoch"]): float(row[metric]) for row in rows if row.get(metric) is not None}
