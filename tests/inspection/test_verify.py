"""Training again: what reproduces, and the first difference where something does not."""

import json
import shutil
import signal

import numpy as np
import pytest

import nettrain
from nettrain.errors import DataError, NettrainError, RunError
from nettrain.inspection.verify import verify
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.directory import locked
from nettrain.training.callbacks import Callback
from nettrain.training.loop import Interrupted


class Interrupt(Callback):
    """Sends this process SIGTERM in an epoch, after a batch."""

    def __init__(self, epoch, batch):
        self.place = (epoch, batch)

    def batch_end(self, run):
        if (run.progress.epoch, run.progress.batch) == self.place:
            signal.raise_signal(signal.SIGTERM)


def interrupt(runs, name, epoch, batch):
    config = runs / "b" / "config.yaml"
    with pytest.raises(Interrupted):
        nettrain.train(
            config, output_directory=runs, run_name=name, callbacks=[Interrupt(epoch, batch)]
        )
    return runs / name


def test_a_finished_run_reproduces(runs):
    result = verify(runs / "a")
    assert result.reproduces and result.environment == {} and result.notes == []
    assert result.compared == [
        "the metrics of 3 epochs", "best.safetensors", "last.safetensors", "the final metrics",
    ]  # fmt: skip


def test_the_run_is_only_read(runs):
    before = {path: path.stat().st_mtime_ns for path in (runs / "a").rglob("*")}
    verify(runs / "a")
    assert {path: path.stat().st_mtime_ns for path in (runs / "a").rglob("*")} == before


def test_a_resumed_run_reproduces(runs):
    path = interrupt(runs, "broken", 2, 3)
    nettrain.resume(path)
    result = verify(path)
    assert result.reproduces and "the final metrics" in result.compared


def test_an_extended_run_reproduces(runs):
    nettrain.resume(runs / "a", sets=["training.epochs=4"])
    assert verify(runs / "a").reproduces


@pytest.mark.parametrize(("epoch", "batch"), [(0, 2), (2, 3)])
def test_an_interrupted_run_is_verified_up_to_its_last_checkpoint(runs, epoch, batch):
    result = verify(interrupt(runs, "broken", epoch, batch))
    assert result.reproduces and "last.safetensors" in result.compared
    assert ("best.safetensors" in result.compared) == (epoch > 0)
    assert result.notes[-1].endswith(f"up to epoch {epoch + 1}, batch {batch}, its last checkpoint")


def test_a_change_in_an_interrupted_run_is_found(runs):
    path = interrupt(runs, "broken", 2, 3)
    change_tensor(path, "last")
    result = verify(path)
    assert not result.reproduces and set(result.tensors) == {"last"}


def change_tensor(run, name, tensor="parameters.dense_2.w"):
    path = run / "checkpoints" / f"{name}.safetensors"
    checkpoint = Checkpoint.read(path)
    changed = {key: np.array(value) for key, value in checkpoint.tensors.items()}
    changed[tensor].flat[1] += 0.5
    Checkpoint(changed, checkpoint.content).write(path)


def change_metric(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    row = json.loads(lines[1])
    lines[1] = json.dumps(row | {"train_loss": row["train_loss"] * (1 + 1e-15)})
    (run / "metrics.jsonl").write_text("\n".join([*lines, ""]))


def change_summary(run):
    summary = json.loads((run / "summary.json").read_text())
    summary["metrics"]["test"]["accuracy"] = 0.123
    (run / "summary.json").write_text(json.dumps(summary))


def change_config(run):
    text = (run / "config.yaml").read_text()
    assert "lr: 0.001" in text
    (run / "config.yaml").write_text(text.replace("lr: 0.001", "lr: 0.002"))


def drop_epoch(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("\n".join([*lines[:-1], ""]))


def test_the_first_tensor_that_differs_is_named(runs):
    change_tensor(runs / "a", "best")
    result = verify(runs / "a")
    assert not result.reproduces and result.epoch is None and set(result.tensors) == {"best"}
    assert result.tensors["best"].name == "parameters.dense_2.w"
    assert result.tensors["best"].what == "1 of 8 values differ, by 0.5 at most"


def test_the_first_epoch_that_differs_is_named(runs):
    change_metric(runs / "a")
    result = verify(runs / "a")
    assert not result.reproduces and result.tensors == {}
    assert result.epoch.epoch == 2 and list(result.epoch.values) == ["train_loss"]


def test_a_final_metric_that_differs_is_named(runs):
    change_summary(runs / "a")
    result = verify(runs / "a")
    assert not result.reproduces and result.metrics["test.accuracy"][0] == 0.123


@pytest.mark.parametrize("change", [change_config, drop_epoch])
def test_any_other_change_is_found(runs, change):
    change(runs / "a")
    assert not verify(runs / "a").reproduces


def test_what_differs_in_the_environment_is_named(runs):
    path = runs / "a" / "environment.json"
    environment = json.loads(path.read_text())
    environment["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(environment | {"processor": "abacus"}))
    result = verify(runs / "a")
    assert result.reproduces and set(result.environment) == {"versions.numpy", "processor"}
    assert result.environment["processor"][0] == "abacus"


def test_changed_data_is_named(own_data):
    path = own_data.parent / "flowers.csv"
    path.write_text(path.read_text().replace("rose", "rise"))
    assert "data_fingerprint" in verify(own_data / "a").environment
    path.unlink()
    with pytest.raises(DataError, match=r"flowers\.csv"):
        verify(own_data / "a")


def test_a_run_that_diverged_reproduces(runs):
    config = runs / "a" / "config.yaml"
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            config,
            sets=["optimizer={type: sgd, lr: 1e30}", "training.epochs=50"],
            output_directory=runs,
            run_name="diverged",
        )
    assert json.loads((runs / "diverged" / "summary.json").read_text())["stop_reason"] == "diverged"
    result = verify(runs / "diverged")
    assert result.reproduces and result.compared[-1].startswith("the divergence in epoch ")
    change = (runs / "diverged" / "config.yaml").read_text().replace("lr: 1e+30", "lr: 0.01")
    (runs / "diverged" / "config.yaml").write_text(change)
    result = verify(runs / "diverged")
    assert not result.reproduces and result.metrics["stop_reason"] == ("diverged", "epochs")


def test_a_run_on_arrays_needs_the_arrays(tmp_path):
    chance = np.random.Generator(np.random.PCG64(0))
    x, y = chance.normal(size=(40, 3)), np.arange(40) % 2
    config = {"model": {"type": "mlp", "hidden": [2]}, "training": {"epochs": 2}}
    nettrain.train(config, data=(x, y), output_directory=tmp_path, run_name="arrays")
    with pytest.raises(RunError, match=r"arrays in memory.*pass data=\(x, y\)"):
        verify(tmp_path / "arrays")
    assert verify(tmp_path / "arrays", data=(x, y)).reproduces
    assert not verify(tmp_path / "arrays", data=(x + 1e-3, y)).reproduces


def test_a_run_without_checkpoints_is_verified_by_its_metrics(runs):
    shutil.rmtree(runs / "a" / "checkpoints")
    result = verify(runs / "a")
    assert result.reproduces and "has no checkpoint" in result.notes[0]
    assert result.compared == ["the metrics of 3 epochs", "the final metrics"]


def test_a_damaged_checkpoint_is_named(runs):
    (runs / "a" / "checkpoints" / "best.safetensors").write_bytes(b"x")
    result = verify(runs / "a")
    assert "best.safetensors" in result.notes[0] and "last.safetensors" in result.compared


def test_a_run_under_way_is_left_alone(runs):
    with (
        locked(runs / "a"),
        pytest.raises(RunError, match="another process is training it; wait for it"),
    ):
        verify(runs / "a")


def test_plugins_need_permission(runs):
    (runs / "mine.py").write_text("raise SystemExit('imported')\n")
    config = runs / "a" / "config.yaml"
    config.write_text(config.read_text().replace("plugins: []", f"plugins: [{runs / 'mine.py'}]"))
    with pytest.raises(NettrainError, match=r"allow.plugins"):
        verify(runs / "a")
