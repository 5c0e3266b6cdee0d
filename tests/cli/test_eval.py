import json
from pathlib import Path

import pytest


def test_eval_judges_the_test_part_by_default(trained, command):
    found = json.loads(command("eval", trained / "runs/flowers", "--json").stdout)
    assert list(found) == [
        "checkpoint",
        "split",
        "metrics",
        "baseline",
        "linear",
        "intervals",
        "classes",
        "confusion_matrix",
    ]
    assert (found["split"], found["classes"]) == ("test", ["red rose", "tulip"])
    assert Path(found["checkpoint"]).name == "best.safetensors"
    assert sum(map(sum, found["confusion_matrix"])) == 12
    assert found["baseline"]["accuracy"] == 0.5 and found["linear"]["accuracy"] > 0.5


def test_eval_agrees_with_the_summary_of_fit(trained, command):
    summary = json.loads((trained / "runs/flowers/summary.json").read_text())
    for part, metrics in summary["metrics"].items():
        assert (
            json.loads(command("eval", trained / "runs/flowers", "--split", part, "--json").stdout)[
                "metrics"
            ]
            == metrics
        )


def test_every_metric_that_eval_shows_has_its_interval(trained, command):
    found = json.loads(command("eval", trained / "runs/flowers", "--json").stdout)
    accuracy = found["metrics"]["accuracy"]
    low, high = found["intervals"]["accuracy"]
    assert 0 <= low < accuracy <= high <= 1 and "loss" in found["intervals"]
    shown = command("eval", trained / "runs/flowers").stdout
    assert "95 % interval" in shown and f"{low:.4f} to {high:.4f}" in shown


def test_fit_shows_the_intervals_that_eval_shows(folder, command):
    fitted = json.loads(command("fit", "flowers.yaml", "--json").stdout)
    evaluated = json.loads(command("eval", "runs/flowers", "--json").stdout)
    assert fitted["intervals"]["test"] == evaluated["intervals"]


def test_intervals_of_one_test_row_are_of_shares_alone(folder, command):
    command("fit", "flowers.yaml", "--quiet")
    text = Path("flowers.csv").read_text().splitlines()
    Path("one.csv").write_text("\n".join([*text[:2], ""]))
    found = json.loads(command("eval", "runs/flowers", "--data", "one.csv", "--json").stdout)
    assert list(found["intervals"]) == ["accuracy"]


def test_a_checkpoint_file_is_taken_as_it_is(trained, command):
    path = trained / "runs/flowers/checkpoints/last.safetensors"
    assert json.loads(command("eval", path, "--json").stdout)["checkpoint"] == str(path)


def test_eval_of_a_file(trained, command):
    found = json.loads(
        command(
            "eval", trained / "runs/flowers", "--data", trained / "flowers.csv", "--json"
        ).stdout
    )
    assert sum(map(sum, found["confusion_matrix"])) == 60
    assert found["split"] == str(trained / "flowers.csv")


def test_eval_shows_the_classes_and_the_confusion_matrix(trained, command):
    found = command("eval", trained / "runs/flowers")
    assert found.exit_code == 0
    for word in ("baseline", "linear", "precision", "support", "red rose", "true \\ predicted"):
        assert word in found.stdout


def test_changed_data_is_a_warning(folder, command):
    command("fit", "flowers.yaml")
    text = Path("flowers.csv").read_text().splitlines()
    Path("flowers.csv").write_text("\n".join([text[0], "9.5,1,tulip", *text[2:], ""]))
    found = command("eval", "runs/flowers")
    assert found.exit_code == 0
    assert found.stderr.startswith("warning: the data is not what the model was trained on")


def test_a_file_is_judged_without_baseline_where_the_training_data_is_gone(folder, command):
    command("fit", "flowers.yaml")
    Path("flowers.csv").rename("other.csv")
    found = command("eval", "runs/flowers", "--data", "other.csv", "--json")
    assert json.loads(found.stdout)["baseline"] == {}
    assert found.stderr.startswith("no baseline, since the training data cannot be read: ")


MISTAKES = [
    (
        ["--split", "tst"],
        "--split tst: this run has no such part; did you mean 'test'? (it has train, validation, test)",
    ),
    (
        ["--split", "val"],
        "--split val: this run has no such part; did you mean 'validation'? (it has train, validation, test)",
    ),
    (
        ["--split", "test", "--data", "x.csv"],
        "eval: --split and --data cannot be used together; leave one out",
    ),
    (["--data", "absent.csv"], ""),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_a_mistake_ends_with_code_2(trained, command, options, message):
    found = command("eval", trained / "runs/flowers", *options)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(message) and found.stderr.strip()


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint", b"\xff" * 64])
def test_what_is_no_checkpoint_is_told(tmp_path, command, content):
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    found = command("eval", path)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(f"{path}: ")
