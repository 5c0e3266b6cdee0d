"""`nettrain export --to onnx`: whole runs, ensembles, every task, and what users do wrong."""

import errno
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.export.onnx import agreement, model, rows, transforms
from nettrain.inspection.temperature import keep_temperature
from nettrain.metrics import Decision

TABLE = "age,city,wage,kind\n" + "\n".join(
    f"{'' if i % 7 == 0 else i},{'' if i % 5 == 0 else 'BO'[i % 2]},{i * 3 % 11},{'xyz'[i % 3]}"
    for i in range(60)
)
CONFIG = """
dataset:
  source: {{type: csv, path: t.csv, target: {target}}}
  transforms: [{{type: impute, flag: true}}, one_hot, standardize]
  {extra}
model: {{type: mlp, hidden: [6]}}
training: {{epochs: 3}}
"""


AUTOENCODER = """
dataset: {source: {type: csv, path: t.csv}, target: self, transforms: [standardize]}
model: {type: mlp, hidden: [2]}
training: {epochs: 2}
"""


@pytest.fixture(scope="module")
def command():
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def fit(run_command, target="kind", extra="", name="run"):
    Path(f"{name}.yaml").write_text(CONFIG.format(target=target, extra=extra))
    found = run_command("fit", f"{name}.yaml", "--quiet", "--run-name", name)
    assert found.exit_code == 0, found.output


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_a_table_with_gaps_and_strings_goes_in_raw(folder, command):
    fit(command)
    found = command("export", "runs/run", "--json", "-o", "model.onnx")
    assert found.exit_code == 0, found.output
    summary = json.loads(found.stdout)
    assert summary["inputs"] == ["age", "wage", "city"]
    assert summary["outputs"] == ["label", "probabilities"]
    assert (summary["opset"], summary["ir_version"]) == (18, 8)
    assert summary["rows"] > 5 and summary["difference"] < 1e-6
    row = {"age": [[np.nan]], "wage": [[3]], "city": [["O"]]}
    feeds = {
        key: np.array(value, object if key == "city" else np.float32) for key, value in row.items()
    }
    label, probabilities = session("model.onnx").run(None, feeds)
    (folder / "new.csv").write_text("age,city,wage\n,O,3\n")
    said = (
        command("predict", "runs/run", "new.csv", "--probabilities").stdout.split()[-1].split(",")
    )
    assert label.tolist() == [said[0]]
    np.testing.assert_allclose(probabilities[0], np.array(said[2:], float), atol=1e-6)


def test_values_come_in_original_units_and_one_matrix_goes_in(folder, command):
    rows = "\n".join(f"{i},{i % 4},{1000 + 50 * i}" for i in range(40))
    (folder / "t.csv").write_text("a,b,y\n" + rows)
    fit(command, "y", "target_transforms: [standardize]")
    found = command("export", "runs/run", "--inputs", "matrix")
    assert found.exit_code == 0, found.output
    x = np.array([[3, 1], [30, 2]], np.float32)
    (values,) = session("run.onnx").run(["variable"], {"X": x})
    np.testing.assert_allclose(values[:, 0], nettrain.load("runs/run").predict(x), rtol=1e-5)


@pytest.mark.parametrize("vote", ["mean", "majority"])
def test_an_ensemble_votes_inside_the_graph(folder, command, vote):
    Path("e.yaml").write_text(
        CONFIG.format(target="kind", extra="") + f"ensemble: {{members: 3, vote: {vote}}}\n"
    )
    made = command("ensemble", "e.yaml", "--quiet", "--executor", "serial", "--run-name", "many")
    assert made.exit_code == 0, made.output
    found = command("export", "runs/many", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["difference"] < 1e-5


def test_images_go_in_as_bytes_and_integers_come_out(folder, command):
    made = command("fit", "digits", "--quiet", "--run-name", "d", "--set", "training.epochs=1", "--set", "dataset.limit=300")  # fmt: skip
    assert made.exit_code == 0, made.output
    found = command("export", "runs/d", "--opset", "20")
    assert found.exit_code == 0, found.output
    run = session("d.onnx")
    (image,) = run.get_inputs()
    assert (image.type, image.shape) == ("tensor(uint8)", ["n", 8, 8, 1])
    x = np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1) % 17
    labels, _ = run.run(None, {"image": x})
    assert labels.dtype == np.int64
    assert labels.tolist() == nettrain.load("runs/d").predict(x).tolist()


def test_a_wrong_class_table_is_not_left(folder, command, monkeypatch):
    fit(command)
    right = model.class_labels
    monkeypatch.setattr(model, "class_labels", lambda predictor: (right(predictor)[0][::-1], True))
    found = command("export", "runs/run")
    assert found.exit_code != 0 and "the label " in found.output and "row 1:" in found.output
    assert not (folder / "run.onnx").exists()


def test_labels_are_ties_within_the_tolerance_alone():
    near = SimpleNamespace(
        task="classification",
        schema=SimpleNamespace(labels=np.array(["x", "y"])),
        decision=Decision(),
        decided=lambda p: np.array(["x", "y"])[p.argmax(axis=1)],
    )
    for gap, expected in ((1e-7, (1, False)), (1e-3, (0, True))):
        p = np.array([[0.5 + gap, 0.5 - gap]])
        outputs = {"probabilities": p, "label": np.array(["y"], object)}
        found = agreement._probabilities_compared(outputs, p, near)
        assert (found.ties, bool(found.problem)) == expected


def test_values_are_judged_by_the_spread_of_the_targets(folder, command, monkeypatch):
    rows = "\n".join(f"{i},{1 + i % 9 * 1e-3}" for i in range(40))
    (folder / "t.csv").write_text("a,y\n" + rows)
    fit(command, "y", "target_transforms: [standardize]")
    assert command("export", "runs/run", "-o", "right.onnx").exit_code == 0
    right = transforms._linear_inverse
    monkeypatch.setattr(
        transforms,
        "_linear_inverse",
        lambda g, *rest: g.add("Add", right(g, *rest), g.scalar(9e-6)),  # of values of about 1
    )
    found = command("export", "runs/run")
    assert found.exit_code != 0 and "standard deviations apart" in found.output
    assert not (folder / "run.onnx").exists()


def test_large_values_may_differ_by_the_rounding_of_float32():
    large = 1e6 + np.arange(4.0)[:, None]
    rows = Dataset(Features(np.zeros((4, 1))), None)
    assert agreement.values_compared(large.astype(np.float32), large, rows).difference == 0
    assert agreement.values_compared(large + 2, large, rows).problem


def test_a_full_disk_leaves_nothing(folder, command, monkeypatch):
    fit(command)
    before = sorted(path.name for path in folder.iterdir())

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    found = command("export", "runs/run")
    assert found.exit_code != 0 and "the disk is full" in found.output
    assert sorted(path.name for path in folder.iterdir()) == before


def test_an_autoencoder_is_compared(folder, command):
    rows = "\n".join(f"{i},{i % 4},{i % 7}" for i in range(40))
    (folder / "t.csv").write_text("a,b,c\n" + rows)
    (folder / "run.yaml").write_text(AUTOENCODER)
    made = command("fit", "run.yaml", "--quiet", "--run-name", "run")
    assert made.exit_code == 0, made.output
    found = command("export", "runs/run", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["outputs"] == ["variable"]


def test_numbers_written_for_people_are_plain_in_the_graph(folder, command):
    rows = "\n".join(f"{i},{i}.5 %,{'xy'[i % 2]}" for i in range(40))
    (folder / "t.csv").write_text("a,share,kind\n" + rows)
    fit(command)
    found = command("export", "runs/run")
    assert found.exit_code == 0 and "written for people: share" in " ".join(found.output.split())


def test_made_up_rows_hold_every_category_and_that_is_said(folder, command):
    fit(command)
    (folder / "t.csv").unlink()
    predictor = nettrain.load("runs/run")
    dataset, said = rows.made_up(predictor)
    city = dataset.features.categories["city"]
    assert set(city.values) == {"B", "O", "unseen"}
    assert set(city.codes) == {-1, 0, 1, 2}
    assert np.isnan(dataset.features.array).any()
    assert "2 values of training, an unseen one and missing cells" in said
    found = command("export", "runs/run")
    assert found.exit_code == 0, found.output
    assert said in " ".join(found.output.split())
    assert "not seen" not in found.output


MISTAKES = {
    "target": (["--to", "onyx"], "did you mean 'onnx'"),
    "opset": (["--opset", "3"], "--opset 3"),
    "inputs": (["--inputs", "rows"], "columns or matrix"),
    "matrix": (["--inputs", "matrix"], "takes strings"),
    "ending": (["-o", "a.txt"], "expected .onnx"),
    "folder": (["-o", "no/a.onnx"], "does not exist"),
}


def test_mistakes(folder, command):
    fit(command)
    for arguments, said in MISTAKES.values():
        found = command("export", "runs/run", *arguments)
        assert (found.exit_code, said in found.output) == (2, True), found.output
    (folder / "run.onnx").write_text("mine")
    found = command("export", "runs/run")
    assert found.exit_code == 2 and "exists already" in found.output
    assert (folder / "run.onnx").read_text() == "mine"
    assert command("export", "runs/run", "--overwrite").exit_code == 0
    assert command("export", "runs/nothing").exit_code == 2


def test_a_missing_extra_is_named(folder, command, monkeypatch):
    fit(command)
    monkeypatch.setattr("nettrain.export.onnx.command.find_spec", lambda name: None)
    found = command("export", "runs/run")
    assert found.exit_code == 2 and 'pip install "nettrain[onnx]"' in found.output


def test_a_calibrated_model_is_exported_with_its_temperature(folder, command):
    fit(command, extra="split: {validation: 0.3}")
    assert command("export", "runs/run", "-o", "before.onnx").exit_code == 0
    keep_temperature(Path("runs/run/checkpoints/best.safetensors"), 1.7)
    found = command("export", "runs/run", "--json", "-o", "after.onnx")
    assert found.exit_code == 0 and json.loads(found.stdout)["difference"] < 1e-6
    assert (folder / "before.onnx").read_bytes() != (folder / "after.onnx").read_bytes()


PLUGIN = """
from dataclasses import dataclass
import numpy as np
from nettrain import Layer
from nettrain.autodiff import tensor
from nettrain.autodiff.primitive import ElementWise


class Cube(ElementWise):
    def forward(self, out, x):
        out[...] = x**3

    def backward(self, grads, dy, out, x):
        grads[0][...] = dy * 3 * x**2
TO_ONNX

@dataclass(frozen=True, kw_only=True)
class Cubed(Layer):
    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return tensor.apply(Cube(), x)
"""
OWN_FORM = """
    def to_onnx(self, builder, x):
        return builder.add("Pow", x, builder.scalar(3.0))
"""


@pytest.mark.parametrize("own", [True, False])
def test_an_operation_of_a_plugin_brings_its_form_or_is_named(folder, command, own):
    (folder / "cube.py").write_text(PLUGIN.replace("TO_ONNX", OWN_FORM if own else ""))
    model = "model: {type: sequential, layers: [{type: dense, units: 4}, cubed, {type: dense}]}\n"
    text = CONFIG.format(target="kind", extra="").replace(
        "model: {type: mlp, hidden: [6]}\n", model
    )
    (folder / "run.yaml").write_text(text + "plugins: [cube.py]\n")
    made = command("fit", "run.yaml", "--quiet", "--allow-plugins")
    assert made.exit_code == 0, made.output
    found = command("export", "runs/run", "--allow-plugins")
    assert found.exit_code == (0 if own else 2), found.output
    assert own or "cubed_1: the operation Cube has no ONNX form" in found.output
    assert (folder / "run.onnx").exists() == own


def test_several_labels_and_a_column_with_the_name_of_an_output(folder, command):
    rows = "\n".join(f"{i},{i % 2},{i % 3 // 2}" for i in range(40))
    for column in ("a", "label"):
        (folder / "t.csv").write_text(f"{column},y,z\n{rows}")
        fit(command, "[y, z]", name=column)
    found = command("export", "runs/label")
    assert found.exit_code == 2 and "column 'label' has the name of an output" in found.output
    assert command("export", "runs/a").exit_code == 0
    x = np.array([[3], [30]], np.float32)
    labels, probabilities = session("a.onnx").run(["label", "probabilities"], {"a": x})
    trained = nettrain.load("runs/a")
    assert labels.tolist() == trained.predict(x).tolist()
    np.testing.assert_allclose(probabilities, trained.probabilities(x), atol=1e-6)


def test_netron_reads_the_file(folder, command):
    netron = pytest.importorskip("netron")
    fit(command)
    command("export", "runs/run")
    host, port = netron.start("run.onnx", address=("127.0.0.1", 0), browse=False)
    try:
        assert netron.status()
    finally:
        netron.stop((host, port))
