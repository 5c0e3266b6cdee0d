"""`export --to numpy`: the program alone predicts what nettrain does, and needs NumPy alone."""

import ast
import csv
import runpy
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app

OWN = {"csv", "math", "re", "zlib", "sys", "pathlib", "statistics", "numpy"}


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
            "truth": ("false", "true")[i % 2],
            "code": str(i % 3),
        }
        lines.append(f'{a},{i},"{city}",{y[target]}')
    return "\n".join([*lines, ""])


CASES = {
    "regression": ("value", {}),
    "classes": ("kind", {}),
    "truth values": ("truth", {}),
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
                "target_transforms": ["clamp", {"type": "minmax", "low": -1}, "standardize"],
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


def decided(run, file):
    """What `nettrain predict` writes but for probabilities."""
    rows = csv.reader(command("predict", run, file).stdout.splitlines())
    header, *cells = rows
    places = [i for i, name in enumerate(header) if name.startswith("prediction")]
    return [",".join(row[i] for i in places) for row in (header, *cells)]


def printed(program, file):
    done = subprocess.run([sys.executable, "-I", program, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("case", CASES)
def test_the_program_predicts_what_nettrain_predicts(case, tmp_path):
    run = trained(tmp_path, *CASES[case])
    program = exported(run, tmp_path / "plain")
    header, *found = printed(program, tmp_path / "t.csv")
    expected = decided(run, tmp_path / "t.csv")
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
    loaded = "import sys, predict; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=program.parent, capture_output=True, text=True
    )
    assert done.returncode == 0 and "numpy" in done.stdout.split()
    assert "nettrain" not in done.stdout.split()


@pytest.mark.parametrize("case", ["transforms", "classes"])
def test_the_program_is_laid_out_as_by_hand(case, tmp_path):
    program = exported(trained(tmp_path, *CASES[case]), tmp_path / "plain")
    for words in (["check", "--select", "E,F,W,I,B,UP,SIM,C4,PIE"], ["format", "--check"]):
        line = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "100"]
        done = subprocess.run([*line, program], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_name_of_a_run_cannot_add_code(tmp_path):
    run = trained(tmp_path, "kind", {"name": 'a"""\nraise SystemExit("added")\n"""'})
    program = exported(run, tmp_path / "plain")
    assert "predict" in runpy.run_path(str(program))  # no SystemExit


def test_what_is_given_to_predict_stays_as_it_is(tmp_path):
    predict = runpy.run_path(
        str(exported(trained(tmp_path, "value", CASES["transforms"][1]), tmp_path / "plain"))
    )["predict"]
    x, texts = np.array([[np.nan, 2.0], [1.0, 3.0]]), {"city": ["Bern", ""]}
    first = predict(x, texts)
    assert texts == {"city": ["Bern", ""]} and np.isnan(x[0, 0])
    np.testing.assert_array_equal(first, predict(x, texts))
    many = predict(np.tile(x, (600, 1)), {"city": ["Bern", ""] * 600})  # of several batches
    np.testing.assert_allclose(many, np.tile(first, (600, 1)), rtol=1e-5)


@pytest.fixture(scope="module")
def image_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    config = {
        "dataset": {"source": "digits", "limit": 200},
        "model": {"type": "cnn", "blocks": [{"filters": 4, "batch_norm": True, "pool": 2}]},
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=folder, run_name="run")
    return folder / "run"


def test_images_and_their_layers_are_held(image_run, tmp_path):
    model = nettrain.load(image_run)
    x = model.training_data.dataset.features.array[:40]
    program = exported(image_run, tmp_path / "plain")
    expected = [str(one) for one in model.predict(x)]
    np.save(tmp_path / "new.npy", x)
    np.savez(tmp_path / "new.npz", x=x, y=np.zeros(40))
    np.save(tmp_path / "flat.npy", x.reshape(40, -1))
    np.save(tmp_path / "gray.npy", x[..., 0])
    assert printed(program, tmp_path / "new.npy") == ["prediction", *expected]
    read_array = runpy.run_path(str(program))["read_array"]
    for name in ("new.npz", "flat.npy", "gray.npy"):
        np.testing.assert_array_equal(read_array(tmp_path / name, (8, 8, 1)), x)


def test_an_array_that_does_not_fit_is_refused(image_run, tmp_path):
    scope = runpy.run_path(str(exported(image_run, tmp_path / "plain")))
    for shape in ((4, 16, 16, 1), (4, 1, 8, 8), (4, 16, 4, 1), (0, 8, 8, 1), (8, 8)):
        np.save(tmp_path / "new.npy", np.zeros(shape))
        with pytest.raises(ValueError, match=r"rows of the shape \(8, 8, 1\), got"):
            scope["read_array"](tmp_path / "new.npy", scope["SHAPE"])
    np.savez(tmp_path / "new.npz", a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(ValueError, match=r"no array x \(there are: a, b\)"):
        scope["read_array"](tmp_path / "new.npz", scope["SHAPE"])
    x = np.zeros((4, 8, 8, 1))
    x[2, 3, 3] = np.nan
    with pytest.raises(ValueError, match="row 2: a number is missing or infinite"):
        scope["predict"](x)


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ({"dataset": {"source": {"target": ["p", "q"], "task": "multilabel"}}}, 2),
        ({"dataset": {"source": {"target": ["p", "q"], "task": "regression"}}}, 2),
    ],
    ids=["labels", "values"],
)
def test_several_targets_are_held(keys, columns, tmp_path):
    rows = [f"{i % 7},{i % 5},{i % 2},{int(i % 3 == 0)}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,p,q", *rows, ""]))
    source = {"type": "csv", "path": str(tmp_path / "t.csv")} | keys["dataset"]["source"]
    source.pop("task")
    loss = "binary_cross_entropy" if "multilabel" in str(keys) else "mse"
    config = {"dataset": {"source": source}, "model": {"type": "mlp", "hidden": [4]}, "loss": loss}
    nettrain.train(config | {"training": {"epochs": 2}}, output_directory=tmp_path, run_name="run")
    program = exported(tmp_path / "run", tmp_path / "plain")
    header, *found = printed(program, tmp_path / "t.csv")
    expected = decided(tmp_path / "run", tmp_path / "t.csv")
    assert header == expected[0] and header.count(",") == columns - 1
    as_numbers = [np.loadtxt(lines, delimiter=",") for lines in (found, expected[1:])]
    np.testing.assert_allclose(*as_numbers, rtol=1e-4, atol=1e-6)


def test_an_autoencoder_is_held(tmp_path):
    config = {
        "dataset": {"source": "digits", "limit": 100, "target": "self"},
        "model": {"type": "mlp", "hidden": [8], "activation": "tanh"},
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    model = nettrain.load(tmp_path / "run")
    rows = model.training_data.dataset
    predict = runpy.run_path(str(exported(tmp_path / "run", tmp_path / "plain")))["predict"]
    expected = model.predictions_of(rows)
    np.testing.assert_allclose(predict(rows.features.array), expected, atol=1e-5)


def test_calibration_and_threshold_are_held(tmp_path):
    keys = {"dataset": {"split": {"validation": 0.5}}}
    run = trained(tmp_path, "kind", keys)
    command("eval", run, "--threshold", "0.3", "--keep-threshold")
    program = exported(run, tmp_path / "plain")
    expected = decided(run, tmp_path / "t.csv")
    assert printed(program, tmp_path / "t.csv") == expected
    assert ">= 0.3" in program.read_text()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A program without imputation."""
    folder = tmp_path_factory.mktemp("plain")
    transforms = [{"type": "drop", "columns": ["a"]}, "standardize", "one_hot"]
    return exported(trained(folder, "value", {"dataset": {"transforms": transforms}}), folder / "p")


def test_a_mistake_in_the_file_ends_the_program_without_traceback(plain, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b,city\n1,2,Bern\n1,two,Bern\n")
    for name, message in (
        ("bad.csv", "bad.csv:3: column 'b': expected a number, got 'two'"),
        ("none.csv", "No such file"),
    ):
        words = [sys.executable, "-I", plain, tmp_path / name]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
        assert done.stdout == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,city\n1,Bern\n", "new.csv:1: columns are missing: b"),
        ("a,b,b,city\n1,2,2,Bern\n", "new.csv:1: several columns have the name 'b'"),
        ("a,b,city\n1,2\n", "new.csv:2: 2 cells where 3 are expected"),
        ("a,b,city\n", "new.csv: no rows below the header"),
        ("", "new.csv:1: columns are missing: a, b, city"),
        ('a,b,city\n1,2,"Bern\n', "new.csv:2: unexpected end of data"),
        ("a,b,city\n1,,Bern\n", "new.csv:2: column 'b' is missing"),
        ("a,b,city\n1,2,Bern\n1,NA,Bern\n", "new.csv:3: column 'b' is missing"),
        ("a,b,city\n1,inf,Bern\n", "new.csv:2: column 'b': expected a number, got 'inf'"),
        ("a,b,city\n1,1e999,Bern\n", "new.csv:2: column 'b': '1e999' is infinite"),
        ("a,b,city\n1,1_0,Bern\n", "new.csv:2: column 'b': expected a number, got '1_0'"),
    ],
)
def test_no_row_is_guessed(plain, content, message, tmp_path):
    scope = runpy.run_path(str(plain))
    (tmp_path / "new.csv").write_text(content)
    keys = [scope[name] for name in ("NUMBERS", "TEXTS", "MISSING", "OPTIONAL")]
    with pytest.raises(ValueError) as caught:
        scope["read_csv"](tmp_path / "new.csv", *keys)
    assert str(caught.value).endswith(message)


def test_a_file_is_read_as_nettrain_reads_it(plain, tmp_path):
    scope = runpy.run_path(str(plain))
    keys = [scope[name] for name in ("NUMBERS", "TEXTS", "MISSING", "OPTIONAL")]
    assert scope["OPTIONAL"] == ["a"]
    for content in (
        "city;b;more;a\nBern;2;x;\n\n?; 3 ;y;1\n",
        'city,"b",a\nBern,2,NA\n"NA",3.0,1\n',
        "\ufeffa\tb\tcity\n\t2\tBern\n+1\t3e0\t\n",
    ):
        (tmp_path / "new.csv").write_text(content, encoding="utf-8")
        x, texts = scope["read_csv"](tmp_path / "new.csv", *keys)
        np.testing.assert_array_equal(x, [[np.nan, 2], [1, 3]])
        assert texts == {"city": ["Bern", ""]}


def test_numbers_mark_missing_values_by_value(tmp_path):
    source = {"missing": ["-999", "none"]}
    keys = {"dataset": {"transforms": ["impute", "standardize", "one_hot"]}, "source": source}
    text = table("value").replace(",5,", ",-999.0,").replace("\n,", "\nnone,")
    (tmp_path / "t.csv").write_text(text)
    config = {
        "dataset": {
            "source": {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "value"} | source,
            **keys["dataset"],
        },
        "model": {"type": "mlp", "hidden": [8]},
        "training": {"epochs": 2},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    program = exported(tmp_path / "run", tmp_path / "plain")
    expected = decided(tmp_path / "run", tmp_path / "t.csv")
    found = printed(program, tmp_path / "t.csv")
    numbers = np.array(found[1:], float), np.array(expected[1:], float)
    np.testing.assert_allclose(*numbers, rtol=1e-4)


def test_no_logarithm_of_zero_becomes_a_prediction(tmp_path):
    transforms = [{"type": "log", "columns": ["b"]}, {"type": "clip", "low": -5.0}, "impute"]
    keys = {"dataset": {"transforms": [*transforms, "one_hot"]}}
    predict = runpy.run_path(str(exported(trained(tmp_path, "value", keys), tmp_path / "plain")))[
        "predict"
    ]
    with pytest.raises(ValueError, match="no logarithm of -1 "):
        predict(np.array([[1.0, -1.0]]), {"city": ["Bern"]})


def test_what_stands_there_already_stays(tmp_path):
    run = trained(tmp_path, "kind", {})
    exported(run, tmp_path / "plain")
    again = command("export", run, "--to", "numpy", "-o", tmp_path / "plain")
    assert again.exit_code == 2 and "there already" in again.stderr
    words = ("export", run, "--to", "numpy", "-o", tmp_path / "plain", "--overwrite")
    assert command(*words).exit_code == 0


def test_what_the_program_could_not_read_is_named_before_anything_is_written(tmp_path):
    source = {"columns": {"b": {"missing": [-200]}}}
    (tmp_path / "t.csv").write_text(table("value"))
    config = {
        "dataset": {
            "source": {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "value"} | source,
            "transforms": ["impute", "one_hot"],
        },
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    found = command("export", tmp_path / "run", "--to", "numpy", "-o", tmp_path / "plain")
    assert found.exit_code == 2 and "'b' have `missing` marks" in found.stderr
    assert not (tmp_path / "plain").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "adult", "wine_quality", "mnist_lenet5"])
def test_the_examples_are_held(name, tmp_path):
    words = ("fit", f"configs/{name}.yaml", "-o", tmp_path, "--run-name", "run", "--json")
    found = command(*words, "--set", "training.epochs=1")
    assert found.exit_code == 0, found.output
    model = nettrain.load(tmp_path / "run")
    rows = model.training_data.part("test").take(np.arange(300))
    texts = {
        key: [*np.array([*column.values, ""], object)[column.codes]]
        for key, column in rows.features.categories.items()
    }
    predict = runpy.run_path(str(exported(tmp_path / "run", tmp_path / "plain")))["predict"]
    given = (rows.features.array, texts) if texts else (rows.features.array,)
    y = predict(*given)
    expected = model.predictions_of(rows)
    found = y if model.task == "regression" else y[1]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
