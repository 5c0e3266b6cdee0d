import csv
import json
from pathlib import Path

import pytest

from nettrain.config.load import load


def test_a_rate_is_suggested_on_stdout_and_the_curve_is_all_that_is_written(folder, command):
    before = set(folder.rglob("*"))
    found = command("fit", "flowers.yaml", "--find-lr")
    assert found.exit_code == 0, found.output
    suggestion = float(found.stdout)
    assert 1e-6 < suggestion <= 1
    assert set(folder.rglob("*")) - before == {
        folder / "runs",
        folder / "runs" / "flowers-find-lr.csv",
    }
    rows = list(csv.DictReader(Path("runs/flowers-find-lr.csv").read_text().splitlines()))
    assert list(rows[0]) == ["step", "lr", "loss", "smoothed"] and 20 < len(rows) <= 100
    assert found.stderr.splitlines()[-1].startswith(
        f"next: nettrain fit flowers.yaml --set optimizer.lr={suggestion:g}"
    )
    assert load("flowers.yaml").optimizer.lr == 1e-3


def test_json_prints_one_object_and_a_second_curve_gets_another_name(folder, command):
    command("fit", "flowers.yaml", "--find-lr", "--quiet", "-o", "curves")
    found = json.loads(command("fit", "flowers.yaml", "--find-lr", "--json", "-o", "curves").stdout)
    assert list(found) == ["suggestion", "now", "curve"]
    assert found["curve"] == "curves/flowers-find-lr-2.csv" and Path(found["curve"]).is_file()
    assert found["now"] == 1e-3 and found["suggestion"] > 0


def test_without_a_rate_that_helps_it_says_where_to_look(folder, command):
    Path("flowers.csv").write_text(
        "width,height,kind\n" + "1,2,rose\n1,2,tulip\n" * 20
    )  # nothing to tell them apart by
    found = command("fit", "flowers.yaml", "--find-lr")
    assert found.exit_code == 0
    assert found.stdout == "" and "the loss did not fall at any learning rate" in found.stderr


LBFGS = ["--set", "optimizer=lbfgs", "--set", "training.batch_size=null"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--resume", "runs/x", "--find-lr"], "fit: --find-lr and --resume cannot be used together"),
    (["flowers.yaml", "--find-lr", *LBFGS], "--set optimizer=lbfgs: optimizer: lbfgs chooses its steps itself"),
    (["flowers.yaml", "--find-lr", "--set", "model.hidden=[0]"], "--set model.hidden=[0]: model.hidden[0]: expected a positive integer"),
])  # fmt: skip
def test_a_mistake_ends_with_code_2_and_nothing_written(folder, command, arguments, message):
    found = command("fit", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(message)
    assert not Path("runs").exists()
