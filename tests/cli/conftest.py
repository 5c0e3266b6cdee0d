import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nettrain.cli.main import app

CONFIG = """\
dataset:
  source: {type: csv, path: flowers.csv, target: kind}
  split: {validation: 0.2, test: 0.2, stratify: true}
model: {type: mlp, hidden: [8]}
training: {epochs: 3, batch_size: 8}
"""


def nettrain(*arguments):
    """One command, run in this process; its exit_code, stdout and stderr."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def command():
    return nettrain


def write_flowers(folder):
    chance = random.Random(0)
    kinds = {"red rose": 0.0, "tulip": 3.0}
    rows = [
        f"{chance.gauss(mean, 1):.3f},{chance.gauss(-mean, 1):.3f},{kind}"
        for _ in range(30)
        for kind, mean in kinds.items()
    ]
    (folder / "flowers.csv").write_text("\n".join(["width,height,kind", *rows, ""]))
    (folder / "flowers.yaml").write_text(CONFIG)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: flowers.csv, and flowers.yaml that trains on it."""
    write_flowers(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a finished run, `runs/flowers`; the tests of a module share it and leave it as it is."""
    folder = tmp_path_factory.mktemp("trained")
    write_flowers(folder)
    found = nettrain("fit", folder / "flowers.yaml", "-o", folder / "runs", "--quiet")
    assert found.exit_code == 0, found.output
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def fast_processes(preloaded_processes):
    """Commands and executors start processes that have imported what they need."""
