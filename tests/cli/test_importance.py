"""`nettrain importance`, run as a user runs it."""

import json

from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app

CONFIG = {
    "dataset": {
        "source": {"type": "csv", "target": "kind"},
        "split": {"validation": 0.2, "test": 0.3},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 3, "batch_size": 8},
}


def train(folder):
    colours = ("red", "green", "blue")
    rows = [f"{i % 7},{colours[i % 3]},{'yes' if i % 3 else 'no'}" for i in range(60)]
    (folder / "table.csv").write_text("\n".join(["size,colour,kind", *rows, ""]))
    source = CONFIG["dataset"]["source"] | {"path": str(folder / "table.csv")}
    config = CONFIG | {"dataset": CONFIG["dataset"] | {"source": source}}
    nettrain.train(config, output_directory=folder, run_name="run")
    return str(folder / "run")


def run(*words):
    return CliRunner().invoke(app, ["importance", *words])


def test_importance_lists_raw_columns_and_dependence_is_csv(tmp_path):
    path = train(tmp_path)
    found = json.loads(run(path, "--json", "--repeats", "3").stdout)
    assert {one["feature"] for one in found["features"]} == {"size", "colour"}
    assert found["part"] == "test" and found["metric"] == "accuracy"
    lines = run(path, "--dependence", "colour").stdout.splitlines()
    assert lines[0] == "colour,probability_no,probability_yes"
    assert [line.split(",")[0] for line in lines[1:]] == ["blue", "green", "red"]
    table = run(path, "--part", "validation")
    assert "colour" in table.stdout and "validation rows" in table.stdout


def test_a_wrong_name_is_exit_2_and_names_the_nearest(tmp_path):
    path = train(tmp_path)
    for words, expected in {
        ("--dependence", "color"): "did you mean 'colour'",
        ("--metric", "acuracy"): "did you mean 'accuracy'",
        ("--part", "tset"): "did you mean 'test'",
    }.items():
        failed = run(path, *words)
        assert failed.exit_code == 2 and expected in failed.stderr
