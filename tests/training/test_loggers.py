"""Loggers observe: no bit of a training depends on them, and none that fails ends one."""

import json
from pathlib import Path

import numpy as np
import pytest
from processes.run_content import logged_epochs

import nettrain
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks.checkpoints import Checkpoints

CONFIG = {
    "dataset": {"source": "digits", "limit": 200, "split": {"validation": 0.2}},
    "model": {"type": "mlp", "hidden": [8]},
    "training": {"epochs": 3},
}


def config(*loggers, **training):
    return CONFIG | {"training": {"epochs": 3, "loggers": list(loggers), **training}}


def weights(result):
    return Checkpoint.read(Path(result.run_directory) / "checkpoints/last.safetensors").tensors


def read(folder):
    """What TensorBoard's own reader finds."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    sizes = dict.fromkeys(reader.DEFAULT_SIZE_GUIDANCE, 0)  # all points
    return reader.EventAccumulator(str(folder), size_guidance=sizes).Reload()


def points(found, tag):
    return {point.step: point.value for point in found.Scalars(tag)}


BROKEN = """
from dataclasses import dataclass
import nettrain

@dataclass(frozen=True, kw_only=True)
class Broken(nettrain.Logger):
    place: str = "open"

    def open(self, run):
        if self.place == "open":
            raise OSError("the server is away")
        return BrokenLog(self.place)


class BrokenLog(nettrain.RunLog):
    def __init__(self, place):
        self.place = place

    def epoch(self, epoch):
        if self.place == "epoch" and epoch.row["epoch"] == 2:
            raise OSError("the server is away")
        if self.place == "write":
            for array in epoch.weights().values():
                array[...] = 0

    def end(self, end):
        if self.place == "end":
            raise OSError("the server is away")
"""


@pytest.mark.parametrize("place", ["open", "epoch", "end", "write"])
def test_a_logger_that_fails_is_one_warning_and_changes_no_bit(place, tmp_path):
    plain = nettrain.train(config(), output_directory=tmp_path)
    (tmp_path / "broken.py").write_text(BROKEN)
    broken = config({"type": "broken", "place": place}) | {"plugins": [str(tmp_path / "broken.py")]}
    logged = nettrain.train(broken, output_directory=tmp_path, allow_plugins=True)
    log = (tmp_path / "run-2/log.txt").read_text()
    assert log.count("warning: logger broken: ") == 1
    assert ("read-only" if place == "write" else "the server is away") in log
    first, second = weights(plain), weights(logged)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_tensorboard_shows_every_epoch_and_the_training_is_the_same(tmp_path):
    plain = nettrain.train(config(), output_directory=tmp_path)
    logger = {"type": "tensorboard", "every_steps": 2}
    logged = nettrain.train(config(logger), output_directory=tmp_path)
    assert logged.warnings == []
    first, second = weights(plain), weights(logged)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    found = read(logged.run_directory)
    rows = [
        json.loads(line)
        for line in (Path(logged.run_directory) / "metrics.jsonl").read_text().splitlines()
    ]
    for name in ("train_loss", "validation_loss", "validation_accuracy", "lr"):
        shown = points(found, name)
        assert list(shown) == [row["step"] for row in rows]
        assert list(shown.values()) == pytest.approx([row[name] for row in rows])
    steps = points(found, "step/loss")
    assert list(steps) == list(range(2, rows[-1]["step"] + 1, 2))
    assert points(found, "gradient_norm/dense_1").keys() == points(found, "train_loss").keys()
    histogram = found.Histograms("weights/dense_2.w")[-1]
    assert histogram.step == rows[-1]["step"] and sum(histogram.histogram_value.bucket) == 80
    assert {node.name for node in found.Graph().node} >= {"dense_1/dense", "dense_1/w"}


def test_a_resumed_run_has_no_step_twice(tmp_path):
    whole = nettrain.train(config("tensorboard", epochs=4), output_directory=tmp_path, run_name="a")
    part = nettrain.train(config("tensorboard", epochs=2), output_directory=tmp_path, run_name="b")
    path = next((tmp_path / "b").glob("events*"))
    path.write_bytes(path.read_bytes()[:-7])  # torn, as a kill leaves it
    nettrain.resume(part.run_directory, sets=["training.epochs=4"])
    once, resumed = (
        [point.step for point in read(run.run_directory).Scalars("validation_loss")]
        for run in (whole, part)
    )
    assert once == resumed and len(resumed) == 4


def test_an_epoch_that_a_checkpoint_holds_has_been_logged(tmp_path, monkeypatch, every_epoch):
    pytest.importorskip("tensorboard")

    def dies(self, run, real=Checkpoints.write):
        real(self, run)
        if run.progress.epoch == 2:
            raise MemoryError("as a kill right after the checkpoint")

    logged = config("tensorboard")
    nettrain.train(logged, output_directory=tmp_path, run_name="whole")
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(Checkpoints, "write", dies)
        nettrain.train(logged, output_directory=tmp_path, run_name="killed")
    nettrain.resume(tmp_path / "killed")
    assert logged_epochs(tmp_path / "killed") == logged_epochs(tmp_path / "whole")


@pytest.mark.parametrize(
    ("logger", "message"),
    [
        ("tensorbord", "did you mean 'tensorboard'"),
        ({"type": "mlflow", "uri": "runs/mlruns"}, "expected the address of an MLflow server"),
        ({"type": "mlflow", "uri": "http://"}, "expected the address of an MLflow server"),
        ("mlflow", "no address of an MLflow server"),
        ({"type": "tensorboard", "every_steps": 0}, "every_steps"),
    ],
)
def test_a_wrong_logger_is_an_error_before_anything_is_written(
    logger, message, tmp_path, monkeypatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("nettrain.training.loggers.mlflow.find_spec", lambda name: object())
    with pytest.raises(nettrain.ConfigError, match=message):
        nettrain.train(config(logger), output_directory=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_package_is_named_with_its_extra(name, monkeypatch, tmp_path):
    monkeypatch.setattr(f"nettrain.training.loggers.{name}.find_spec", lambda package: None)
    with pytest.raises(nettrain.ConfigError, match=rf"training.loggers\[0\].*nettrain\[{name}\]"):
        nettrain.train(config(name), output_directory=tmp_path)
