"""What a file from anywhere can never bring about; README.md of this folder says where each promise is proven."""

import io
import os
import pickle
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.errors import CheckpointError, ConfigError, NettrainError
from nettrain.training.artifacts.checkpoint import Checkpoint

CONFIG = {
    "name": "toy",
    "dataset": {"source": "moons", "limit": 30},
    "model": {"type": "mlp", "hidden": [3]},
    "training": {"epochs": 1, "kernels": "numpy"},
    "baseline": ["constant"],
}


class Payload:
    """What runs where a pickle of it is loaded."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return nettrain.train(CONFIG, output_directory=folder).run_directory


@pytest.fixture
def run(sound, tmp_path, monkeypatch):
    """A copy of the run in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(sound, "runs/toy"))


NAMES = [
    "os",
    "posix.mkdir",
    "../../evil",
    "evil",
    "nettrain.cli.main",
    "__init__",
    "_blocks",
    "builtins.eval",
    "Mlp",
    "",
]
PLACES = [("model", "type"), ("loss", "type"), ("optimizer", "type"), ("dataset", "source", "type")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_name_in_a_model_file_is_one_of_the_catalogue_or_nothing(run, name, place):
    Path("evil.py").write_text("import os\nos.mkdir('ran')\n")
    path = run / "checkpoints/best.safetensors"
    checkpoint = Checkpoint.read(path)
    content = {key: value for key, value in checkpoint.content.items() if key != "format"}
    holder = content["config"]
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = name
    Checkpoint(checkpoint.tensors, content).write(path)
    before = set(sys.modules)
    with pytest.raises(CheckpointError, match="its configuration cannot be used"):
        nettrain.load(path)
    assert not Path("ran").exists()
    assert {one for one in set(sys.modules) - before if not one.startswith("nettrain.")} == set()


def in_zip(name: str, content: bytes) -> bytes:
    """A zip file with one member, as torch.save and numpy.savez write them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def npy_of_objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Payload()], dtype=object), allow_pickle=True)
    return file.getvalue()


PICKLES = {
    "pickle": lambda: pickle.dumps(Payload()),
    "torch": lambda: in_zip("archive/data.pkl", pickle.dumps(Payload())),
    "npy": npy_of_objects,
    "npz": lambda: in_zip("x.npy", npy_of_objects()),
}


@pytest.mark.parametrize("kind", PICKLES)
def test_nothing_is_unpickled_whatever_a_file_is_called(run, kind):
    content = PICKLES[kind]()
    for path in (run / "checkpoints/best.safetensors", run / "splits.npz"):
        path.write_bytes(content)
    for name in ("x.npy", "x.npz", "x.csv", "x.parquet", "x.pt", "x.pkl"):
        Path(name).write_bytes(content)
        for words in (["init", name, "-o", "a.yaml", "--overwrite"], ["predict", "runs/toy", name]):
            assert CliRunner().invoke(app, words).exit_code == 2, words
    for words in (["eval", "runs/toy"], ["report", "runs/toy", "-o", "r.html"], ["runs"]):
        CliRunner().invoke(app, words)
    with pytest.raises(CheckpointError):
        nettrain.load(run)
    with pytest.raises(NettrainError):
        nettrain.train(
            CONFIG | {"dataset": {"source": "moons", "split": {"file": "runs/toy/splits.npz"}}}
        )
    assert not Path("ran").exists()
    pickle.loads(pickle.dumps(Payload()))  # noqa: S301, so the mark is one
    assert Path("ran").exists()


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", "..", "a/b", "a\\b", "\0", "."])
def test_the_name_of_a_run_is_no_path(name, tmp_path):
    with pytest.raises(ConfigError, match="expected a name for a folder"):
        nettrain.train(CONFIG | {"name": name}, output_directory=tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [
    ["fit", "--resume", "runs/toy", "--set", "training.epochs=2", "--quiet"], ["eval", "runs/toy"], ["calibrate", "runs/toy"],
    ["fit", "runs/toy/config.yaml", "--run-name", "toy", "--overwrite", "--quiet"], ["runs", "--delete", "toy"],
])  # fmt: skip
def test_paths_in_a_run_directory_are_never_written_to(run, words):
    """Its files name another directory, and links in it lead there: that one stays as it is."""
    mine = Path("mine")
    mine.mkdir()
    (mine / "thesis.txt").write_text("precious")
    text = (run / "summary.json").read_text().replace(str(run), str(mine.absolute()))
    (run / "summary.json").write_text(
        text.replace('"run_directory": "', f'"run_directory": "{mine.absolute()}')
    )
    for name in ("log.txt", f".config.yaml.{os.getpid()}.tmp", "events.out.tfevents.0000"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to((mine / "thesis.txt").absolute())
    (run / "snapshots").symlink_to(mine.absolute())
    CliRunner().invoke(app, words)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    assert (mine / "thesis.txt").read_text() == "precious"
