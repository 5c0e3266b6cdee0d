"""`kill -9` at random moments of a real process, then resumed, itself killed at times: the undisturbed run to the bit."""

import random
import shutil
import subprocess
import sys
import time

import pytest

from nettrain.training.artifacts.checkpoint import Checkpoint

# What the process runs: a fit of a few seconds, with a checkpoint at every epoch's end and two or so within.
FIT = """
import sys
import nettrain
from nettrain import streams
from nettrain.training.callbacks import checkpoints

checkpoints.BETWEEN_EPOCHS, checkpoints.WITHIN_AN_EPOCH = 0.0, 0.15
x = streams.generator(0, "x").normal(size=(12_000, 20))
data = x, (x[:, 0] * x[:, 1] > 0) * 1 + (x[:, 2] > 1)
config = {
    "name": "fit", "dataset": {"source": "memory", "split": {"validation": 0.1}},
    "model": {"type": "mlp", "hidden": [32, 32]}, "optimizer": {"type": "adam", "lr": 3e-3},
    "schedule": {"type": "cosine", "warmup": 1}, "regularization": {"dropout": 0.1, "l2": 1e-5},
    "training": {"epochs": 8, "batch_size": 4}, "early_stopping": {"patience": 7},
}
what, folder = sys.argv[1:]
if what == "train":
    nettrain.train(config, data, output_directory=folder)
else:
    nettrain.resume(folder + "/fit", data)
print("done")
"""
KILLS = 30


def start(what, folder):
    return subprocess.Popen(
        [sys.executable, "-c", FIT, what, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process, seconds):
    """Whether the process ended by itself before it was killed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert out == "done\n", err
    return True


@pytest.mark.slow
def test_killed_anywhere_and_resumed_every_run_is_the_undisturbed_one(tmp_path, figures, capsys):
    began = time.monotonic()
    assert ended(start("train", tmp_path / "whole"), None)
    length = time.monotonic() - began
    whole = figures(tmp_path / "whole" / "fit")

    chance, kills, within, runs = random.Random(1), 0, 0, 0
    while kills < KILLS:
        folder, what, moment = tmp_path / str(runs), "train", chance.uniform(0.1, 1.0) * length
        runs += 1
        while not ended(start(what, folder), moment):
            kills += 1
            if (folder / "fit" / "config.yaml").exists():
                what = "resume"
                within += batch_of_last(folder / "fit") > 0
            elif folder.exists():  # killed before the directory was whole: there is no run yet
                shutil.rmtree(folder)
            moment = chance.uniform(0.1, 1.0) * length if chance.random() < 0.25 else None
        assert figures(folder / "fit") == whole, f"run {runs}, after {kills} kills"
    with capsys.disabled():
        print(
            f"\n{kills} kills in {runs} runs of {length:.1f} s, {within} with a last checkpoint within an epoch: all equal"
        )


def batch_of_last(run):
    last = run / "checkpoints" / "last.safetensors"
    return Checkpoint.read(last).content["progress"]["batch"] if last.exists() else 0
