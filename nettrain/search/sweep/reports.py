"""What a trial has reported of its epochs, read again from the directory of its run."""

from pathlib import Path

from nettrain.inspection.file_shapes import EpochRow, fits, json_rows


def reports_of(directory: Path, metric: str) -> dict[int, float]:
    """A metric by epoch, of a run or of the first run in a folder; empty where there is none.

    Only complete lines are read.
    """
    runs = [directory, *sorted(path for path in directory.glob("*") if path.is_dir())]
    file = next((run / "metrics.jsonl" for run in runs if (run / "metrics.jsonl").is_file()), None)
    rows = json_rows(file, EpochRow) if file else []
    return {row["epoch"]: float(row[metric]) for row in rows if fits(row.get(metric), float)}
