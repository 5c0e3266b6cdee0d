import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def two(trained, tmp_path, monkeypatch, command):
    """The current folder, with the runs flowers and fast."""
    shutil.copytree(trained / "runs/flowers", tmp_path / "runs/flowers")
    monkeypatch.chdir(tmp_path)
    options = ("--set", "optimizer.lr=0.01", "--run-name", "fast", "--quiet")
    assert command("fit", trained / "flowers.yaml", *options).exit_code == 0
    return tmp_path


def break_run(path):
    lines = Path(path, "metrics.jsonl").read_text().splitlines()
    row = json.loads(lines[1])
    Path(path, "metrics.jsonl").write_text(
        "\n".join([lines[0], json.dumps(row | {"lr": 5}), *lines[2:], ""])
    )


def test_a_run_that_reproduces_exits_with_0(two, command):
    found = command("verify", "runs/flowers", "--quiet")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith("runs/flowers reproduces, bit for bit: the metrics of 3 epochs")


def test_a_run_that_does_not_reproduce_exits_with_1_and_the_first_difference(two, command):
    break_run("runs/flowers")
    found = command("verify", "runs/flowers", "--quiet")
    assert found.exit_code == 1
    lines = [line.split() for line in found.stdout.splitlines()]
    assert lines[0] == ["runs/flowers", "does", "not", "reproduce"]
    assert lines[1] == ["differs", "in", "epoch", "2", "recorded", "now"]
    assert lines[3] == ["lr", "5", "0.001"] and len(lines) == 5


def test_verify_names_what_differs_in_the_environment(two, command):
    path = Path("runs/flowers/environment.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"processor": "abacus"}))
    found = command("verify", "runs/flowers", "--quiet")
    assert found.exit_code == 0 and "processor" in found.stdout and "abacus" in found.stdout


def test_verify_prints_one_json_object(two, command):
    found = command("verify", "runs/flowers", "--json")
    result = json.loads(found.stdout)
    assert result["reproduces"] is True and result["epoch"] is None
    assert list(result) == [
        "run", "reproduces", "compared", "epoch", "tensors", "metrics", "environment", "notes",
    ]  # fmt: skip


def test_diff_shows_where_two_runs_part(two, command):
    found = command("diff", "runs/flowers", "runs/fast", "--replay")
    assert found.exit_code == 1
    for line in (
        "optimizer.lr",
        "differs in epoch 1",
        "weights part after batch 1 of epoch 1: parameters.dense_1.w",
        "first tensor that differs in last.safetensors: parameters.dense_1.w",
    ):
        assert line in found.stdout


def test_diff_of_equal_runs_exits_with_0(two, command):
    shutil.copytree("runs/flowers", "runs/same")
    found = command("diff", "runs/flowers", "runs/same")
    assert found.exit_code == 0 and found.stdout.startswith("equal, bit for bit: 3 epochs")
    result = json.loads(command("diff", "runs/flowers", "runs/same", "--json").stdout)
    assert result["equal"] is True and result["replayed"] is False


@pytest.mark.parametrize("arguments", [("verify", "runs"), ("diff", "runs/flowers", "runs/x")])
def test_what_is_no_run_is_a_usage_error(two, command, arguments):
    found = command(*arguments)
    assert (found.exit_code, found.stdout) == (2, "") and "run directory" in found.stderr
