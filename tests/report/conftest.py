"""Small runs of every task, trained once and drawn by the tests of this folder."""

import numpy as np
import pytest

import nettrain
from nettrain.report.run_view import open_view

TABLE = {
    "dataset": {"split": {"validation": 0.2, "test": 0.3}},
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 3, "batch_size": 8},
}
CNN = {
    "model": {"type": "cnn", "blocks": [{"filters": 4, "pool": 2}], "hidden": [8]},
    "diagnostics": True,
}


def chance():
    return np.random.Generator(np.random.PCG64(0))


def write_table(folder):
    """Two numbers, one category, two classes with hostile names, and a number to predict."""
    random = chance()
    rows = []
    for i in range(80):
        kind = ("<script>alert(1)</script>", "a $ b $ c")[i % 2]
        width, height = random.normal(i % 2, 1, 2)
        colour = ("red", "green", "blue")[int(random.integers(3))]
        rows.append(f"{width:.3f},{height:.3f},{colour},{kind},{width + 2 * height:.3f}")
    text = "\n".join(["width,height,colour,kind,weight", *rows, ""])
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return str(folder / "table.csv")


def configs(folder):
    """The configuration of each run by name."""
    path = write_table(folder)
    random = chance()
    x = random.normal(0, 1, (60, 3))
    images, digits = random.random((60, 8, 8, 1)), random.integers(0, 3, 60)
    np.savez(folder / "labels.npz", x=x, y=(x[:, :2] > 0).astype(int))
    np.savez(folder / "images.npz", x=images, y=digits)
    classes = {"type": "csv", "path": path, "target": "kind", "ignore": ["weight"]}
    values = {"type": "csv", "path": path, "target": "weight", "ignore": ["kind"]}
    line = values | {"ignore": ["kind", "colour", "height"]}
    found = {
        "classes": classes,
        "values": values,
        "line": line,
        "plane": classes | {"ignore": ["weight", "colour"]},
        "labels": {"type": "npz", "path": str(folder / "labels.npz")},
        "images": {"type": "npz", "path": str(folder / "images.npz")},
    }
    for name, source in found.items():
        config = TABLE | (CNN if name == "images" else {})
        yield name, config | {"dataset": TABLE["dataset"] | {"source": source}}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of the runs; tests leave them as they are."""
    folder = tmp_path_factory.mktemp("report")
    for name, config in configs(folder):
        nettrain.train(config, output_directory=folder, run_name=name)
    return folder


@pytest.fixture(scope="session")
def views(trained):
    """A view of each run by name; what one test has computed another need not."""
    return {name: open_view(trained / name) for name, _ in configs(trained)}


@pytest.fixture
def without_data(tmp_path):
    """A run whose rows cannot be read again."""
    x = chance().normal(0, 1, (40, 2))
    config = TABLE | {"training": {"epochs": 2}}
    y = (x[:, 0] > 0).astype(int)
    nettrain.train(
        config,
        data=(x, y),
        output_directory=tmp_path,
        run_name="gone",
        callbacks=[nettrain.Assessment()],
    )
    return tmp_path / "gone"
