"""A run from its configuration to its directory: complete, re-runnable, the same bits every time; batches, stopping, names, locks."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import nettrain
from nettrain.errors import CheckpointError, ConfigError, NettrainError, RunError
from nettrain.training.artifacts import run_directory
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback


@pytest.fixture
def run(toy, data, tmp_path):
    """Train the toy configuration with changes, into a folder of its own."""

    def trained(changes=None, **keywords):
        given = {"data": data, "output_directory": tmp_path / "runs"} | keywords
        return nettrain.train(toy(changes), **given)

    return trained


def files(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_a_run_leaves_a_complete_directory(run, tmp_path):
    result = run()
    path = tmp_path / "runs" / "toy"
    assert result.run_directory == str(path)
    assert files(path) == [
        "checkpoints/best.safetensors", "checkpoints/last.safetensors", "config.yaml", "environment.json", "log.txt", "metrics.jsonl",
        "splits.npz", "summary.json",
    ]  # fmt: skip
    rows = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows] == [4, 8, 12, 16, 20, 24]  # 30 rows, 8 at a time
    assert {
        "lr",
        "train_loss",
        "train_penalty",
        "validation_loss",
        "validation_accuracy",
        "seconds",
    } <= set(rows[0])
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["stop_reason"], summary["epochs"]) == ("epochs", 6)
    assert set(summary["metrics"]) == set(summary["baseline"]) == {"train", "validation"}
    environment = json.loads((path / "environment.json").read_text())
    assert (
        environment["versions"]["numpy"] == np.__version__
        and environment["blas_threads"] == 1
        and environment["data_fingerprint"]
    )
    with np.load(path / "splits.npz") as splits:
        assert set(splits.files) == {"train", "validation"}
        assert sorted(np.concatenate([splits["train"], splits["validation"]])) == list(range(40))
    assert "rows: train 30, validation 10" in (path / "log.txt").read_text()


def test_the_resolved_configuration_gives_the_same_run_again(run, data, tmp_path, figures):
    first = run()
    config = Path(first.run_directory) / "config.yaml"
    written = yaml.safe_load(config.read_text())
    assert (
        written["loss"]["type"] == "cross_entropy" and written["dataset"]["transforms"]
    )  # what the data decided is written out
    again = nettrain.train(config, data, output_directory=tmp_path / "again")
    assert figures(tmp_path / "again" / "toy") == figures(tmp_path / "runs" / "toy")
    assert again.metrics == first.metrics


def test_two_trainings_give_the_same_bits_and_another_seed_others(run, tmp_path, figures, weights):
    for name, changes in (("a", {}), ("b", {}), ("c", {"seed": 2})):
        run(changes, run_name=name)
    assert figures(tmp_path / "runs" / "a") == figures(tmp_path / "runs" / "b")
    assert not np.array_equal(weights(tmp_path / "runs" / "a"), weights(tmp_path / "runs" / "c"))


@pytest.mark.parametrize(
    ("batch_size", "steps"), [(1, 30), (7, 5), (30, 1), (31, 1), (10_000, 1), (None, 1)]
)
def test_batches_of_every_size_train_every_row_once_an_epoch(run, log, batch_size, steps):
    result = run({"training.batch_size": batch_size, "training.epochs": 2})
    assert [row["step"] for row in log(result.run_directory)] == [steps, 2 * steps]


@pytest.mark.parametrize("batch_size", [31, 10_000, None])
def test_a_batch_size_above_the_number_of_rows_is_one_batch_of_all(
    run, batch_size, weights, tmp_path
):
    run({"training.batch_size": 30}, run_name="all")
    run({"training.batch_size": batch_size}, run_name="above")
    assert (
        weights(tmp_path / "runs" / "all").tobytes()
        == weights(tmp_path / "runs" / "above").tobytes()
    )


class Orders(Callback):
    """Remembers the rows of every batch."""

    def __init__(self):
        self.seen = []

    def begin(self, run):
        step = run.step

        class Watched:
            update, weight = step.update, step.weight

            def __call__(_, rows, lr, then):
                self.seen.append(rows.tolist())
                return step(rows, lr, then)

        run.step = Watched()


def test_shuffling_changes_the_order_every_epoch_and_none_keeps_it(run):
    shuffled, plain = Orders(), Orders()
    run({"training.epochs": 2, "training.batch_size": 30}, callbacks=[shuffled])
    run(
        {"training.epochs": 2, "training.batch_size": 8, "training.shuffle": False},
        callbacks=[plain],
    )
    first, second = shuffled.seen
    assert first != second and sorted(first) == sorted(second) == list(range(30))
    assert plain.seen == [list(range(start, min(start + 8, 30))) for start in (0, 8, 16, 24)] * 2


def test_rows_that_fill_no_batch_are_left_out_when_asked_but_never_all(run):
    few, all_rows = Orders(), Orders()
    changes = {"training.epochs": 1, "training.shuffle": False, "training.drop_last": True}
    run({"training.batch_size": 8} | changes, callbacks=[few])
    run({"training.batch_size": 100} | changes, callbacks=[all_rows])
    assert few.seen == [list(range(start, start + 8)) for start in (0, 8, 16)]
    assert all_rows.seen == [list(range(30))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_is_computed_in_the_configured_precision(run, dtype):
    result = run({"dtype": dtype})
    checkpoint = Checkpoint.read(Path(result.run_directory, "checkpoints", "last.safetensors"))
    parameters = {
        array.dtype.name
        for name, array in checkpoint.tensors.items()
        if name.startswith(("parameters.", "optimizer."))
    }
    assert parameters == {dtype}


@pytest.fixture
def validation_losses(log):
    """Of each epoch of a run."""
    return lambda result: [row["validation_loss"] for row in log(result.run_directory)]


def test_the_best_checkpoint_is_that_of_the_best_epoch(
    run, validation_losses, data, tmp_path, every_epoch
):
    result = run({"optimizer.lr": 0.3, "training.epochs": 12})
    losses = validation_losses(result)
    assert result.best_epoch == 1 + losses.index(min(losses)) < 12
    best = nettrain.load(result.run_directory)
    assert best.epoch == result.best_epoch
    with np.load(f"{result.run_directory}/splits.npz") as splits:
        held_out = splits["validation"]
    figure = best.evaluate(data[0][held_out], data[1][held_out])["loss"]
    assert figure == min(losses) == result.metrics["validation"]["loss"]


def test_patience_counts_epochs_without_improvement(run, validation_losses):
    result = run({"optimizer.lr": 0.5, "training.epochs": 200, "early_stopping.patience": 4})
    losses = validation_losses(result)
    assert result.stop_reason == "early_stopping"
    assert result.epochs == len(losses) == result.best_epoch + 4 < 200
    assert min(losses) == losses[result.best_epoch - 1]


def test_an_improvement_below_min_delta_is_none(run):
    result = run({"early_stopping.patience": 2, "early_stopping.min_delta": 10.0})
    assert (result.stop_reason, result.epochs) == (
        "early_stopping",
        3,
    )  # the first epoch is an improvement on nothing


def test_without_restore_best_the_last_weights_are_judged(run, validation_losses):
    changes = {
        "optimizer.lr": 0.5,
        "training.epochs": 30,
        "early_stopping": {"patience": 3, "restore_best": False},
    }
    result = run(changes)
    assert (
        result.metrics["validation"]["loss"]
        == validation_losses(result)[-1]
        != min(validation_losses(result))
    )


def test_another_metric_can_choose_the_best_and_stop(run, log):
    result = run(
        {
            "training.monitor": "validation_accuracy",
            "early_stopping": {"monitor": "train_loss", "patience": 2},
        }
    )
    rows = log(result.run_directory)
    accuracies = [row["validation_accuracy"] for row in rows]
    assert result.best_epoch == 1 + accuracies.index(max(accuracies))  # of equals the first


ALONE = {
    "dataset": {"source": "memory", "split": "none"},
    "early_stopping": None,
    "optimizer.lr": 0.5,
    "training.epochs": 12,
}


def test_without_a_validation_part_the_last_weights_are_those_of_the_run(run):
    result = run(ALONE)
    checkpoints = Path(result.run_directory) / "checkpoints"
    assert [file.name for file in checkpoints.iterdir()] == ["last.safetensors"]
    assert (result.monitor, result.best_epoch, result.weights) == (None, None, "last")
    model = nettrain.load(result.run_directory)
    assert model.epoch == result.epochs and set(result.metrics) == {"train"}


def test_without_a_validation_part_a_monitor_that_is_named_chooses(run, log):
    for changes in (
        {"training.monitor": "train_loss"},
        {"early_stopping": {"monitor": "train_loss", "patience": 99}},
    ):
        result = run(ALONE | changes)
        losses = [row["train_loss"] for row in log(result.run_directory)]
        assert result.best_epoch == 1 + losses.index(min(losses)) < result.epochs
        assert (result.monitor, result.best_value) == ("train_loss", min(losses))
        assert nettrain.load(result.run_directory).epoch == result.best_epoch


def test_the_metric_that_stops_the_run_chooses_its_weights_where_no_other_is_named(run, log):
    monitor = {"monitor": "validation_accuracy", "patience": 5}
    result = run({"early_stopping": monitor, "training.epochs": 30, "optimizer.lr": 0.1, "seed": 2})
    rows = log(result.run_directory)
    accuracies = [row["validation_accuracy"] for row in rows]
    losses = [row["validation_loss"] for row in rows]
    assert result.best_epoch == 1 + accuracies.index(max(accuracies))
    assert result.best_epoch != 1 + losses.index(min(losses))  # or the test would not tell
    summary = json.loads((Path(result.run_directory) / "summary.json").read_text())
    assert summary["monitor"] == "validation_accuracy"
    assert summary["best_value"] == max(accuracies) == result.metrics["validation"]["accuracy"]


def test_one_rule_says_which_weights_are_those_of_the_run(run, data, tmp_path):
    stopping = {"early_stopping": {"restore_best": False, "patience": 4}, "optimizer.lr": 0.5}
    result = run(stopping)
    assert result.best_epoch < result.epochs and result.weights == "last"
    rows = np.load(Path(result.run_directory) / "splits.npz")["validation"]
    model = nettrain.load(result.run_directory)
    x, y = data[0][rows], data[1][rows]
    assert model.evaluate(x, y) == result.metrics["validation"]


def test_best_weights_that_are_gone_are_an_error_that_names_both_files(run):
    result = run({"training.epochs": 3})
    best = Path(result.run_directory) / "checkpoints" / "best.safetensors"
    best.unlink()
    with pytest.raises(
        CheckpointError, match=r"best.safetensors: is missing.*name the other.*last.safetensors"
    ):
        nettrain.load(result.run_directory)
    assert nettrain.load(best.with_name("last.safetensors")).epoch == 3


@pytest.mark.parametrize(("key", "changes", "said"), [
    ("training.monitor", {}, "needs a validation part, and there is none: set dataset.split.validation, or monitor train_loss"),
    ("early_stopping.monitor", {}, "needs a validation part, and there is none"),
])  # fmt: skip
def test_a_monitored_metric_without_its_part_is_an_error_and_writes_nothing(
    run, tmp_path, key, changes, said
):
    with pytest.raises(ConfigError, match=f"{key}: validation_accuracy {said}"):
        run({"dataset": {"source": "memory", "split": "none"}, key: "validation_accuracy"})
    assert not (tmp_path / "runs").exists()


def test_a_metric_of_another_task_cannot_be_monitored(run, tmp_path):
    with pytest.raises(
        ConfigError, match=r"training.monitor: validation_rmse is no metric of classification"
    ):
        run({"training.monitor": "validation_rmse"})
    assert not (tmp_path / "runs").exists()


def test_a_default_name_that_exists_gets_a_suffix(run, tmp_path):
    for _ in range(3):
        run({"training.epochs": 1})
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["toy", "toy-2", "toy-3"]


def test_an_exact_name_that_exists_is_an_error_and_the_run_in_it_is_kept(run, tmp_path):
    run({"training.epochs": 1}, run_name="mine")
    before = {
        name: (tmp_path / "runs" / "mine" / name).read_bytes()
        for name in files(tmp_path / "runs" / "mine")
    }
    with pytest.raises(
        RunError, match=r"mine: exists already; choose another --run-name, or --overwrite it"
    ):
        run({"training.epochs": 1}, run_name="mine")
    assert {
        name: (tmp_path / "runs" / "mine" / name).read_bytes()
        for name in files(tmp_path / "runs" / "mine")
    } == before


def test_overwriting_takes_a_run_directory_and_nothing_else(run, tmp_path):
    mine, photos = tmp_path / "runs" / "mine", tmp_path / "runs" / "photos"
    run({"training.epochs": 2, "diagnostics": True}, run_name="mine")
    (mine / ".metrics.jsonl.4711.tmp").write_text("what a kill left")
    run({"training.epochs": 1}, run_name="mine", overwrite=True)
    assert len((mine / "metrics.jsonl").read_text().splitlines()) == 1
    assert "diagnostics.jsonl" not in files(mine)
    photos.mkdir()
    (photos / "cat.jpg").write_text("cat")
    with pytest.raises(RunError, match=r"photos: is not a run directory alone.*cat.jpg"):
        run(run_name="photos", overwrite=True)
    assert (photos / "cat.jpg").read_text() == "cat"


FOREIGN = {
    "a config and a thesis": {"config.yaml": "a: 1", "thesis.tex": "x"},
    "a config alone": {"config.yaml": "a: 1"},
    "a config and a tool's checkpoint": {"config.yaml": "a: 1", "checkpoints/step1.ckpt": "x"},
    "names as ours, by another": {"config.yaml": "a: 1", "checkpoints/best.safetensors": "x"},
    "a file deep inside": {"config.yaml": "a: 1", "checkpoints/old/a/b.txt": "x"},
    "another's environment": {"environment.json": "{}", "metrics.jsonl": "{}"},
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_nettrain_did_not_write_is_never_replaced(run, tmp_path, case):
    folder = tmp_path / "runs" / "mine"
    for name, text in FOREIGN[case].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with pytest.raises(RunError, match="is not a run directory"):
        run(run_name="mine", overwrite=True)
    assert {name: (folder / name).read_text() for name in FOREIGN[case]} == FOREIGN[case]


@pytest.mark.parametrize("name", ["notes.md", "checkpoints/mine.pt", "plots/loss.png"])
def test_a_file_of_the_users_in_a_run_is_named_and_kept(run, tmp_path, name):
    own = tmp_path / "runs" / "mine" / name
    run({"training.epochs": 1}, run_name="mine")
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    with pytest.raises(RunError, match=rf"it holds {name.partition('/')[0]}"):
        run(run_name="mine", overwrite=True)
    assert own.read_text() == "mine" and (tmp_path / "runs/mine/config.yaml").exists()


def test_a_link_in_place_of_a_run_is_not_replaced(run, tmp_path):
    run({"training.epochs": 1}, run_name="mine")
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "runs" / "mine")
    with pytest.raises(RunError, match="link: is not a run directory"):
        run(run_name="link", overwrite=True)
    assert (tmp_path / "runs" / "mine" / "config.yaml").exists()


HOLD = """
import sys, time
from pathlib import Path
from nettrain.training.artifacts.run_directory import RunDirectory
with RunDirectory.open(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(run, tmp_path):
    """A run directory that another process is training into."""
    path = run({"training.epochs": 1}, run_name="held").run_directory
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "locked\n"
    yield path
    other.communicate()


def test_a_run_that_another_process_trains_can_neither_be_resumed_nor_overwritten(
    held, run, data, tmp_path
):
    before = files(tmp_path / "runs" / "held")
    with pytest.raises(
        RunError, match=r"held: another process is training into it; wait for it, or stop it"
    ):
        nettrain.resume(held, data)
    with pytest.raises(RunError, match=r"held: another process is training into it"):
        run(run_name="held", overwrite=True)
    assert files(tmp_path / "runs" / "held") == before


def test_a_bad_configuration_data_or_network_writes_nothing(run, tmp_path, data):
    bad = [
        ({"training.epochs": 0}, {}), ({"optimizer.lr": -1}, {}), ({"model.hidden": [0]}, {}),
        ({"model": {"type": "sequential", "layers": [{"type": "dense", "units": 7}]}, "regularization": {}}, {}),
        ({}, {"data": (data[0][:5], data[1])}), ({}, {"data": (data[0] * np.nan, data[1])}),
    ]  # fmt: skip
    for changes, keywords in bad:
        with pytest.raises(NettrainError):
            run(changes, **keywords)
        assert not (tmp_path / "runs").exists()


def test_the_output_of_softmax_before_a_loss_that_applies_it_is_an_error(run):
    layers = [{"type": "dense"}, "softmax"]
    with pytest.raises(
        ConfigError,
        match=r"the last layer is softmax, which the loss cross_entropy applies itself: leave the layer out",
    ):
        run({"model": {"type": "sequential", "layers": layers}, "regularization": {}})


def test_a_network_that_ends_in_the_wrong_width_is_told_how_to_end(run):
    layers = [{"type": "dense", "units": 7}]
    with pytest.raises(
        ConfigError,
        match=r"gives rows of shape \(7,\), but the loss cross_entropy needs 3 outputs \(3 classes\): end",
    ):
        run({"model": {"type": "sequential", "layers": layers}, "regularization": {}})


def test_figures_that_are_not_defined_are_null_in_json(run, tmp_path):
    x = np.arange(20.0)[:, None]
    result = run(
        {
            "dataset": {
                "source": "memory",
                "split": {"rows": {"train": [0, 19], "validation": [19, 20]}},
            },
            "loss": "mse",
            "training.epochs": 1,
        },
        data=(x, np.sin(x[:, 0])),
    )  # R2 of one row
    text = Path(result.run_directory, "summary.json").read_text()
    assert "NaN" not in text and math.isfinite(json.loads(text)["metrics"]["validation"]["loss"])


def test_a_part_whose_predictions_overflow_is_told_in_a_warning(tmp_path):
    x = np.random.Generator(np.random.PCG64(0)).normal(size=(60, 3))
    x[40:] = np.repeat([[2e38, 2e38, -2e38]], 20, axis=0)
    config = {
        "dataset": {
            "source": "memory",
            "split": {"rows": {"train": [0, 20], "validation": [20, 40], "test": [40, 60]}},
            "transforms": [],
        },
        "model": "mlp",
        "training": {"epochs": 1},
    }
    with np.errstate(all="ignore"):
        result = nettrain.train(config, data=(x, x[:, 0] > 0), output_directory=tmp_path)
    assert set(result.metrics["test"]) == {"loss"}
    (warning,) = result.warnings
    assert warning.startswith("the test loss is not finite, and no metric of this part is defined")
    assert f"warning: {warning}" in (Path(result.run_directory) / "log.txt").read_text()


def test_relative_output_directories_count_from_the_current_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run({"training.epochs": 1}, output_directory="here")
    assert os.listdir("here") == ["toy"]


def test_callbacks_are_told_of_batches_and_epochs_in_order(run):
    class Listener(Callback):
        told = []

        def begin(self, run):
            self.told.append("begin")

        def batch_end(self, run):
            self.told.append(run.progress.batch)

        def epoch_end(self, run, row):
            self.told.append(("epoch", row["epoch"]))

        def end(self, run):
            self.told.append("end")

    run({"training.epochs": 2}, callbacks=[Listener()])
    assert Listener.told == ["begin", 1, 2, 3, 4, ("epoch", 1), 1, 2, 3, 4, ("epoch", 2), "end"]


def test_a_disk_that_is_full_at_the_start_leaves_no_directory(run, tmp_path, monkeypatch):
    def full(path, *args):
        raise RunError(f"{path}: cannot be written: the disk is full: free some space")

    monkeypatch.setattr(run_directory, "write_atomically", full)
    with pytest.raises(RunError, match="the disk is full"):
        run(run_name="mine")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_ended_before_its_configuration_was_written_says_what_to_do(run, tmp_path, data):
    folder = tmp_path / "runs" / "mine"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / ".environment.json.4711.tmp").write_text("{")
    with pytest.raises(RunError, match=r"nothing to resume: train again .*--overwrite"):
        nettrain.resume(folder, data)
    run({"training.epochs": 1}, run_name="mine", overwrite=True)
    assert (folder / "summary.json").exists()


def test_what_a_kill_left_half_written_is_removed_when_the_run_is_resumed(run, data):
    path = Path(run({"training.epochs": 2, "training.snapshots": 1}).run_directory)
    before = files(path)
    for name in (
        ".config.yaml.4711.tmp",
        "checkpoints/.last.safetensors.4711.tmp",
        "snapshots/.epoch-000001.safetensors.4711.tmp",
    ):
        (path / name).write_bytes(b"half")
    (path / ".mine.tmp").write_text("no file of ours")
    nettrain.resume(path, data)
    assert files(path) == sorted([*before, ".mine.tmp"])


def test_a_run_without_config_yaml_resumes_from_its_checkpoint(run, data):
    path = Path(run({"training.epochs": 2}).run_directory)
    (path / "config.yaml").unlink()
    assert nettrain.resume(path, data, sets=["training.epochs=3"]).epochs == 3
    assert yaml.safe_load((path / "config.yaml").read_text())["training"]["epochs"] == 3


@pytest.mark.parametrize("name", ["log.txt", "metrics.jsonl", "diagnostics.jsonl"])
def test_nothing_is_appended_through_a_link(run, data, tmp_path, name):
    path = Path(run({"training.epochs": 2, "diagnostics": True}).run_directory)
    diary = tmp_path / "diary.txt"
    content = (path / name).read_bytes()
    diary.write_bytes(content)
    (path / name).unlink()
    (path / name).symlink_to(diary)
    with pytest.raises(RunError, match=rf"{name}: is a link, and is not written through"):
        nettrain.resume(path, data, sets=["training.epochs=3"])
    assert diary.read_bytes() == content
