import csv
import os
from pathlib import Path

import pytest


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


def test_predictions_stand_in_the_order_of_the_rows(trained, command):
    found = command("predict", trained / "runs/flowers", trained / "flowers.csv")
    assert found.exit_code == 0
    kinds = [row["prediction"] for row in rows_of(found.stdout)]
    assert len(kinds) == 60
    truth = [row["kind"] for row in rows_of((trained / "flowers.csv").read_text())]
    assert sum(a == b for a, b in zip(kinds, truth, strict=True)) > 50


def test_a_file_is_written_and_stdout_left_empty(trained, command, tmp_path):
    found = command(
        "predict", trained / "runs/flowers", trained / "flowers.csv", "-o", tmp_path / "out.csv"
    )
    assert (found.stdout, found.stderr) == ("", f"60 rows -> {tmp_path / 'out.csv'}\n")
    assert len(rows_of((tmp_path / "out.csv").read_text())) == 60


def test_probabilities_sum_to_one_and_agree_with_the_prediction(trained, command):
    found = command("predict", trained / "runs/flowers", trained / "flowers.csv", "--probabilities")
    for row in rows_of(found.stdout):
        probabilities = {name: float(row[f"probability_{name}"]) for name in ("red rose", "tulip")}
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert max(probabilities, key=probabilities.get) == row["prediction"]


def test_columns_are_matched_by_name_and_the_target_may_be_absent(trained, command, tmp_path):
    rows = rows_of((trained / "flowers.csv").read_text())
    (tmp_path / "new.csv").write_text(
        "\n".join(["height,other,width", *(f"{row['height']},x,{row['width']}" for row in rows)])
        + "\n"
    )
    same = command("predict", trained / "runs/flowers", trained / "flowers.csv").stdout
    assert command("predict", trained / "runs/flowers", tmp_path / "new.csv").stdout == same


def test_several_values_are_written_in_original_units(folder, command):
    lines = ["x,double,minus", *(f"{x},{2000 + x},{-x}" for x in range(60))]
    Path("lines.csv").write_text("\n".join(lines) + "\n")
    Path("lines.yaml").write_text(
        "dataset: {source: {type: csv, path: lines.csv, target: [double, minus]}}\nmodel: {type: mlp, hidden: []}\nloss: mse\n"
        "optimizer: {type: adam, lr: 0.1}\ntraining: {epochs: 60}\n"
    )
    assert command("fit", "lines.yaml", "--quiet").exit_code == 0
    row = rows_of(command("predict", "runs/lines", "lines.csv").stdout)[30]
    assert float(row["prediction_double"]) == pytest.approx(2030, abs=3)
    assert float(row["prediction_minus"]) == pytest.approx(-30, abs=3)
    found = command("predict", "runs/lines", "lines.csv", "--probabilities")
    assert (found.exit_code, found.stderr) == (
        2,
        "--probabilities: a regression model predicts values, not classes; leave the option out\n",
    )


def test_a_column_that_is_missing_is_named(trained, command, tmp_path):
    (tmp_path / "new.csv").write_text("width,kind\n1.5,tulip\n")
    found = command("predict", trained / "runs/flowers", tmp_path / "new.csv")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "height" in found.stderr


def test_an_output_that_cannot_be_written_is_told(trained, command, tmp_path):
    arguments = ["predict", trained / "runs/flowers", trained / "flowers.csv", "-o"]
    found = command(*arguments, tmp_path)
    assert (found.exit_code, found.stderr) == (
        2,
        f"-o {tmp_path}: is a folder; name a file in it\n",
    )
    found = command(*arguments, tmp_path / "no" / "out.csv")
    assert (found.exit_code, found.stderr) == (
        2,
        f"-o {tmp_path / 'no' / 'out.csv'}: the folder {str(tmp_path / 'no')!r} does not exist\n",
    )


def test_a_device_is_written_to_and_not_replaced(trained, command):
    assert (
        command(
            "predict", trained / "runs/flowers", trained / "flowers.csv", "-o", os.devnull
        ).exit_code
        == 0
    )
    assert not Path(os.devnull).is_file()
