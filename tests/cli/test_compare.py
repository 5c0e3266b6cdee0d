import json
import shutil

import pytest


@pytest.fixture
def two(trained, tmp_path, monkeypatch, command):
    """The current folder, with the runs flowers and longer."""
    shutil.copytree(trained / "runs/flowers", tmp_path / "runs/flowers")
    monkeypatch.chdir(tmp_path)
    options = ("--set", "training.epochs=9", "--run-name", "longer", "--quiet")
    assert command("fit", trained / "flowers.yaml", *options).exit_code == 0
    return tmp_path


def test_compare_shows_what_differs_and_whether_it_is_chance(two, command):
    found = command("compare", "runs/flowers", "runs/longer")
    assert found.exit_code == 0, found.output
    for word in ("training.epochs", "difference", "95 % interval", "accuracy"):
        assert word in found.stdout
    assert found.stderr.startswith("accuracy: ")
    assert "McNemar exact" in found.stderr or "are equal" in found.stderr


def test_the_metric_that_decides_can_be_chosen(two, command):
    found = command("compare", "runs/flowers", "runs/longer", "--metric", "loss")
    assert found.stderr.startswith("loss: longer is better than flowers by")
    assert "paired bootstrap: p" in found.stderr
    found = command("compare", "runs/flowers", "runs/longer", "--metric", "los")
    assert found.exit_code == 2 and "did you mean 'loss'?" in found.stderr


def test_json_is_one_object_on_stdout(two, command):
    found = command("compare", "runs/flowers", "runs/longer", "--json", "--part", "validation")
    comparison = json.loads(found.stdout)
    assert list(comparison) == ["part", "runs", "config", "differences", "notes"]
    assert comparison["part"] == "validation" and found.stderr == ""
    assert {one["metric"] for one in comparison["differences"]} >= {"loss", "accuracy"}


def test_three_runs_have_a_table_of_pairs(two, command):
    shutil.copytree("runs/longer", "runs/third")
    found = command("compare", "runs/flowers", "runs/longer", "runs/third")
    assert "third - longer" in found.stdout and "p (Holm)" in found.stdout
    assert "accuracy: longer and third are equal" in found.stderr


def test_runs_of_one_name_are_told_apart_by_their_paths(two, command):
    shutil.copytree("runs/longer", "other/flowers")
    found = command("compare", "runs/flowers", "other/flowers")
    assert "runs/flowers" in found.stdout and "other/flowers" in found.stdout


def test_a_run_named_twice_is_a_usage_error(two, command):
    found = command("compare", "runs/flowers", "./runs/flowers")
    assert (found.exit_code, found.stdout) == (2, "") and "is named twice" in found.stderr


def test_one_test_row_shows_no_difference(two, command):
    rows = [f"{i % 7},{i % 5},{i % 3}.5" for i in range(20)]
    (two / "r.csv").write_text("\n".join(["a,b,y", *rows, ""]))
    split = "{rows: {train: [0, 15], validation: [15, 19], test: [19, 20]}}"
    (two / "r.yaml").write_text(
        f"dataset: {{source: {{type: csv, path: r.csv, target: y}}, split: {split}}}\n"
        "loss: mse\nmodel: {type: mlp, hidden: [2]}\ntraining: {epochs: 1}\n"
    )
    for name, epochs in {"one": 1, "two": 2}.items():
        options = ("--run-name", name, "--quiet", "--set", f"training.epochs={epochs}")
        assert command("fit", "r.yaml", *options).exit_code == 0
    found = command("compare", "runs/one", "runs/two", "--metric", "mae")
    assert found.exit_code == 0
    assert "these rows cannot show whether that is chance" in found.stderr
