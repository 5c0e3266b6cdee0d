"""Real tables from the command line: several targets, groups, unseen categories, gaps, and other containers than CSV."""

import json

import numpy as np
import polars
import pytest

import nettrain
from nettrain import streams

ROWS = 90


@pytest.fixture
def clinic(folder):
    """clinic.csv: two measurements, a city, a patient with three rows each, two labels and two amounts."""
    x = streams.generator(0, "clinic").normal(size=(ROWS, 2))
    lines = ["pulse,sugar,city,patient,flu,cold,dose,days,nothing"]
    for row, (a, b) in enumerate(x.tolist()):
        city, sugar = ["Bern", "Oslo"][row % 2], "" if row % 9 == 0 else f"{b:.4f}"
        lines.append(
            f"{a:.4f},{sugar},{city},p{row // 3},{int(a > 0)},{int(a + b > 0)},{100 + 50 * a:.3f},{b:.3f},"
        )
    (folder / "clinic.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def fit(folder, command, target, ignore, more="", source="clinic.csv", kind="csv"):
    text = f"""\
dataset:
  source: {{type: {kind}, path: {source}, target: {target}, ignore: {ignore}}}
  split: {{group: patient, validation: 0.2, test: 0.2}}
model: {{type: mlp, hidden: [8]}}
optimizer: {{type: adam, lr: 0.03}}
training: {{epochs: 40, batch_size: 9}}
{more}"""
    (folder / "clinic.yaml").write_text(text, encoding="utf-8")
    return command("fit", "clinic.yaml", "--quiet", "--json")


def test_several_labels_are_learned_measured_and_predicted(clinic, command):
    found = fit(clinic, command, "[flu, cold]", "[dose, days, nothing]")
    assert found.exit_code == 0, found.output
    metrics = json.loads(found.stdout)["metrics"]["test"]
    assert metrics["label_accuracy"] > 0.8 and {"subset_accuracy", "roc_auc", "f1"} <= set(metrics)
    shown = command("eval", "runs/clinic").stdout
    assert "flu" in shown and "cold" in shown and "label_accuracy" in shown
    header, first, *_ = command(
        "predict", "runs/clinic", "clinic.csv", "--probabilities"
    ).stdout.splitlines()
    assert header == "prediction_flu,prediction_cold,probability_flu,probability_cold"
    flu, cold, p_flu, p_cold = map(float, first.split(","))
    assert (flu, cold) == (p_flu >= 0.5, p_cold >= 0.5)


def test_several_amounts_are_learned_measured_and_predicted_in_their_units(clinic, command):
    found = fit(clinic, command, "[dose, days]", "[flu, cold, nothing]")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["metrics"]["test"]["r2"] > 0.5
    shown = command("eval", "runs/clinic").stdout
    assert "dose" in shown and "days" in shown
    rows = command("predict", "runs/clinic", "clinic.csv").stdout.splitlines()
    assert rows[0] == "prediction_dose,prediction_days"
    dose = np.array([row.split(",")[0] for row in rows[1:]], dtype=float)
    assert 80 < dose.mean() < 120


def test_no_patient_is_in_two_parts(clinic, command):
    fit(clinic, command, "flu", "[cold, dose, days, nothing]")
    with np.load("runs/clinic/splits.npz") as splits:
        patients = [{row // 3 for row in splits[part].tolist()} for part in splits]
    assert len(patients) == 3 and len(set.union(*patients)) == sum(map(len, patients)) == 30
    assert nettrain.load("runs/clinic").pipeline.schema.texts == ("city",)


def test_an_unseen_category_is_counted_in_one_warning_and_predicted_all_the_same(
    clinic, command, caplog
):
    fit(clinic, command, "flu", "[cold, dose, days, nothing]")
    (clinic / "new.csv").write_text(
        "city,pulse,sugar\nRome,1,1\nRome,-1,\nOslo,1,0\n", encoding="utf-8"
    )
    caplog.clear()
    found = command("predict", "runs/clinic", "new.csv")
    assert found.exit_code == 0 and len(found.stdout.splitlines()) == 4
    said = "categories not seen in training are encoded as zeros: city 'Rome' (2 rows)"
    assert [record.getMessage() for record in caplog.records] == [said]
    assert "missing cells, filled as in training: sugar (1 row)" in found.stderr


def test_a_column_that_is_all_missing_is_named_with_the_remedy(clinic, command):
    found = fit(clinic, command, "flu", "[cold, dose, days]")
    assert found.exit_code == 2 and not (clinic / "runs").exists()
    assert "column 'nothing': missing in all 54 training rows" in " ".join(found.stderr.split())
    assert "leave the column out (`ignore`), or impute with strategy constant" in " ".join(
        found.stderr.split()
    )


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl"])
def test_a_model_trained_on_one_container_reads_the_others(kind, clinic, command):
    frame = polars.read_csv("clinic.csv")
    {"parquet": frame.write_parquet, "arrow": frame.write_ipc, "jsonl": frame.write_ndjson}[kind](
        f"clinic.{kind}"
    )
    found = fit(
        clinic, command, "flu", "[cold, dose, days, nothing]", source=f"clinic.{kind}", kind=kind
    )
    assert found.exit_code == 0, found.output
    own, other = (command("predict", "runs/clinic", f"clinic.{ending}") for ending in (kind, "csv"))
    assert own.stdout == other.stdout and len(own.stdout.splitlines()) == ROWS + 1
