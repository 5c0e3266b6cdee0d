"""Memory of training on images that stay in their file.

    python tests/benchmarks/stored_rows.py [--gb 2.2] [--layer dense|conv] [--epochs 1] [--folder FOLDER]
        one JSON line {"file_gb", "images", "peak_mb", "seconds", "training_seconds", "test_accuracy"}

Writes an uncompressed npy file of that size (random images 64 x 64 x 3, uint8, two classes of different brightness) into a temporary
folder, and trains on it as anybody would: `fit` in a process of its own, whose largest resident set is peak_mb.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROW = (64, 64, 3)
PORTION = 1000

CONFIGURATION = """
dataset:
  source: {{type: npy, path: x.npy, target: y.npy}}
  split: {{validation: 0.02, test: 0.02}}
model: {{type: sequential, layers: [{layers}]}}
loss: cross_entropy
training: {{epochs: {epochs}, batch_size: 64}}
"""
LAYERS = {
    "dense": "flatten, dense",
    "conv": "{type: conv, filters: 4, kernel: 3, stride: 4}, relu, flatten, dense",
}


def write_images(folder: Path, size: float) -> int:
    """x.npy and y.npy, never in memory as a whole; gives the number of images."""
    random = np.random.Generator(np.random.Philox(0))
    count = int(size // np.prod(ROW)) // PORTION * PORTION
    y = random.integers(0, 2, count)
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *ROW)}
    with (folder / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, PORTION):
            dark = random.integers(0, 200, (PORTION, *ROW), dtype=np.uint8)
            file.write(
                (dark + 50 * y[start : start + PORTION, None, None, None].astype(np.uint8)).data
            )
    np.save(folder / "y.npy", y)
    return count


def measure(gigabytes: float, layer: str, epochs: int, folder: Path) -> dict[str, object]:
    """The line that is printed."""
    count = write_images(folder, gigabytes * 1e9)
    (folder / "run.yaml").write_text(CONFIGURATION.format(layers=LAYERS[layer], epochs=epochs))
    code = "import sys; from nettrain.cli.main import run; run()"
    begin = time.perf_counter()
    command = [
        sys.executable,
        "-c",
        code,
        "fit",
        "run.yaml",
        "-o",
        ".",
        "--run-name",
        "run",
        "--json",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    summary = json.loads((folder / "run" / "summary.json").read_text())
    return {
        "file_gb": round((folder / "x.npy").stat().st_size / 1e9, 3),
        "images": count,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        "seconds": round(seconds, 1),
        "training_seconds": round(summary["seconds"], 1),
        "test_accuracy": summary["metrics"]["test"]["accuracy"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gb", type=float, default=2.2)
    parser.add_argument("--layer", choices=LAYERS, default="dense")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        print(json.dumps(measure(given.gb, given.layer, given.epochs, Path(folder))), flush=True)
