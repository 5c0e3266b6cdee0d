"""`nettrain calibrate`: the temperature is the best one, is kept, is used everywhere, and can be taken back."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.inspection.temperature import logits_of
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import checkpoint_path

SPLIT = {"validation": 0.3, "test": 0.2}
IRIS = {"source": "iris", "split": SPLIT}
BINARY = {"source": {"type": "moons", "rows": 300}, "split": SPLIT}


def run_in(folder, dataset, **keys):
    config = {
        "dataset": dataset,
        "model": {"type": "mlp", "hidden": [16]},
        "training": {"epochs": 30},
    }
    config["optimizer"] = {"type": "adam", "lr": 0.02}
    nettrain.train({**config, **keys}, output_directory=folder, run_name="run")
    return folder / "run"


def calibrate(run, *options):
    return CliRunner().invoke(app, ["calibrate", str(run), *options])


@pytest.mark.parametrize(
    ("dataset", "loss"),
    [(IRIS, "cross_entropy"), (BINARY, "binary_cross_entropy")],
)
def test_the_log_loss_has_no_slope_at_the_temperature_and_every_command_uses_it(
    tmp_path, dataset, loss
):
    run = run_in(tmp_path, dataset, loss={"type": loss})
    before = nettrain.load(run)
    rows = before.training_data.part("validation")
    z, y = logits_of(before, rows).astype(np.float64), before.truth(rows)
    found = json.loads(calibrate(run, "--json").stdout)
    t = found["temperature"]
    if z.shape[1] == 1:
        p = 1 / (1 + np.exp(-z[:, 0] / t))
        slope = (p - y) * z[:, 0]  # dL/d(1/T) of each row
    else:
        p = np.exp(z / t) / np.exp(z / t).sum(axis=1, keepdims=True)
        slope = (p * z).sum(axis=1) - z[np.arange(len(y)), y]
    assert abs(slope.mean()) < 1e-5
    expected = np.stack([1 - p, p], axis=1) if z.shape[1] == 1 else p
    after = nettrain.load(run)
    np.testing.assert_allclose(after.predictions_of(rows), expected, rtol=1e-9)
    scores = found["scores"]["validation"]
    assert scores["after"]["log_loss"] < scores["before"]["log_loss"]
    assert after.evaluation(rows).metrics["log_loss"] == pytest.approx(scores["after"]["log_loss"])


def test_only_the_metadata_changes_and_remove_takes_it_back(tmp_path):
    run = run_in(tmp_path, IRIS)
    path = checkpoint_path(run)
    first = Checkpoint.read(path)
    assert calibrate(run).exit_code == 0
    second = Checkpoint.read(path)
    assert second.metadata(path).temperature is not None
    assert all((second.tensors[name] == tensor).all() for name, tensor in first.tensors.items())
    assert calibrate(run, "--remove").exit_code == 0
    assert Checkpoint.read(path).content == first.content


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"source": "iris", "split": {"test": 0.2}}, "no validation rows"),
    ],
)
def test_what_cannot_be_calibrated_is_an_error(tmp_path, dataset, message):
    result = calibrate(run_in(tmp_path, dataset))
    assert result.exit_code == 2 and message in " ".join(result.stderr.split())


def test_a_model_that_no_temperature_corrects_is_left_alone(tmp_path):
    (tmp_path / "t.csv").write_text("a,y,part\n" + "\n".join(
        f"{i % 7},{0 if i % 3 == 0 else i % 2},{'validation' if i % 3 == 0 else 'train'}"
        for i in range(60)
    ))  # fmt: skip
    source = {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"}
    run = run_in(tmp_path, {"source": source, "split": {"column": "part"}}, training={"epochs": 1})
    before = Checkpoint.read(checkpoint_path(run)).content
    found = calibrate(run)
    assert found.exit_code == 2 and "the checkpoint stays as it is" in found.stderr
    assert Checkpoint.read(checkpoint_path(run)).content == before
