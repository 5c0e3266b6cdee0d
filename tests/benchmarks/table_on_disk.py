"""Memory and time of training on a table that stays on the disk, beside the same table in memory.

    python tests/benchmarks/table_on_disk.py [--rows 3000000] [--gb 6] [--epochs 3] [--model MODEL] [--folder FOLDER] [--no-memory]
        one JSON line per way to read {"read", "csv_gb", "cells_million", "peak_mb", "seconds", "again_seconds", "epoch_seconds",
        "validation_loss"}

Writes a CSV file of 20 columns that are learned from (14 of numbers with 16 digits, 6 of categories), a class, and an ignored column of
free text that fills it up to --gb, and trains as anybody would: `fit` in a process of its own, whose largest resident set is peak_mb
(those of its children included); twice from the disk, since the second run finds the cache. Epochs are those behind the first.
Needs polars to write the file. The cache is in the same temporary folder.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import environment  # noqa: F401  (before NumPy)
import numpy as np
import polars

NUMBERS, CATEGORIES = 14, 6
PORTION = 50_000
COMMAND = """
import resource, sys
from nettrain.cli.main import run
try:
    run()
finally:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print("peak", peak / 1024, file=sys.stderr)
"""


def write_table(path: Path, rows: int, size: float) -> None:
    """The file, never in memory as a whole."""
    random = np.random.Generator(np.random.Philox(0))
    words = np.array([f"value_{i}" for i in range(200)])
    # A number has 18 characters or so, a category 9, with the commas.
    filler = max(int(size / rows) - NUMBERS * 20 - CATEGORIES * 10 - 10, 1)
    with path.open("wb") as file:
        for start in range(0, rows, PORTION):
            n = min(PORTION, rows - start)
            x = random.normal(size=(NUMBERS, n))
            columns = {f"x{i}": x[i] for i in range(NUMBERS)}
            columns |= {
                f"c{i}": words[random.integers(0, 8 * (i + 1) ** 2 % 200 + 2, n)]
                for i in range(CATEGORIES)
            }
            signal = x[0] + x[1] * x[2] + random.normal(size=n)
            columns["y"] = np.array(["no", "yes"])[(signal > 0).astype(int)]
            columns["note"] = np.array(["x" * filler]).repeat(n)
            polars.DataFrame(columns).write_csv(file, include_header=start == 0)


def fit(folder: Path, read: str, epochs: int, model: str, name: str) -> dict[str, float]:
    """Train once."""
    config = {
        "dataset": {
            "source": {
                "type": "csv",
                "path": "t.csv",
                "target": "y",
                "ignore": ["note"],
                "read": read,
            },
            "split": {"validation": 0.1, "test": 0.1},
            "category_transforms": ["ordinal"],
        },
        "model": json.loads(model),
        "training": {"epochs": epochs, "batch_size": 256},
        "baseline": ["constant"],
    }
    (folder / "run.yaml").write_text(json.dumps(config))
    begin = time.perf_counter()
    words = ["fit", "run.yaml", "-o", ".", "--run-name", name, "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    lines = (folder / name / "metrics.jsonl").read_text().splitlines()
    metrics = [json.loads(line) for line in lines]
    steps = np.diff([row["seconds"] for row in metrics])
    peak = float(done.stderr.splitlines()[-1].removeprefix("peak "))
    return {
        "peak": peak,
        "seconds": seconds,
        "epoch": statistics.median(steps) if len(steps) else metrics[0]["seconds"],
        "loss": metrics[-1]["validation_loss"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--gb", type=float, default=6)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--model", default='{"type": "mlp", "hidden": [64, 64]}')
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--no-memory", action="store_true", help="leave the table in memory out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        write_table(folder / "t.csv", given.rows, given.gb * 1e9)
        for read in ["disk"] if given.no_memory else ["disk", "memory"]:
            first = fit(folder, read, given.epochs, given.model, read)
            again = fit(folder, read, given.epochs, given.model, f"{read}-again")
            line = {
                "read": read,
                "csv_gb": round((folder / "t.csv").stat().st_size / 1e9, 2),
                "cells_million": given.rows * (NUMBERS + CATEGORIES) / 1e6,
                "peak_mb": round(max(first["peak"], again["peak"])),
                "seconds": round(first["seconds"], 1),
                "again_seconds": round(again["seconds"], 1),
                "epoch_seconds": round(min(first["epoch"], again["epoch"]), 2),
                "validation_loss": again["loss"],
            }
            print(json.dumps(line), flush=True)
