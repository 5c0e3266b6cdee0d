"""Time and memory of reading a table: nettrain with blocks that polars converts, nettrain without, and polars alone.

    python tests/benchmarks/data_reading.py [--rows 1000000] [--rounds 5] [--folder FOLDER] [--kind csv|jsonl]
        one JSON line per reader {"reader", "rows", "mb", "seconds", "ratio", "peak_mb"}; ratio: the median over rounds of its time over
        that of nettrain with blocks

Writes a file of 20 columns (10 of decimals, 4 of integers, 5 of texts, a class of two). Every reading is a process of its own, imports of
polars included; readers alternate in each round. Needs polars.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import environment  # noqa: F401  (before NumPy)
import numpy as np
import polars

READ = """
import json, resource, sys, time
from nettrain.data.readers import text_table
from nettrain.data.source import Source
reader, path, kind = sys.argv[1:]
begin = time.perf_counter()
if reader == "polars":
    import polars
    polars.read_csv(path) if kind == "csv" else polars.read_ndjson(path)
else:
    if reader == "nettrain, strictly":
        text_table.blocks_are_read = lambda: False
    Source.parse({"type": kind, "path": path, "target": "y", "read": "memory"}).load(0)
seconds = time.perf_counter() - begin
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def write_table(path: Path, rows: int) -> None:
    """The file."""
    random = np.random.Generator(np.random.Philox(0))
    columns: dict[str, np.ndarray] = {f"x{i}": random.normal(size=rows).round(6) for i in range(10)}
    columns |= {f"i{i}": random.integers(0, 100_000, rows) for i in range(4)}
    for i in range(5):
        texts = np.array([f"value_{j}" for j in range(20 * (i + 1))])
        columns[f"c{i}"] = texts[random.integers(0, len(texts), rows)]
    columns["y"] = np.array(["no", "yes"])[(columns["x0"] + columns["x1"] > 0).astype(int)]
    frame = polars.DataFrame(columns)
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_ndjson(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=["csv", "jsonl"], default="csv")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    given = parser.parse_args()
    readers = ["nettrain", *(["nettrain, strictly"] if given.kind == "csv" else []), "polars"]
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        path = Path(name) / f"t.{given.kind}"
        write_table(path, given.rows)
        found: dict[str, list[tuple[float, float]]] = {reader: [] for reader in readers}
        for _ in range(given.rounds):
            for reader in readers:
                words = [sys.executable, "-c", READ, reader, str(path), given.kind]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                found[reader].append(tuple(json.loads(done.stdout)))
        for reader, rounds in found.items():
            ratios = [
                one[0] / first[0] for one, first in zip(rounds, found["nettrain"], strict=True)
            ]
            line = {
                "reader": reader,
                "rows": given.rows,
                "mb": round(path.stat().st_size / 1e6),
                "seconds": round(statistics.median(one[0] for one in rounds), 2),
                "ratio": round(statistics.median(ratios), 2),
                "peak_mb": round(max(one[1] for one in rounds)),
            }
            print(json.dumps(line), flush=True)
