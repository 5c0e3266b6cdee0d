"""`export --to numpy`: the program alone predicts what nettrain does, and needs NumPy alone."""

import ast
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app

OWN = {"csv", "math", "zlib", "sys", "pathlib", "statistics", "numpy"}


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def table(target, n=60):
    """A table with gaps, texts and a target."""
    random = np.random.default_rng(4)
    lines = ["a,b,city," + target]
    for i in range(n):
        a = "" if i % 9 == 0 else f"{random.normal():.4f}"
        city = "" if i % 11 == 0 else ("Bern", "Oslo", "Rome, Italy")[i % 3]
        y = {
            "value": f"{random.normal() * 50 + 200:.3f}",
            "kind": ("no", "yes")[i % 2],
            "code": str(i % 3),
        }
        lines.append(f'{a},{i},"{city}",{y[target]}')
    return "\n".join([*lines, ""])


CASES = {
    "regression": ("value", {}),
    "classes": ("kind", {}),
    "numbered classes": ("code", {"optimizer": {"type": "adam", "lr": 0.05}}),
    "transforms": (
        "value",
        {
            "dataset": {
                "transforms": [
                    {"type": "impute", "flag": True},
                    {"type": "quantile", "to": "normal"},
                    {"type": "hash_words", "columns": ["city"], "size": 4},
                ],
                "target_transforms": [{"type": "minmax", "low": -1}, {"type": "standardize"}],
            }
        },
    ),
}


def trained(folder, target, keys):
    (folder / "t.csv").write_text(table(target))
    source = {"type": "csv", "path": str(folder / "t.csv"), "target": target}
    config = {
        "dataset": {"source": source, **keys.get("dataset", {})},
        "model": {"type": "mlp", "hidden": [8], "activation": "silu"},
        "training": {"epochs": 3},
    }
    config |= {key: value for key, value in keys.items() if key != "dataset"}
    nettrain.train(config, output_directory=folder, run_name="run")
    return folder / "run"


def exported(run, folder):
    found = command("export", run, "--to", "numpy", "-o", folder)
    assert found.exit_code == 0, found.output
    return folder / "predict.py"


def printed(program, file):
    done = subprocess.run([sys.executable, "-I", program, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("case", CASES)
def test_the_program_predicts_what_nettrain_predicts(case, tmp_path):
    run = trained(tmp_path, *CASES[case])
    program = exported(run, tmp_path / "plain")
    header, *found = printed(program, tmp_path / "t.csv")
    expected = command("predict", run, tmp_path / "t.csv").stdout.splitlines()
    assert header == expected[0] and len(found) == len(expected) - 1
    if case in ("regression", "transforms"):
        numbers = np.array(found, float), np.array(expected[1:], float)
        np.testing.assert_allclose(*numbers, rtol=1e-4)
    else:
        assert found == expected[1:]


def test_the_program_needs_numpy_alone(tmp_path):
    program = exported(trained(tmp_path, "value", CASES["transforms"][1]), tmp_path / "plain")
    tree = ast.parse(program.read_text())
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= OWN


def test_images_and_their_layers_are_held(tmp_path):
    config = {
        "dataset": {"source": "digits", "limit": 200},
        "model": {"type": "cnn", "blocks": [{"filters": 4, "batch_norm": True, "pool": 2}]},
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    model = nettrain.load(tmp_path / "run")
    x = model.training_data.dataset.features.array[:40]
    np.save(tmp_path / "new.npy", x)
    header, *found = printed(exported(tmp_path / "run", tmp_path / "plain"), tmp_path / "new.npy")
    assert header == "prediction" and found == [str(one) for one in model.predict(x)]


def test_calibration_and_threshold_are_held(tmp_path):
    keys = {"dataset": {"split": {"validation": 0.5}}}
    run = trained(tmp_path, "kind", keys)
    command("eval", run, "--threshold", "0.3", "--keep-threshold")
    program = exported(run, tmp_path / "plain")
    expected = command("predict", run, tmp_path / "t.csv").stdout.splitlines()
    assert printed(program, tmp_path / "t.csv") == expected
    assert ">= 0.3" in program.read_text()


def test_a_mistake_in_the_file_has_its_line(tmp_path):
    program = exported(trained(tmp_path, "value", {}), tmp_path / "plain")
    for content, message in (
        ("a,city\n1,Bern\n", "columns are missing: b"),
        ("a,b,city\n1,2,Bern\n1,two,Bern\n", "bad.csv:3: column 'b': expected a number"),
        ("a,b,city\n1,2\n", "bad.csv:2: 2 cells where 3 are expected"),
        ("a,b,city\n", "no rows below the header"),
    ):
        (tmp_path / "bad.csv").write_text(content)
        words = [sys.executable, "-I", program, tmp_path / "bad.csv"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_what_stands_there_already_stays(tmp_path):
    run = trained(tmp_path, "kind", {})
    exported(run, tmp_path / "plain")
    again = command("export", run, "--to", "numpy", "-o", tmp_path / "plain")
    assert again.exit_code == 2 and "there already" in again.stderr
    words = ("export", run, "--to", "numpy", "-o", tmp_path / "plain", "--overwrite")
    assert command(*words).exit_code == 0
