"""An interrupted run, resumed, is the undisturbed run to the bit; extensions; what must not change on the way."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import nettrain
from nettrain.errors import CheckpointError, DataError, RunError
from nettrain.training.callbacks import checkpoints
from nettrain.training.loop import Interrupted


@pytest.fixture
def run(toy, data, tmp_path):
    """Train the toy configuration with changes under a name; the path of its directory."""

    def trained(name, changes=None, *, stop=None, **keywords):
        given = {
            "data": data,
            "output_directory": tmp_path,
            "run_name": name,
            "callbacks": [stop] if stop else [],
        } | keywords
        try:
            nettrain.train(toy(changes), **given)
        except Interrupted as error:
            assert error.exit_code > 128
        return tmp_path / name

    return trained


@pytest.fixture
def killed_run(run, killed, stop_at, tmp_path):
    """A run that ends at a batch as if killed."""

    def until(name, batch, changes=None):
        with pytest.raises(killed):
            run(name, changes, stop=stop_at(batch, "kill"))
        return tmp_path / name

    return until


# 30 rows, 8 at a time: 4 batches an epoch, 24 in all.
@pytest.mark.parametrize("batch", [1, 3, 4, 5, 10, 23, 24])
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_after_a_signal_resuming_gives_the_undisturbed_run(run, stop_at, data, figures, batch, how):
    whole, broken = run("whole"), run("broken", stop=stop_at(batch, how))
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


@pytest.mark.parametrize("batch", [1, 4, 5, 6, 10, 23, 24])
def test_after_a_kill_resuming_gives_the_undisturbed_run(
    run, killed_run, data, figures, every_epoch, batch
):
    whole, broken = run("whole"), killed_run("broken", batch)
    assert not (broken / "summary.json").exists()
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


@pytest.mark.parametrize("batch", [2, 6, 7])
def test_a_checkpoint_within_a_long_epoch_is_gone_on_from(
    run, killed_run, data, figures, monkeypatch, batch
):
    whole = run("whole")
    monkeypatch.setattr(checkpoints, "WITHIN_AN_EPOCH", 0.0)
    broken = killed_run("broken", batch)
    assert (
        0
        < checkpoints.Checkpoint.read(broken / "checkpoints" / "last.safetensors").content[
            "progress"
        ]["batch"]
        < 4
    )
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


@pytest.mark.parametrize("changes", [
    {"optimizer": {"type": "momentum"}, "schedule": {"type": "cosine", "warmup": 1.5}},
    {"optimizer": {"type": "sgd"}, "schedule": {"type": "step", "every": 2, "by": 0.5}, "training.clip_norm": 0.5},
    {"training.shuffle": False, "training.monitor": "validation_accuracy", "dtype": "float64"},
    {"early_stopping.patience": 1, "optimizer.lr": 0.3, "training.epochs": 30},
    {"training.batch_size": None, "dataset": {"source": "memory", "split": "none"}, "early_stopping": None},
])  # fmt: skip
def test_every_kind_of_state_survives(run, stop_at, data, figures, changes):
    whole, broken = run("whole", changes), run("broken", changes, stop=stop_at(3, "SIGTERM"))
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


def test_a_run_broken_again_and_again_ends_the_same(run, stop_at, data, figures):
    whole, broken = run("whole"), run("broken", stop=stop_at(2, "SIGINT"))
    while True:
        try:
            nettrain.resume(broken, data, callbacks=[stop_at(3, "SIGTERM")])
            break
        except Interrupted:
            pass
    assert figures(broken) == figures(whole)


def test_the_message_of_an_interrupted_run_says_where_and_how_to_go_on(
    toy, data, tmp_path, stop_at
):
    with pytest.raises(Interrupted) as error:
        nettrain.train(toy(), data, output_directory=tmp_path, callbacks=[stop_at(6, "SIGTERM")])
    assert (
        str(error.value)
        == f"interrupted in epoch 2, batch 2 of 4; to resume: nettrain fit --resume {tmp_path / 'toy'}"
    )
    assert error.value.exit_code == 143


@pytest.mark.parametrize(
    "torn", [b'{"epoch": 3, "st', b'{"epoch": 3}\n{"epoch": 4}\n{"epo', b"\xff\xfe", b"\n"]
)
def test_rows_behind_the_checkpoint_are_cut_a_torn_one_too(run, stop_at, data, figures, torn):
    whole, broken = run("whole"), run("broken", stop=stop_at(10, "SIGINT"))
    with open(broken / "metrics.jsonl", "ab") as file:
        file.write(torn)
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


def test_missing_rows_are_an_error(run, stop_at, data):
    broken = run("broken", stop=stop_at(10, "SIGINT"))
    (broken / "metrics.jsonl").write_text("")
    with pytest.raises(
        RunError, match=r"metrics.jsonl: has 0 rows, the checkpoint was written after 2"
    ):
        nettrain.resume(broken, data)


def test_killed_before_the_first_checkpoint_starts_again(run, killed_run, data, figures):
    whole, broken = run("whole"), killed_run("broken", 10)
    assert (
        not (broken / "checkpoints" / "last.safetensors").exists()
        and (broken / "metrics.jsonl").read_text()
    )
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


def test_killed_between_the_best_and_the_last_checkpoint_ends_the_same(
    run, killed_run, data, figures, every_epoch
):
    whole = run("whole", {"optimizer.lr": 0.3})
    broken, further = (
        killed_run("broken", 6, {"optimizer.lr": 0.3}),
        killed_run("further", 22, {"optimizer.lr": 0.3}),
    )
    (broken / "checkpoints" / "best.safetensors").write_bytes(
        (further / "checkpoints" / "best.safetensors").read_bytes()
    )
    nettrain.resume(broken, data)
    assert figures(broken) == figures(whole)


def test_resuming_a_finished_run_changes_nothing(run, data, figures):
    path = run("done")
    before, config = figures(path), (path / "config.yaml").read_text()
    result = nettrain.resume(path, data)
    assert figures(path) == before and (path / "config.yaml").read_text() == config
    assert (result.stop_reason, result.epochs) == ("epochs", 6)


@pytest.mark.parametrize("changes", [{}, {"schedule": "step", "optimizer": {"type": "momentum"}}])
def test_an_extended_run_is_the_longer_run(run, data, figures, changes):
    longer, short = run("longer", changes | {"training.epochs": 9}), run("short", changes)
    result = nettrain.resume(short, data, sets=["training.epochs=9"])
    assert figures(short) == figures(longer)
    assert not any("differs" in note for note in result.notes)
    assert yaml.safe_load((short / "config.yaml").read_text())["training"]["epochs"] == 9


def test_an_extended_run_that_is_broken_is_the_longer_run(run, stop_at, data, figures):
    longer, short = run("longer", {"training.epochs": 9}), run("short")
    with pytest.raises(Interrupted):
        nettrain.resume(short, data, sets=["training.epochs=9"], callbacks=[stop_at(6, "SIGINT")])
    nettrain.resume(short, data)
    assert figures(short) == figures(longer)


def test_extending_a_schedule_that_depends_on_the_length_says_so(run, data):
    path = run("cosine", {"schedule": "cosine"})
    result = nettrain.resume(path, data, sets=["training.epochs=9"])
    said = "the schedule cosine depends on training.epochs: this differs from an uninterrupted run of 9 epochs"
    assert said in result.notes and said in (path / "log.txt").read_text()
    assert nettrain.resume(path, data).notes.count(said) == 1  # what the first part noted, once


def test_more_patience_lets_a_stopped_run_go_on(run, data, figures):
    changes = {"optimizer.lr": 0.5, "training.epochs": 30}
    longer = run("longer", changes | {"early_stopping.patience": 4})
    short = run("short", changes | {"early_stopping.patience": 2})
    assert len(figures(short)["metrics"]) < len(figures(longer)["metrics"])
    nettrain.resume(short, data, sets=["early_stopping.patience=4"])
    assert figures(short) == figures(longer)


def test_fewer_epochs_than_trained_are_refused_and_the_run_is_as_it_was(run, data, figures):
    path = run("done")
    before = figures(path)
    with pytest.raises(
        RunError,
        match=r"training.epochs: 4 is less than the 6 epochs that .*last.safetensors has already trained",
    ):
        nettrain.resume(path, data, sets=["training.epochs=4"])
    assert yaml.safe_load((path / "config.yaml").read_text())["training"]["epochs"] == 6
    nettrain.resume(path, data)
    assert figures(path) == before


def test_changed_data_are_refused(run, stop_at, data):
    broken = run("broken", stop=stop_at(6, "SIGINT"))
    x, y = data[0].copy(), data[1]
    x[7, 1] += 1e-9
    with pytest.raises(
        RunError,
        match=r"broken: the data has changed since the run began; train again instead of resuming",
    ):
        nettrain.resume(broken, (x, y))


@pytest.mark.parametrize(
    "change",
    ["optimizer.lr=0.5", "seed=4", "model.hidden=[7]", "training.batch_size=9", "dtype=float64"],
)
def test_a_changed_configuration_is_refused_by_name(run, stop_at, data, change):
    broken = run("broken", stop=stop_at(6, "SIGINT"))
    before = (broken / "config.yaml").read_bytes()
    with pytest.raises(
        RunError,
        match=rf"{change.partition('=')[0]} cannot change when a run is resumed.*start a new run with nettrain fit",
    ):
        nettrain.resume(broken, data, sets=[change])
    assert (broken / "config.yaml").read_bytes() == before


def test_a_configuration_edited_in_the_run_directory_is_refused_too(run, stop_at, data):
    broken = run("broken", stop=stop_at(6, "SIGINT"))
    config = broken / "config.yaml"
    config.write_text(config.read_text().replace("lr: 0.03", "lr: 0.3"))
    with pytest.raises(RunError, match=r"optimizer.lr cannot change when a run is resumed"):
        nettrain.resume(broken, data)


def test_without_its_arrays_a_run_on_them_says_what_it_needs(run, stop_at):
    broken = run("broken", stop=stop_at(6, "SIGINT"))
    with pytest.raises(
        DataError, match=r"was handed in from Python and is not stored; hand it in again"
    ):
        nettrain.resume(broken)


def test_what_is_no_run_directory_is_an_error_that_says_so(tmp_path, run, data):
    (tmp_path / "photos").mkdir()
    run("digits", {"training.epochs": 1})
    for name, said in (
        ("photos", "is not a run directory"),
        ("digit", "there is no such run directory; did you mean 'digits'?"),
    ):
        with pytest.raises(RunError) as error:
            nettrain.resume(tmp_path / name, data)
        assert said in str(error.value)


@pytest.mark.parametrize("fault", ["cut", "no slots", "no progress", "other model"])
def test_a_last_checkpoint_that_does_not_hold_the_run_is_an_error(run, stop_at, data, fault):
    broken = run("broken", stop=stop_at(6, "SIGINT"))
    last = broken / "checkpoints" / "last.safetensors"
    checkpoint = checkpoints.Checkpoint.read(last)
    tensors, content = dict(checkpoint.tensors), dict(checkpoint.content)
    if fault == "cut":
        last.write_bytes(last.read_bytes()[:-4])
    else:
        if fault == "no slots":
            tensors = {
                name: array for name, array in tensors.items() if not name.startswith("optimizer.")
            }
        elif fault == "no progress":
            del content["progress"]
        else:
            tensors["parameters.dense_1.w"] = np.zeros((9, 9), np.float32)
        checkpoints.Checkpoint(tensors, content).write(last)
    with pytest.raises(CheckpointError, match=str(last)):
        nettrain.resume(broken, data)


def test_the_seconds_before_and_after_a_resume_add_up(run, stop_at, data):
    broken = run("broken", stop=stop_at(10, "SIGINT"))
    before = checkpoints.Checkpoint.read(broken / "checkpoints" / "last.safetensors").content[
        "progress"
    ]["seconds"]
    result = nettrain.resume(broken, data)
    rows = [json.loads(line) for line in Path(broken, "metrics.jsonl").read_text().splitlines()]
    seconds = [row["seconds"] for row in rows]
    assert (
        seconds == sorted(seconds)
        and rows[1]["seconds"] <= before <= rows[2]["seconds"] <= result.seconds
    )
