"""The directory of a run: created, opened, written, cleaned up, and which of its checkpoints is meant."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from nettrain.config.load import load
from nettrain.errors import CheckpointError, RunError
from nettrain.locks import directory_lock
from nettrain.training.artifacts import run_directory
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.directory import written_by_nettrain
from nettrain.training.artifacts.run_directory import (
    FollowedDirectory,
    RunDirectory,
    checkpoint_path,
    restores_best,
)

ROWS = {"train": np.arange(3), "validation": np.array([3, 4])}


@pytest.fixture
def directory(tmp_path):
    return RunDirectory.create(tmp_path / "runs", "mine", exact=False, overwrite=False)


@pytest.fixture
def config(toy):
    return load(toy())


def begin(directory, config):
    directory.begin(config, "the data", "numpy", ROWS)
    return directory


def content(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_new_directory_has_a_free_name_and_a_folder_for_checkpoints(tmp_path, directory):
    second = RunDirectory.create(tmp_path / "runs", "mine", exact=False, overwrite=False)
    assert [directory.path, second.path] == [
        tmp_path / "runs" / name for name in ("mine", "mine-2")
    ]
    assert content(second.path) == ["checkpoints"]
    with pytest.raises(RunError, match=r"mine: exists already; choose another --run-name, or --o"):
        RunDirectory.create(tmp_path / "runs", "mine", exact=True, overwrite=False)


def test_only_a_run_is_overwritten(tmp_path, directory, config):
    begin(directory, config)
    for exact in (True, False):
        again = RunDirectory.create(tmp_path / "runs", "mine", exact=exact, overwrite=True)
        assert again.path == directory.path and content(again.path) == ["checkpoints"]
    (directory.path / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match=r"is not a run directory alone.*thesis\.tex"):
        RunDirectory.create(tmp_path / "runs", "mine", exact=True, overwrite=True)
    new = RunDirectory.create(tmp_path / "runs", "new", exact=True, overwrite=True)
    assert new.path == tmp_path / "runs" / "new"


def test_a_folder_for_checkpoints_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    made = tmp_path / "mine"
    made.mkdir()
    (made / "checkpoints").write_text("")
    monkeypatch.setattr(run_directory, "new_directory", lambda *_, **__: made)
    with pytest.raises(RunError) as error:
        RunDirectory.create(tmp_path, "mine", exact=False, overwrite=False)
    assert str(error.value).startswith(f"{made}: cannot be written: File exists")


LAYOUT = [
    "config.yaml", "environment.json", "metrics.jsonl", "diagnostics.jsonl", "summary.json",
    "splits.npz", "log.txt", "events.out.tfevents.1.host", "checkpoints/best.safetensors",
    "checkpoints/last.safetensors", "snapshots/epoch-000001.safetensors",
]  # fmt: skip
FOREIGN = ["mine.txt", "checkpoints/mine.pt", "snapshots/last.safetensors", "plots/a.png"]


def test_what_belongs_to_a_run_is_known(directory):
    for name in [*LAYOUT, *FOREIGN]:
        (directory.path / name).parent.mkdir(exist_ok=True)
        (directory.path / name).write_text("")
    found = run_directory.RUN_LAYOUT.foreign(directory.path)
    found = [str(path.relative_to(directory.path)) for path in found]
    assert found == ["checkpoints/mine.pt", "mine.txt", "plots", "snapshots/last.safetensors"]
    assert run_directory.RUN_LAYOUT.is_ours is written_by_nettrain
    assert run_directory.RUN_LAYOUT.marks == ("config.yaml", "environment.json")


@pytest.mark.parametrize("name", ["config.yaml", "checkpoints/last.safetensors"])
def test_a_run_is_opened_by_its_configuration_or_its_checkpoint(directory, name):
    (directory.path / name).write_text("")
    assert RunDirectory.open(directory.path).path == directory.path


@pytest.mark.parametrize(("names", "said"), [
    ([], "the run ended before its configuration was written, so there is nothing to resume"),
    (["environment.json"], "train again (nettrain fit CONFIG --run-name mine --overwrite)"),
    (["thesis.tex"], "is not a run directory (it has no config.yaml)"),
    (None, "is not a run directory (it has no config.yaml)"),
])  # fmt: skip
def test_why_a_directory_cannot_be_opened_as_a_run_is_told(directory, names, said):
    if names is None:
        directory.last.parent.rmdir()
    for name in names or []:
        (directory.path / name).write_text("")
    with pytest.raises(RunError) as error:
        RunDirectory.open(directory.path)
    assert str(error.value).startswith(f"{directory.path}: ") and said in str(error.value)


def test_a_run_that_does_not_exist_is_told_with_the_nearest_name(tmp_path, directory):
    with pytest.raises(
        RunError, match=r"mime: there is no such run directory; did you mean 'mine'"
    ):
        RunDirectory.open(tmp_path / "runs" / "mime")
    with pytest.raises(RunError, match=r"mine: there is no such run directory$"):
        RunDirectory.open(tmp_path / "none" / "mine")


def test_inside_the_lock_nothing_half_written_is_left(directory):
    names = [".config.yaml.1.tmp", "checkpoints/.last.safetensors.1.tmp", "snapshots/.a.b.1.tmp"]
    (directory.path / "snapshots").mkdir()
    for name in names:
        (directory.path / name).write_text("")
    with directory.locked():
        assert content(directory.path) == ["checkpoints", "snapshots"]
        with pytest.raises(BlockingIOError), directory_lock(directory.path):
            pass


def test_a_run_begins_with_its_configuration_environment_and_rows(directory, config):
    for file in (directory.metrics, directory.diagnostics):
        file.append({"of": "an earlier beginning"})
    begin(directory, config)
    assert directory.metrics.path.read_bytes() == directory.diagnostics.path.read_bytes() == b""
    assert load(directory.config) == config
    environment = json.loads((directory.path / "environment.json").read_text())
    assert environment["data_fingerprint"] == "the data" and environment["kernels"] == "numpy"
    with np.load(directory.path / "splits.npz") as splits:
        assert {name: list(splits[name]) for name in splits.files} == {
            "train": [0, 1, 2], "validation": [3, 4],
        }  # fmt: skip
    directory.write_summary({"loss": float("nan")})
    assert json.loads(directory.summary.read_text()) == {"loss": None}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_disk_that_is_full_removes_a_new_directory_and_no_older_one(
    directory, config, monkeypatch, is_new
):
    if not is_new:
        begin(directory, config)

    def full(path, content):
        raise RunError(f"{path}: cannot be written: the disk is full")

    def odd(path, *, ignore_errors=False):
        assert ignore_errors  # what cannot be removed takes no reason's place
        real(path)

    real = run_directory.shutil.rmtree
    monkeypatch.setattr(run_directory.shutil, "rmtree", odd)
    monkeypatch.setattr(run_directory, "write_json", full)
    with pytest.raises(RunError, match="the disk is full"):
        begin(directory, config)
    assert directory.path.exists() is not is_new


def test_lines_of_the_log_have_a_date_with_its_zone(directory):
    before = datetime.now().astimezone().replace(microsecond=0)
    directory.log("the first: ü")
    directory.log("the second")
    lines = (directory.path / "log.txt").read_text(encoding="utf-8").splitlines()
    dates, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    assert texts == ("the first: ü", "the second")
    for date in map(datetime.fromisoformat, dates):
        assert date.tzinfo and date.microsecond == 0
        assert before <= date <= before + timedelta(minutes=1)


def test_what_follows_a_run_writes_nothing(directory, config):
    follows = FollowedDirectory(directory.path)
    with directory.locked(), follows.locked():
        begin(follows, config).write_config(config)
        follows.write_summary({})
        follows.log("a line")
    assert content(directory.path) == ["checkpoints"]


@pytest.mark.parametrize(("callbacks", "config", "expected"), [
    ({"BestWeights": {"epoch": 3}}, {}, True),
    ({"BestWeights": {"epoch": 0}}, {"early_stopping": None}, True),
    ({"BestWeights": {"epoch": 3}}, {"early_stopping": {"restore_best": True}}, True),
    ({"BestWeights": {"epoch": 3}}, {"early_stopping": {"restore_best": False}}, False),
    ({"BestWeights": {"epoch": 3}}, {"early_stopping": {"patience": 5}}, True),
    ({"BestWeights": {"epoch": None}}, {}, False),
    ({"BestWeights": {}}, {}, False),
    ({}, {}, False),
    (None, {}, False),
])  # fmt: skip
@pytest.mark.parametrize("there", ["best and last", "last"])
def test_the_weights_of_a_run_are_the_best_where_an_epoch_was_chosen(
    directory, callbacks, config, expected, there
):
    content = {"config": config, "callbacks": callbacks}
    Checkpoint({}, content).write(directory.last)
    assert restores_best(Checkpoint.read_metadata(directory.last)) is expected
    if there == "best and last":
        directory.best.write_text("")
    elif expected:
        with pytest.raises(CheckpointError) as error:
            checkpoint_path(directory.path)
        message = str(error.value)
        assert message.startswith(f"{directory.best}: is missing")
        assert message.endswith(f"name the other checkpoint: {directory.last}")
        return
    assert checkpoint_path(directory.path) == (directory.best if expected else directory.last)


def test_without_the_last_checkpoint_the_best_is_meant_and_without_both_none(directory, tmp_path):
    directory.config.write_text("")
    with pytest.raises(CheckpointError, match=r"mine: this run has no checkpoint yet; resume it"):
        checkpoint_path(directory.path)
    directory.best.write_text("")
    assert checkpoint_path(directory.path) == directory.best
    assert checkpoint_path(tmp_path / "none") == tmp_path / "none"
    long = tmp_path / ("x" * 5000)
    assert checkpoint_path(long) == long
