"""Kills of real processes: what they leave resumes as the undisturbed run; what differs in a bit is seen to differ."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes.run_content import whole_content

import nettrain
from nettrain.training.artifacts.checkpoint import Checkpoint

FOLDER_OF_CAMPAIGNS = Path(__file__).parent
CONFIG = {
    "model": {"type": "mlp", "hidden": [3]},
    "training": {"epochs": 2, "snapshots": 1},
}
LAST = "checkpoints/last.safetensors"


def flipped(run):
    found = Checkpoint.read(run / LAST)
    tensors = {name: np.copy(array) for name, array in found.tensors.items()}
    tensors["optimizer.m"].view(np.uint8)[0] ^= 1
    Checkpoint(tensors, found.content).write(run / LAST)


def doubled(run):
    row = (run / "metrics.jsonl").read_text().splitlines(keepends=True)[-1]
    with (run / "metrics.jsonl").open("a") as file:
        file.write(row)


CHANGES = {
    "a bit of the optimizer's state": (flipped, "last"),
    "an epoch that is there twice": (doubled, "metrics"),
    "a snapshot": (lambda run: (run / "snapshots/epoch-000001.safetensors").unlink(), "snapshots"),
    "a temporary file": (lambda run: (run / ".summary.json.7.tmp").write_text(""), "files"),
    "a setting": (lambda run: (run / "config.yaml").write_text("seed: 1"), "config"),
}


def result_of(program: str, *arguments: object) -> dict:
    command = [sys.executable, FOLDER_OF_CAMPAIGNS / program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_whatever_differs_in_a_run_directory_is_seen(tmp_path):
    x = np.linspace(-1, 1, 40).reshape(20, 2)
    nettrain.train(CONFIG, (x, (x[:, 0] > 0) * 1), output_directory=tmp_path, run_name="run")
    whole = whole_content(tmp_path / "run")
    for what, (change, part) in CHANGES.items():
        shutil.copytree(tmp_path / "run", tmp_path / what)
        change(tmp_path / what)
        found = whole_content(tmp_path / what)
        assert part in {key for key in whole if found.get(key) != whole[key]}, what


@pytest.mark.slow
def test_killed_anywhere_and_resumed_every_run_is_the_undisturbed_one():
    found = result_of("crash.py", "--count", 30, "--programs", 4, "--mpi", 0)
    assert found["kills"] == 30 and found["faults"] == []


@pytest.mark.slow
def test_searches_whose_processes_are_killed_have_every_run_once_and_leave_no_process():
    found = result_of("crash_searches.py", "--count", 20)
    assert found["kills"] == 20 and found["faults"] == []
