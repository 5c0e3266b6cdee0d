"""A sweep whose workers and whose parent are killed at random moments: every trial once, the undisturbed table, no process left."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

WORKER_KILLS = 20
PARENT_KILLS = 10
COMMAND = [sys.executable, "-c", "from nettrain.cli.main import run; run()", "sweep"]
SWEEP = """\
base:
  dataset: {source: digits, split: {validation: 0.2, test: 0.2, stratify: true}}
  model: {type: mlp, hidden: [64, 64]}
  training: {epochs: 25, batch_size: 32}
method: random
metric: validation_accuracy
trials: 30
parameters:
  optimizer.lr: {min: 1e-4, max: 1e-1, distribution: log_uniform}
  regularization.dropout: {min: 0, max: 0.5, step: 0.1}
  model.hidden: {values: [[32, 32], [64, 64]]}
"""


def start(*arguments):
    # A session of its own: whatever is left of it afterwards can be told from everything else.
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--workers", "2", "--quiet"],
        start_new_session=True,
        stderr=subprocess.PIPE,
    )


def finished(process):
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said.decode()


def table(folder):
    """Every trial and the test; each line of the file counted."""
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert sorted(line["index"] for line in lines) == list(range(30))
    for line in lines:
        del line["seconds"]
    return sorted(lines, key=lambda line: line["index"]), json.loads(
        (folder / "summary.json").read_text()
    )["test"]


@pytest.mark.slow
def test_killed_anywhere_every_trial_is_accounted_for_once_and_nothing_is_left(
    tmp_path, children, gone, capsys
):
    (tmp_path / "s.yaml").write_text(SWEEP)
    began = time.monotonic()
    finished(start(tmp_path / "s.yaml", "-o", tmp_path, "--run-name", "whole"))
    length = time.monotonic() - began
    whole = table(tmp_path / "whole")

    chance, ever = random.Random(2), set()
    killed, sweeps = 0, 0
    while killed < WORKER_KILLS:
        folder = tmp_path / f"workers-{sweeps}"
        sweeps += 1
        process = start(tmp_path / "s.yaml", "-o", tmp_path, "--run-name", folder.name)
        while process.poll() is None:
            time.sleep(chance.uniform(0.1, length / 6))
            below = children(process.pid)
            ever |= set(below)
            if killed < WORKER_KILLS and len(below) > 1:
                # The first is the nursery: killed at times, its workers mostly.
                victim = below[0] if chance.random() < 0.15 else chance.choice(below[1:])
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed += 1
        finished(process)
        assert table(folder) == whole, f"sweep {sweeps} after {killed} killed workers"

    parents, runs = 0, 0
    while parents < PARENT_KILLS:
        folder = tmp_path / f"parents-{runs}"
        runs += 1
        arguments = [tmp_path / "s.yaml", "-o", tmp_path, "--run-name", folder.name]
        while True:
            process = start(*arguments)
            time.sleep(chance.uniform(0.2, 0.7) * length)
            below = children(process.pid)
            ever |= set(below)
            if parents < PARENT_KILLS and process.poll() is None:
                process.kill()
                process.communicate()
                parents += 1
                gone(below)
                if (folder / "sweep.yaml").exists():
                    arguments = ["--resume", folder]
                elif (
                    folder.exists()
                ):  # killed between making the folder and what is in it: there is no sweep yet
                    folder.rmdir()
                continue
            finished(process)
            break
        assert table(folder) == whole, f"run {runs} after {parents} killed parents"
    gone(ever)
    with capsys.disabled():
        print(
            f"\n{killed} workers killed in {sweeps} sweeps of {length:.1f} s, {parents} parents in {runs}: all equal, nothing left"
        )
