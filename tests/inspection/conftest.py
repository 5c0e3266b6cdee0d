"""Small runs, trained once and read by the tests of this folder."""

import shutil

import numpy as np
import pytest

import nettrain

CONFIG = {
    "dataset": {
        "source": {"type": "csv", "path": "flowers.csv", "target": "kind"},
        "split": {"validation": 0.2, "test": 0.3, "stratify": True},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 3, "batch_size": 8},
}


def write_flowers(folder):
    chance = np.random.Generator(np.random.PCG64(0))
    rows = ["width,height,kind"]
    for kind, mean in (("rose", 0), ("tulip", 1)):
        rows += [f"{a:.3f},{b:.3f},{kind}" for a, b in chance.normal(mean, 1, (40, 2))]
    (folder / "flowers.csv").write_text("\n".join([*rows, ""]))


def train_runs(folder):
    """Train a, b (more epochs) and c (another seed, so other test rows) into `runs`."""
    write_flowers(folder)
    dataset = CONFIG["dataset"]
    source = dataset["source"] | {"path": str(folder / "flowers.csv")}
    config = CONFIG | {"dataset": dataset | {"source": source}}
    for name, sets in {"a": [], "b": ["training.epochs=5"], "c": ["seed=1"]}.items():
        nettrain.train(config, sets=sets, output_directory=folder / "runs", run_name=name)
    return folder / "runs"


@pytest.fixture(scope="session")
def trained_runs(tmp_path_factory):
    """A folder with the runs; tests leave it as it is."""
    return train_runs(tmp_path_factory.mktemp("inspection")).parent


@pytest.fixture
def own_data(tmp_path):
    """Runs whose data file a test may change."""
    return train_runs(tmp_path)


@pytest.fixture
def runs(trained_runs, tmp_path):
    """A copy of the runs that a test may change; they read the data file of the original."""
    shutil.copytree(trained_runs, tmp_path / "copy")
    return tmp_path / "copy" / "runs"
