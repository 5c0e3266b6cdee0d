"""`nettrain predict` beside onnxruntime on the exported model, whole processes, alternating.

    python tests/benchmarks/predict.py [table|images ...] [--rounds 5]
        for each case, the seconds of both (wall and processor, median) and nettrain's time in onnxruntime's

table     1,000,000 rows of 18 numbers and 2 texts, Parquet in and out; three dense layers
images    10,000 images of 28 x 28 in a .npz, classes and probabilities as Parquet; two convolutions

What stands beside it is a short program: polars or NumPy reads the file, onnxruntime runs the exported graph in batches on all cores,
polars writes the answers. Needs polars, the extra onnx, and onnxruntime.
"""

import environment  # noqa: F401, I001

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import nettrain

ROWS, IMAGES = 1_000_000, 10_000
CONVOLUTIONS = [
    {"type": "conv", "filters": 16}, "relu", "max_pool", {"type": "conv", "filters": 32}, "relu", "max_pool", "flatten", "dense",
]  # fmt: skip
PROGRAM = """
import sys
import numpy as np, onnxruntime, polars as pl
model, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
names = [x.name for x in session.get_inputs()]
if source.endswith(".parquet"):
    table = pl.read_parquet(source, columns=names)
    rows = len(table)
    feeds = {name: table[name].to_numpy().reshape(-1, 1) for name in names}
    feeds = {name: x.astype(object) if x.dtype.kind in "OU" else x for name, x in feeds.items()}
else:
    x = np.load(source)["x"]
    rows, feeds = len(x), {names[0]: x}
labels, highest = [], []
for start in range(0, rows, BATCH):
    answer = session.run(["label", "probabilities"], {k: x[start : start + BATCH] for k, x in feeds.items()})
    labels.append(answer[0].ravel())
    highest.append(answer[1].max(1))
pl.DataFrame({"prediction": np.concatenate(labels), "probability": np.concatenate(highest)}).write_parquet(target)
"""


def table(folder: Path, draw: np.random.Generator) -> tuple[Path, dict, Path]:
    """The rows to predict, and the configuration of the model."""

    def frame(rows: int) -> pl.DataFrame:
        x = draw.standard_normal((rows, 18), dtype=np.float32)
        columns = {f"x{i}": x[:, i] for i in range(18)}
        texts = {
            "color": draw.choice(["red", "green", "blue", "black"], rows),
            "size": draw.choice(["S", "M", "L"], rows),
        }
        return pl.DataFrame(columns | texts | {"y": np.where(x[:, 0] > x[:, 1], "yes", "no")})

    frame(4000).write_parquet(folder / "train.parquet")
    frame(ROWS).drop("y").write_parquet(folder / "rows.parquet")
    source = {"type": "parquet", "path": str(folder / "train.parquet"), "target": "y"}
    model = {"type": "mlp", "hidden": [64, 64]}
    return folder / "rows.parquet", {"dataset": {"source": source}, "model": model}


def images(folder: Path, draw: np.random.Generator) -> tuple[Path, dict]:
    """The images to predict, and the configuration of the model."""
    x = draw.integers(0, 256, (IMAGES, 28, 28, 1), dtype=np.uint8)
    np.savez(folder / "train.npz", x=x[:2000], y=draw.integers(0, 10, 2000))
    np.savez(folder / "rows.npz", x=x)
    source = {"type": "npz", "path": str(folder / "train.npz")}
    model = {"type": "sequential", "layers": CONVOLUTIONS}
    return folder / "rows.npz", {"dataset": {"source": source}, "model": model}


CASES = {"table": (table, 20_000), "images": (images, 500)}  # and the batch of onnxruntime


def seconds(command: list[str]) -> tuple[float, float]:
    """Wall and processor time of a process."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


def measure(case: str, rounds: int) -> None:
    """Print one case."""
    make, batch = CASES[case]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, config = make(folder, np.random.Generator(np.random.PCG64(0)))
        config |= {"training": {"epochs": 2}, "baseline": ["constant"]}
        run = nettrain.train(config, output_directory=folder, run_name="run").run_directory
        cli = [str(Path(sys.executable).parent / "nettrain")]
        model, program = folder / "run.onnx", folder / "program.py"
        subprocess.run([*cli, "export", str(run), "--to", "onnx", "-o", str(model)], check=True)
        program.write_text(PROGRAM.replace("BATCH", str(batch)))
        own, other = folder / "own.parquet", folder / "other.parquet"
        commands = [
            [*cli, "predict", str(run), str(source), "-o", str(own), "--overwrite"],
            [sys.executable, str(program), str(model), str(source), str(other)],
        ]
        times = np.array([[seconds(command) for command in commands] for _ in range(rounds + 1)])
        same = (
            pl.read_parquet(own)["prediction"].cast(str)
            == pl.read_parquet(other)["prediction"].cast(str)
        ).mean()
    median = np.median(times[1:], axis=0)
    ratios = times[1:, 0] / times[1:, 1]
    print(f"{case}: equal predictions {same:.5f}")
    for name, (wall, used) in zip(("nettrain", "onnxruntime"), median, strict=True):
        print(f"  {name:12} {wall:7.2f} s, processor {used:7.2f} s")
    wall, used = np.median(ratios, axis=0)
    span = f"{ratios[:, 0].min():.2f} to {ratios[:, 0].max():.2f}"
    print(f"  ratio        {wall:7.2f} ({span}), processor {used:.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for case in given.cases:
        measure(case, given.rounds)
