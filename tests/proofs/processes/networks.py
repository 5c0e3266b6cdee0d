"""Small runs that together use everything that keeps state from one step, epoch or checkpoint to the next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from nettrain import streams

TRAINING: dict[str, Any] = {"epochs": 6, "batch_size": 8, "shards": 3}
TABLE: dict[str, Any] = {"type": "csv", "path": "table.csv", "target": "kind"}
ROWS: dict[str, Any] = {"type": "npz", "path": "rows.npz"}
IMAGES: dict[str, Any] = {"type": "npz", "path": "images.npz"}
PARTS = {"validation": 0.25, "test": 0.2}

RUNS: dict[str, dict[str, Any]] = {
    "mlp": {
        "dataset": {"source": ROWS, "split": PARTS},
        "model": {"type": "mlp", "hidden": [8, 8]},
        "optimizer": {"type": "adam", "lr": 0.01},
        "schedule": {"type": "cosine", "warmup": 1},
        "regularization": {"dropout": 0.2, "l2": 1e-4},
        "training": TRAINING,
        "early_stopping": {"patience": 4},
    },
    "mlp_of_a_large_matrix": {  # completed and updated in bands of rows, on pages of its own
        "dataset": {"source": ROWS, "split": PARTS},
        "model": {"type": "mlp", "hidden": [512, 640]},
        "optimizer": {"type": "adam", "lr": 0.001},
        "training": TRAINING | {"epochs": 4, "ema": 0.8},
    },
    "mlp_with_averages": {
        "dataset": {"source": ROWS, "split": PARTS},
        "model": {"type": "mlp", "hidden": [8], "batch_norm": True, "activation": "tanh"},
        "optimizer": {"type": "momentum", "lr": 0.05},
        "schedule": {"type": "plateau", "patience": 0, "by": 0.5},
        "training": TRAINING
        | {
            "ema": 0.9,
            "accumulate": 2,
            "clip_norm": 1.0,
            "snapshots": 2,
            "loggers": [{"type": "tensorboard", "every_steps": 2}],
        },
        "diagnostics": True,
    },
    "mlp_with_swa": {
        "dataset": {"source": ROWS, "split": PARTS},
        "model": {"type": "mlp", "hidden": [8], "batch_norm": True},
        "optimizer": {"type": "adamw", "lr": 0.02},
        "schedule": "one_cycle",
        "regularization": {"dropout": {"value": 0.3, "schedule": "linear"}},
        "training": TRAINING | {"swa": {"start": 3}, "refine": True, "snapshots": 1},
    },
    "cnn": {
        "dataset": {
            "source": IMAGES,
            "split": PARTS,
            "transforms": [{"type": "scale", "divide_by": 2}],
            "augmentation": [
                "flip",
                {"type": "shift", "pixels": 1},
                {"type": "noise", "deviation": 0.1},
            ],
        },
        "model": {"type": "cnn", "blocks": [{"filters": 4, "batch_norm": True}], "hidden": [6]},
        "optimizer": {"type": "nadam", "lr": 0.01},
        "regularization": {"dropout": 0.2},
        "training": TRAINING | {"epochs": 4, "ema": 0.8, "snapshots": 3},
    },
    "cnn_with_loggers": {
        "dataset": {"source": IMAGES, "split": PARTS, "augmentation": [{"type": "mixup"}]},
        "model": {"type": "cnn", "blocks": [{"filters": 3}, {"filters": 4}], "hidden": []},
        "optimizer": {"type": "rmsprop", "lr": 0.01},
        "schedule": {"type": "plateau", "patience": 1, "monitor": "train_loss"},
        "training": TRAINING | {"epochs": 4, "accumulate": 2, "loggers": ["tensorboard"]},
        "diagnostics": True,
        "early_stopping": {"monitor": "validation_accuracy", "patience": 2},
    },
    "members": {
        "dataset": {"source": TABLE, "split": PARTS},
        "model": {"type": "tabm", "members": 3, "width": 8, "embedding": None},
        "training": TRAINING | {"epochs": 4},
    },
    "table": {
        "dataset": {"source": TABLE | {"target": "amount"}, "split": PARTS},
        "model": {"type": "realmlp", "hidden": [8, 8]},
        "training": TRAINING | {"epochs": 4, "ema": 0.7},
    },
    "closures": {
        "dataset": {"source": ROWS, "split": PARTS},
        "model": {"type": "mlp", "hidden": [6]},
        "optimizer": {"type": "lbfgs"},
        "training": {"epochs": 5, "batch_size": None},
    },
}


def write_data(folder: Path) -> None:
    """The files that the runs learn from, the same each time."""
    x = streams.generator(0, "x").normal(size=(90, 5))
    np.savez(folder / "rows.npz", x=x, y=(x[:, 0] * x[:, 1] > 0) * 1 + (x[:, 2] > 1))
    images = streams.generator(0, "images").normal(size=(60, 8, 8, 1)).astype(np.float32)
    np.savez(folder / "images.npz", x=images, y=(images[:, :, :4].mean((1, 2, 3)) > 0) * 1)
    lines = ["length,width,colour,amount,kind"]
    for one in x:
        colour = ("red", "green", "")[int(one[2] > 0) + int(one[3] > 1)]
        kind = "wide" if one[0] + one[1] > 0 else "narrow"
        lines.append(f"{one[0]:.3f},{one[1]:.3f},{colour},{one[0] * one[1]:.3f},{kind}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


def write_run(folder: Path, name: str, kernels: str) -> Path:
    """The configuration of one of the runs; the path of its file."""
    config: Mapping[str, Any] = RUNS[name]
    path = folder / f"{name}-{kernels}.yaml"
    written = {**config, "training": {**config["training"], "kernels": kernels}}
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return path


def rows_of(name: str) -> str:
    """The file that its predictions are made for."""
    return str(RUNS[name]["dataset"]["source"]["path"])
