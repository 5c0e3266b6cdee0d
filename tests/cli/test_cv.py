"""`nettrain cv`: what is printed where, and what its options do."""

import json
from pathlib import Path

import pytest


def test_a_table_on_stdout_and_a_line_a_fold_on_stderr(command, folder):
    found = command("cv", "flowers.yaml", "--folds", "3", "--executor", "serial")
    assert found.exit_code == 0, found.output
    assert [line.split()[0] for line in found.stderr.splitlines()[:3]] == [
        "fold-1",
        "fold-2",
        "fold-3",
    ]
    assert (
        "95 % interval" in found.stdout and "fold 3" in found.stdout and "accuracy" in found.stdout
    )
    assert "the test part (12 rows) stays untouched; --final" in found.stderr
    assert (folder / "runs" / "flowers-cv" / "predictions.csv").is_file()


def test_json_is_one_object_and_quiet_says_nothing_else(command, folder):
    found = command(
        "cv",
        "flowers.yaml",
        "--folds",
        "2",
        "--repeats",
        "2",
        "--final",
        "--json",
        "--quiet",
        "--workers",
        "2",
        "-o",
        "out",
    )
    assert found.exit_code == 0 and found.stderr == ""
    said = json.loads(found.stdout)
    assert set(said) == {
        "directory", "folds", "mean", "std", "interval", "final", "final_intervals",
    }  # fmt: skip
    assert set(said["final_intervals"]) == set(said["final"]["metrics"])
    assert [(one["repeat"], one["fold"]) for one in said["folds"]] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]
    assert said["directory"] == str(folder / "out" / "flowers-cv") and all(
        Path(one["run_directory"]).is_dir() for one in said["folds"]
    )
    assert len(said["interval"]["accuracy"]) == 2 and set(said["final"]) == {
        "run_directory",
        "epochs",
        "metrics",
    }
    again = command("cv", "--resume", said["directory"], "--json", "--quiet")
    assert json.loads(again.stdout) == said


def test_set_and_seed_change_the_runs(command, folder):
    options = ["--folds", "2", "--json", "--quiet", "--executor", "serial"]
    changes = ([], ["--seed", "1"], ["--set", "seed=1"])
    said = [
        json.loads(command("cv", "flowers.yaml", *options, *more).stdout)["mean"]
        for more in changes
    ]
    assert said[0] != said[1] == said[2]


def test_the_fold_of_a_run_is_evaluated_by_eval(command, folder):
    said = json.loads(
        command(
            "cv", "flowers.yaml", "--folds", "2", "--json", "--quiet", "--executor", "serial"
        ).stdout
    )
    found = command("eval", said["folds"][0]["run_directory"], "--json")
    assert json.loads(found.stdout)["metrics"] == said["folds"][0]["metrics"]


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "cv: name a CONFIG"),
    (["flowers.yaml", "--resume", "runs/x"], "cv: CONFIG and --resume cannot be used together"),
    (["--resume", "runs/x", "--folds", "3", "--final"], "cv: --folds, --final and --resume cannot be used together"),
    (["--resume", "runs/x"], "runs/x: there is no such cross-validation directory"),
    (["flowers.yaml", "--folds", "1"], "--folds: expected 2 or more, got 1"),
    (["flowers.yaml", "--folds", "200"], "48 rows cannot be divided into 200 folds: ask for 48 at most"),
    (["flowers.yaml", "--folds", "26"], "class 'red rose' has 24 rows for 26 folds, and each needs one; ask for 24 folds at most"),
    (["flowers.yaml", "--group", "kinds"], "no column 'kinds'; did you mean 'kind'?"),
    (["flowers.yaml", "--executor", "lokal"], "executor 'lokal' does not exist; did you mean 'local'?"),
    (["flowers.yaml", "--workers", "0"], "workers: expected a whole number from 1"),
    (["flowers.yaml", "--run-name", "a/b"], "expected a name for a folder"),
    (["flowers.yaml", "--set", "model.hiden=3"], "unknown key 'hiden'"),
    (["flowers.yaml", "--set", "dataset.split.test=0", "--final"], "--final: there is no test part to evaluate on: set dataset"),
    (["flower.yaml"], "did you mean 'flowers.yaml'?"),
])  # fmt: skip
def test_a_mistake_is_one_message_and_exit_code_2(command, folder, arguments, said):
    found = command("cv", *arguments)
    assert found.exit_code == 2 and found.stdout == "" and said in found.stderr
    assert not (folder / "runs").exists()
