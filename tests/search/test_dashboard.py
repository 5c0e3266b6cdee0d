"""Sweeps that start at once on a new database, as real processes; optuna-dashboard shows their studies (pip install optuna-dashboard)."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("optuna", reason='needs pip install "nettrain[search]"')

SPEC = """
base:
  dataset: {source: {type: xor, rows: 60}, split: {validation: 0.25, test: 0.25}}
  model: {type: mlp, hidden: [4]}
  training: {epochs: 3}
method: random
metric: validation_accuracy
trials: 4
parameters: {optimizer.lr: {min: 0.001, max: 0.1}}
"""
PATIENCE = 240  # seconds for a server to answer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Two sweeps of one name, each into a folder of its own, that begin together."""
    folder = tmp_path_factory.mktemp("studies")
    (folder / "gates.yaml").write_text(SPEC, encoding="utf-8")
    command = [sys.executable, "-c", "from nettrain.cli.main import run; run()", "sweep", "gates.yaml",
               "--executor", "serial", "--run-name", "gates", "--study", "sqlite:///study.db"]  # fmt: skip
    running = [
        subprocess.Popen([*command, "-o", name], cwd=folder, stderr=subprocess.PIPE, text=True)
        for name in ("first", "second")
    ]
    for process in running:
        errors = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 0 and "--study" not in errors, errors
    return folder / "study.db"


def answer(url):
    """The JSON that a server gives, once it is up."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as response:
                return json.load(response)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="module")
def dashboard(database):
    program = shutil.which("optuna-dashboard", path=str(sys.executable).rpartition("/")[0])
    if program is None:
        pytest.skip("needs pip install optuna-dashboard")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, f"sqlite:///{database}", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}/api"
    process.terminate()
    process.wait(timeout=PATIENCE)


def test_the_dashboard_shows_every_trial_of_both_sweeps(dashboard):
    studies = answer(f"{dashboard}/studies")["study_summaries"]
    assert sorted(one["study_name"] for one in studies) == ["gates", "gates-2"]
    for one in studies:
        study = answer(f"{dashboard}/studies/{one['study_id']}")
        assert [trial["state"] for trial in study["trials"]] == ["Complete"] * 4
        assert [len(trial["intermediate_values"]) for trial in study["trials"]] == [3] * 4
        assert {item["name"] for item in study["union_search_space"]} == {"optimizer.lr"}
