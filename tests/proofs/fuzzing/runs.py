"""The sound directories that are damaged: runs of several kinds, and an ensemble, a cross-validation, a sweep."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing.case import PREPARED

CSV = "a,b,c,y\n" + "".join(
    f"{a:.3f},{b:.3f},{'pqr'[i % 3]},{'yes' if a > 0 else 'no'}\n"
    for i, (a, b) in enumerate(np.random.Generator(np.random.PCG64(0)).normal(size=(30, 2)))
)
TRAINING = {"epochs": 2, "kernels": "numpy"}
TABLE = {
    "dataset": {"source": {"type": "csv", "path": "t.csv", "target": "y"}},
    "model": {"type": "mlp", "hidden": [3]},
    "training": TRAINING,
}
IMAGES = {
    "dataset": {
        "source": {"type": "npz", "path": "x.npz"},
        "split": {"validation": 0.25, "test": 0.25},
    },
    "model": {"type": "cnn", "blocks": [{"filters": 2, "batch_norm": True}], "hidden": [3]},
    "schedule": "plateau",
    "early_stopping": {"patience": 3},
    "diagnostics": True,
    "training": TRAINING | {"ema": 0.9, "snapshots": 1},
}
VALUES = {
    "dataset": {"source": "sine", "limit": 30},
    "model": "mlp",
    "optimizer": {"type": "lbfgs"},
    "training": TRAINING | {"batch_size": None},
}


def made(folder: Path) -> Path:
    """Train one of each kind into FOLDER/runs; their data lies in FOLDER."""
    import nettrain

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.csv").write_text(CSV)
    x = np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8)
    np.savez(folder / "x.npz", x=x, y=np.arange(20) % 2)
    runs = folder / "runs"
    before = os.getcwd()
    os.chdir(folder)
    try:
        for name, config in (("table", TABLE), ("images", IMAGES), ("values", VALUES)):
            nettrain.train(config, output_directory=runs, run_name=name)
        serial = {"output_directory": runs, "executor": "serial"}
        nettrain.ensemble(
            TABLE, sets=["ensemble={method: seeds, members: 2}"], run_name="ensemble", **serial
        )
        nettrain.cross_validate(TABLE, folds=2, run_name="cv", **serial)
        sweep = {
            "base": TABLE,
            "trials": 2,
            "parameters": {"optimizer.lr": {"min": 0.001, "max": 0.1}},
        }
        nettrain.sweep(sweep, run_name="sweep", **serial)
    finally:
        os.chdir(before)
    return runs


@cache
def files_of(directory: Path) -> dict[str, bytes]:
    """Every file of a directory by its relative path; the folder that it is in by its mark."""
    place = str(directory.parents[1]).encode()
    assert len(place) == len(PREPARED)
    return {
        str(path.relative_to(directory)): path.read_bytes().replace(place, PREPARED.encode())
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def rows_of(name: str) -> Any:
    """Rows that a run of this name can predict."""
    import pandas

    match name:
        case "images":
            return np.zeros((3, 8, 8), np.uint8)
        case "values":
            return np.zeros((3, 1))
        case _:
            return pandas.DataFrame({"a": [0.1, 2.0], "b": [1.0, -1.0], "c": ["p", "new"]})
