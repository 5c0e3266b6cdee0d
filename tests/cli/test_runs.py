import json
import shutil
from pathlib import Path

import pytest

from nettrain.cli.completion import complete_run


@pytest.fixture
def two(trained, tmp_path, monkeypatch):
    """The current folder, with the runs flowers and tulips."""
    for name in ("flowers", "tulips"):
        shutil.copytree(trained / "runs/flowers", tmp_path / "runs" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_lists_the_folder_runs(two, command):
    found = command("runs")
    assert found.exit_code == 0 and found.stderr == ""
    for word in ("flowers", "tulips", "finished", "mlp", "csv", "accuracy", "KB"):
        assert word in found.stdout


def test_json_holds_every_field(two, command):
    found = json.loads(command("runs", "--json", "--where", "name=tulips").stdout)
    [entry] = found["runs"]
    assert (entry["name"], entry["path"], entry["state"]) == ("tulips", "runs/tulips", "finished")
    assert set(entry) >= {"kind", "data", "model", "metric", "validation", "test", "size", "ended"}


def test_an_empty_list_is_told_on_stderr(two, command):
    found = command("runs", "--where", "model.type=cnn")
    assert (found.exit_code, found.stdout) == (0, "")
    assert found.stderr == "no runs in runs with these values\n"


def test_delete_removes_the_named_runs_alone(two, command):
    found = command("runs", "--delete", "tulips")
    assert (found.exit_code, found.stderr) == (0, "deleted runs/tulips\n")
    assert [path.name for path in Path("runs").iterdir()] == ["flowers"]


def thesis(folder):
    (folder / "runs/flowers/thesis.txt").write_text("")


# The mark of each kind of directory, and where its runs are.
KINDS = {
    "sweep": ("sweep.yaml", ["trials/000", "trials/001", "final"]),
    "cv": ("cv.json", ["fold-1", "fold-2"]),
    "ensemble": ("ensemble.json", ["member-1", "member-2"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_delete_removes_sweeps_folds_and_ensembles_and_nothing_of_the_users(two, command, kind):
    mark, inner = KINDS[kind]
    made = Path("runs/made")
    for name in inner:
        shutil.copytree("runs/flowers", made / name)
    (made / mark).write_text("{}")
    (made / inner[0] / "thesis.txt").write_text("")
    found = command("runs", "--delete", "made")
    assert found.exit_code == 2 and f"it holds {inner[0]}/thesis.txt" in found.stderr
    (made / inner[0] / "thesis.txt").unlink()
    (made / "elsewhere").symlink_to(Path("runs/tulips").absolute())
    assert command("runs", "--delete", "made").exit_code == 2 and made.is_dir()
    (made / "elsewhere").unlink()
    found = command("runs", "--delete", "made")
    assert (found.exit_code, found.stderr) == (0, "deleted runs/made\n")
    assert {path.name for path in Path("runs").iterdir()} == {"flowers", "tulips"}


REFUSED = {
    "a name that does not exist": (
        ["flowers", "tulip"],
        lambda folder: None,
        "--delete tulip: runs has no such run; did you mean 'tulips'?",
    ),
    "a path": (["../runs/flowers"], lambda folder: None, "runs has no such run"),
    "a folder with a file of the user's": (["flowers"], thesis, "it holds thesis.txt"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_deleted_stays(two, command, case):
    names, prepare, message = REFUSED[case]
    prepare(two)
    found = command("runs", *(word for name in names for word in ("--delete", name)))
    assert found.exit_code == 2 and message in found.stderr
    assert {path.name for path in Path("runs").iterdir()} == {"flowers", "tulips"}


def test_delete_and_conditions_cannot_be_used_together(two, command):
    found = command("runs", "--delete", "tulips", "--where", "name=flowers")
    assert found.exit_code == 2 and "--delete takes names alone" in found.stderr
    assert Path("runs/tulips").is_dir()


def test_the_shell_completes_runs(two):
    (two / "runs/deep").mkdir()
    assert list(complete_run("runs/")) == ["runs/deep/", "runs/flowers", "runs/tulips"]
    assert list(complete_run("runs/t")) == ["runs/tulips"]
    assert list(complete_run("")) == ["runs/"]
    assert list(complete_run("nothing/x")) == []
