"""`nettrain ensemble`: what is printed where, and that its checkpoint goes on to `eval` and `predict`."""

import json

import pytest

SMALL = ["--set", "ensemble.members=3", "--executor", "serial"]


def test_members_gain_and_disagreement_are_shown(command, folder):
    found = command("ensemble", "flowers.yaml", *SMALL, "--set", "ensemble.method=bagging")
    assert found.exit_code == 0, found.output
    assert [line.split()[0] for line in found.stderr.splitlines()[:3]] == [
        "member-1",
        "member-2",
        "member-3",
    ]
    assert all(
        text in found.stdout
        for text in ("member-3", "mean member", "ensemble (test)", "out of bag")
    )
    assert (
        "disagreement of two members on test: " in found.stderr
        and "each predicted by the members that were not trained on it" in found.stderr
    )


def test_its_directory_is_evaluated_and_predicts_like_a_run(command, folder):
    said = json.loads(command("ensemble", "flowers.yaml", *SMALL, "--json", "--quiet").stdout)
    assert set(said) == {
        "directory",
        "checkpoint",
        "method",
        "vote",
        "members",
        "metrics",
        "mean_member",
        "disagreement",
        "out_of_bag",
        "notes",
        "intervals",
    }
    for path in (said["directory"], said["checkpoint"]):
        assert (
            json.loads(command("eval", path, "--json").stdout)["metrics"] == said["metrics"]["test"]
        )
    predicted = command(
        "predict", said["directory"], "flowers.csv", "--probabilities", "-o", "p.csv"
    )
    assert predicted.exit_code == 0 and (folder / "p.csv").read_text().startswith(
        "prediction,probability,probability_red rose,probability_tulip\n"
    )
    shown = command("eval", said["directory"], "--split", "train")
    assert (
        shown.exit_code == 0 and "baseline" in shown.stdout and "true \\ predicted" in shown.stdout
    )
    again = command("ensemble", "--resume", said["directory"], "--json", "--quiet")
    assert json.loads(again.stdout) == said and again.stderr == ""


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "ensemble: name a CONFIG"),
    (["flowers.yaml", "--resume", "runs/x"], "ensemble: CONFIG and --resume cannot be used together"),
    (["--resume", "runs/x"], "runs/x: there is no such ensemble directory"),
    (["flowers.yaml", "--set", "ensemble.members=1"], "ensemble.members: expected an integer from 2 to 1000, got 1"),
    (["flowers.yaml", "--set", "ensemble.methd=1"], "unknown key 'methd'; did you mean 'method'?"),
    (["flowers.yaml", "--set", "ensemble.method=boosting", "--set", "training.class_weights=balanced"],
     "training.class_weights: boosting weighs the rows itself"),
    (["flowers.yaml", "--executor", "dusk"], "executor 'dusk' does not exist"),
])  # fmt: skip
def test_a_mistake_is_one_message_and_exit_code_2(command, folder, arguments, said):
    found = command("ensemble", *arguments)
    assert found.exit_code == 2 and said in found.stderr and found.stdout == ""
    assert not (folder / "runs").exists()


def test_fit_says_who_reads_the_key(command, folder):
    found = command("fit", "flowers.yaml", "--set", "ensemble.members=3")
    assert (
        found.exit_code == 2
        and "run it with `nettrain ensemble`, or leave this key out" in found.stderr
    )
