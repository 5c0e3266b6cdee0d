"""Metadata of checkpoints, damaged in every way: a CheckpointError that names the file, or a model."""

import json
import shutil

import numpy as np
import pytest
from fuzzing.json_values import VALUES, changed, paths
from hypothesis import given, settings
from hypothesis import strategies as st

import nettrain
from nettrain.errors import CheckpointError, NettrainError, RunError
from nettrain.training.artifacts.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An interrupted run with every kind of state, its data, and a place for damaged copies."""
    folder = tmp_path_factory.mktemp("run")
    x = nettrain.generator(0, "x").normal(size=(24, 3))
    data = x, np.where(x[:, 0] > 0, "yes", "no")
    config = {
        "name": "toy", "dataset": {"source": "memory", "split": {"validation": 0.25}},
        "model": {"type": "sequential", "layers": [{"type": "dense", "units": 3}, {"type": "batch_norm"}, "relu", {"type": "dense"}]},
        "schedule": {"type": "plateau"}, "early_stopping": {"patience": 3}, "diagnostics": True,
        "training": {"epochs": 2, "ema": 0.9, "kernels": "numpy"},
    }  # fmt: skip
    nettrain.train(config, data, output_directory=folder)
    return folder / "toy", data


@pytest.fixture(scope="module")
def damaged(run, tmp_path_factory):
    """Writes a copy of the run whose last checkpoint has another content."""
    folder = tmp_path_factory.mktemp("damaged") / "toy"
    checkpoint = Checkpoint.read(run[0] / "checkpoints" / "last.safetensors")

    def write(content):
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(run[0], folder)
        last = folder / "checkpoints" / "last.safetensors"
        Checkpoint(checkpoint.tensors, content).write(last)
        return folder

    return write, json.loads(json.dumps(checkpoint.content))


MUTATION = st.tuples(st.integers(0, 10**6), st.sampled_from(VALUES), st.booleans())


@settings(max_examples=120, deadline=None, derandomize=True)
@given(MUTATION)
def test_a_damaged_checkpoint_loads_or_is_refused_by_name(damaged, mutation):
    write, content = damaged
    choices = [path for path in paths(content) if path]
    number, value, delete = mutation
    path = choices[number % len(choices)]
    last = write(changed(content, path, value, delete=delete)) / "checkpoints" / "last.safetensors"
    try:
        nettrain.load(last)
    except CheckpointError as error:
        assert str(error).startswith(str(last)) and len(str(error)) < 2000, path


@settings(max_examples=60, deadline=None, derandomize=True)
@given(MUTATION)
def test_a_damaged_checkpoint_resumes_or_is_refused_by_name(run, damaged, mutation):
    write, content = damaged
    keys = (
        "progress",
        "steps",
        "callbacks",
        "user_callbacks",
        "notes",
        "epoch",
        "data_fingerprint",
    )
    choices = [path for path in paths(content) if path and path[0] in keys]
    number, value, delete = mutation
    path = choices[number % len(choices)]
    folder = write(changed(content, path, value, delete=delete))
    try:
        nettrain.resume(folder, run[1])
    except (CheckpointError, RunError) as error:
        assert str(folder) in str(error), path


NAMED = {
    "plugins are text": (("config", "plugins"), "x", "plugins"),
    "plugins without a path": (("config", "plugins"), [{"fingerprint": "x"}], "plugins"),
    "an epoch of text": (("progress", "epoch"), "x", "progress.epoch"),
    "an epoch below 0": (("progress", "epoch"), -1, "progress.epoch"),
    "a batch beyond the epoch": (("progress", "batch"), 10**9, "progress.batch"),
    "a batch that is a float": (("progress", "batch"), 1e9, "progress.batch"),
    "infinite steps": (("steps",), float("inf"), "steps"),
    "steps near 2**63": (("steps",), 2**63 - 1, "steps"),
    "a loss that is not finite": (("progress", "loss_sum"), float("nan"), "progress.loss_sum"),
    "a patience of text": (("callbacks", "EarlyStopping", "waited"), "x", "callbacks.EarlyStopping.waited"),
    "rows of text": (("callbacks", "MetricsLog", "rows"), "2", "callbacks.MetricsLog"),
    "a best epoch of text": (("callbacks", "BestWeights", "epoch"), "x", "callbacks.BestWeights.epoch"),
    "a memory of text": (("callbacks", "ScheduleByMetric", "waited"), "x", "callbacks.ScheduleByMetric"),
    "a symptom unknown": (("callbacks", "Warnings", "memory"), {"Doom": {}}, "callbacks.Warnings"),
    "callbacks in a list": (("callbacks",), [], "callbacks"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_the_key_that_is_damaged_is_named(run, damaged, case):
    write, content = damaged
    path, value, key = NAMED[case]
    folder = write(changed(content, path, value, delete=False))
    with pytest.raises(CheckpointError) as error:
        nettrain.resume(folder, run[1])
    assert str(error.value).startswith(f"{folder / 'checkpoints' / 'last.safetensors'}: its ")
    assert key in str(error.value)


def test_tensors_of_too_many_axes_are_refused(run, tmp_path):
    text = json.dumps({"format": 1, "config": {}})
    header = json.dumps({
        "__metadata__": {"nettrain": text},
        "a": {"dtype": "F32", "shape": [1] * 101, "data_offsets": [0, 4]},
    }).encode()  # fmt: skip
    file = tmp_path / "axes.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match=r"axes\.safetensors: is damaged"):
        nettrain.load(file)


def test_metadata_that_are_nested_too_deeply_are_refused(run, damaged):
    write, content = damaged
    deep = "x"
    for _ in range(400):
        deep = [deep]
    folder = write(changed(content, ("config", "model"), deep, delete=False))
    with pytest.raises(NettrainError):
        nettrain.load(folder / "checkpoints" / "last.safetensors")


@pytest.mark.parametrize(
    "path", [("config", "x" * 70_000), ("epoch",), ("config", "model", "type")]
)
def test_a_message_is_short_whatever_is_damaged(damaged, path):
    write, content = damaged
    folder = write(changed(content, path, "y" * 70_000, delete=False))
    with pytest.raises(CheckpointError) as error:
        nettrain.load(folder / "checkpoints" / "last.safetensors")
    assert len(str(error.value)) < 2000
