"""Real processes of MPI: the bits of one, a job that ends when one of them is killed, resumed by another number of them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from nettrain import streams
from nettrain.training.artifacts.checkpoint import Checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("mpirun") is None or find_spec("mpi4py") is None,
        reason="mpi4py or an MPI library is not installed",
    ),
]
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
CONFIG = """
dataset: {source: {type: npz, path: rows.npz}, split: {validation: 0.2, test: 0.2}}
model: {type: mlp, hidden: [16], batch_norm: true}
regularization: {dropout: 0.2}
training: {epochs: 12, batch_size: 16, shards: 5, kernels: numpy, ema: 0.9}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    x = streams.generator(0, "mpi").normal(size=(200, 5))
    np.savez(tmp_path / "rows.npz", x=x, y=(x[:, 0] > 0) * 1)
    (tmp_path / "run.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nettrain(*words):
    return [sys.executable, "-c", "from nettrain.cli.main import run; run()", *words]


def mpirun(n, *words):
    several = ["--oversubscribe"] if "Open MPI" in version() else []
    command = ["mpirun", "-n", str(n), *several, *nettrain(*words, "--distributed", "mpi")]
    return subprocess.Popen(
        command,
        env=os.environ | AS_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def version():
    return subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout


def fit(name, n=None):
    words = ["fit", "run.yaml", "--run-name", name, "-q"]
    if n is None:
        subprocess.run(nettrain(*words), check=True)
        return
    process = mpirun(n, *words)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed


@pytest.fixture
def results(figures):
    """All that must be equal, without the warning that these steps are too short to be divided."""

    def of(path):
        found = figures(path)
        found["summary"].pop("warnings")
        return found

    return of


def test_any_number_of_processes_gives_the_same_bits(folder, results):
    fit("plain")
    expected = results(folder / "runs" / "plain")
    for n in (1, 2, 3):
        fit(f"of-{n}", n)
        assert results(folder / "runs" / f"of-{n}") == expected


def test_a_process_that_is_killed_ends_the_job_which_another_number_of_them_resumes(
    folder, results
):
    fit("plain")
    process = mpirun(3, "fit", "run.yaml", "--run-name", "killed", "--set", "training.epochs=2000")
    path = folder / "runs" / "killed"
    while not (path / "checkpoints" / "last.safetensors").exists():
        time.sleep(0.05)
        assert process.poll() is None
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
    os.kill(int(children.stdout.split()[-1]), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0
    epoch = Checkpoint.read(path / "checkpoints" / "last.safetensors").content["progress"]["epoch"]
    total = f"training.epochs={epoch + 3}"
    resumed = mpirun(2, "fit", "--resume", str(path), "--set", total, "-q")
    printed, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, printed
    subprocess.run(
        nettrain("fit", "run.yaml", "--run-name", "whole", "-q", "--set", total), check=True
    )
    assert results(path) == results(folder / "runs" / "whole")


def test_an_error_in_one_process_ends_all_with_its_message(folder):
    broken = (
        "import os, sys; from nettrain.cli.main import run; "
        "rank = int(os.environ.get('OMPI_COMM_WORLD_RANK') or os.environ.get('PMI_RANK')); "
        "sys.argv[2] = 'none.yaml' if rank == 1 else sys.argv[2]; run()"
    )
    words = [sys.executable, "-c", broken, "fit", "run.yaml", "--distributed", "mpi", "-q"]
    several = ["--oversubscribe"] if "Open MPI" in version() else []
    done = subprocess.run(
        ["mpirun", "-n", "2", *several, *words],
        env=os.environ | AS_ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert re.search(r"process 1 on .*\n.*none.yaml", done.stderr)
