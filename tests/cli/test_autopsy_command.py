"""`nettrain autopsy`: what it prints, as lines and as JSON."""

import json
import shutil

import pytest


@pytest.fixture
def diverged(trained, tmp_path, monkeypatch, command):
    """The current folder, with the run `wild` that diverged."""
    monkeypatch.chdir(tmp_path)
    options = ("--set", "optimizer={type: sgd, lr: 1e30}", "--run-name", "wild", "--quiet")
    assert command("fit", trained / "flowers.yaml", *options).exit_code == 3
    return tmp_path


def test_the_batch_the_operation_the_rows_and_the_remedy_are_printed(diverged, command):
    found = command("autopsy", "runs/wild", "-q", "-o", "out")
    assert (found.exit_code, found.stderr) == (0, "")
    text = " ".join(found.stdout.split())
    assert text.startswith("runs/wild: epoch 1, batch ")
    for part in (
        "is the first that leads to NaN or infinite numbers", "forward pass, dense_", ": matmul: ",
        "elements are not finite", "(number in the data: ", "try a lower optimizer.lr (now 1e+30)",
        "reproduction with ", "it diverges too", "nettrain fit out/config.yaml",
    ):  # fmt: skip
        assert part in text
    assert command("fit", "out/config.yaml", "-q", "-o", "again").exit_code == 3


def test_json_holds_the_same(diverged, command):
    found = json.loads(command("autopsy", "runs/wild", "--json", "-q").stdout)
    assert found["cause"]["direction"] == "forward" and found["cause"]["operation"] == "matmul"
    assert found["rows"] and found["reproduction"] is None


def test_a_run_that_did_not_diverge_is_refused(trained, tmp_path, command):
    shutil.copytree(trained / "runs/flowers", tmp_path / "flowers")
    found = command("autopsy", tmp_path / "flowers", "-q")
    assert found.exit_code == 2 and "did not diverge (finished)" in found.stderr
