"""Several quantiles at once, and conformal intervals: losses, columns, units, coverage, exports, scikit-learn, messages."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.cli.main import app
from nettrain.errors import ConfigError, NettrainError
from nettrain.inference.conformal import Conformal
from nettrain.metrics import Decision
from nettrain.nn.loss import Loss

LEVELS = (0.1, 0.5, 0.9)
SEVERAL = {"type": "quantile", "quantiles": list(LEVELS)}


def command(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def columns(text):
    header, *rows = csv.reader(text.splitlines())
    return dict(zip(header, np.array(rows, float).T, strict=True))


def test_the_loss_of_several_quantiles_is_the_mean_of_their_losses():
    chance = streams.generator(0, "quantiles")
    y, z = chance.normal(size=(5, 2)), chance.normal(size=(5, 3, 2))
    found = Loss.parse(SEVERAL).rows(Tensor(z.reshape(5, 6)), Tensor(y)).value
    each = [
        Loss.parse({"type": "quantile", "q": q}).rows(Tensor(z[:, i]), Tensor(y)).value
        for i, q in enumerate(LEVELS)
    ]
    np.testing.assert_allclose(found, np.mean(each, axis=0))
    sorted_ = Loss.parse(SEVERAL).predictions(z.reshape(5, 6), "regression")
    np.testing.assert_array_equal(sorted_.reshape(5, 3, 2), np.sort(z, axis=1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"quantiles": [0.5, 0.2]}, "quantiles must rise"),
        ({"quantiles": [0.5, 0.5]}, "quantiles must rise"),
        ({"quantiles": [0.1], "q": 0.3}, "give q or quantiles"),
        ({"quantiles": [0.1, 1.0]}, r"less than 1"),
        ({"quantiles": []}, "at least 1"),
    ],
)
def test_quantiles_that_are_none_say_why(fields, message):
    with pytest.raises(Exception, match=message):
        Loss.parse({"type": "quantile", **fields})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two targets whose spread rises with x, one of them learned after a logarithm."""
    folder, chance = tmp_path_factory.mktemp("quantiles"), streams.generator(1, "rows")
    x = chance.uniform(-2, 2, 300)
    y, z = np.exp(x / 2 + 0.2 * chance.normal(size=300)), x**2 + chance.normal(size=300)
    rows = [f"{a!r},{b!r},{c!r}" for a, b, c in zip(*(v.tolist() for v in (x, y, z)), strict=True)]
    (folder / "t.csv").write_text("\n".join(["x,y,z", *rows]) + "\n")
    source = {"type": "csv", "path": str(folder / "t.csv"), "target": ["y", "z"]}
    log = {"type": "log", "shift": 0.5, "columns": ["y"]}
    config = {
        "dataset": {"source": source, "target_transforms": ["clamp", log, "standardize"]},
        "model": {"type": "mlp", "hidden": [8]},
        "loss": SEVERAL,
        "optimizer": {"type": "adam", "lr": 0.02},
        "training": {"epochs": 15, "kernels": "numpy"},
        "baseline": ["constant"],
    }
    nettrain.train(config, output_directory=folder, run_name="run")
    assert command("calibrate", folder / "run", "--level", 0.7).exit_code == 0
    return folder / "run"


def test_predict_gives_the_median_its_quantiles_and_an_interval(run):
    file = run.parent / "t.csv"
    found, model = columns(command("predict", run, file).stdout), nettrain.load(run)
    x = np.array([[float(line.split(",")[0])] for line in file.read_text().splitlines()[1:]])
    quantiles, values = model.quantiles(x), model.predict(x)
    assert quantiles.shape == (300, 3, 2) and values.shape == (300, 2)
    np.testing.assert_array_equal(values, quantiles[:, 1])
    assert (np.diff(quantiles, axis=1) >= 0).all() and (quantiles[:, :, 0] > 0).all()
    for i, target in enumerate("yz"):
        np.testing.assert_array_equal(found[f"prediction_{target}"], values[:, i])
        for j, level in enumerate(LEVELS):
            np.testing.assert_array_equal(found[f"quantile_{level}_{target}"], quantiles[:, j, i])
        for end, values_of_end in zip(("lower", "upper"), model.interval(x), strict=True):
            np.testing.assert_array_equal(found[f"{end}_{target}"], values_of_end[:, i])
    wider, narrower = model.interval(x, 0.95), model.interval(x, 0.5)
    assert (wider[0] <= narrower[0]).all() and (narrower[1] <= wider[1]).all()


def test_eval_measures_the_intervals_at_the_level_asked_for(run):
    found = [
        json.loads(command("eval", run, "--split", "validation", "--json", *more).stdout)
        for more in ([], ["--level", 0.9])
    ]
    assert [one["level"] for one in found] == [0.7, 0.9]
    covered = [one["metrics"]["coverage"] for one in found]
    assert 0.7 <= covered[0] <= 0.74 and 0.9 <= covered[1] <= 0.94  # of 60 rows: 43, and 55
    assert found[0]["metrics"]["pinball_loss"] < found[0]["baseline"]["pinball_loss"]
    assert found[0]["metrics"]["r2"] > 0.5


def test_both_exports_give_the_same_columns(run):
    pytest.importorskip("onnxruntime")
    folder, expected = run.parent, columns(command("predict", run, run.parent / "t.csv").stdout)
    told = command("export", run, "-o", folder / "m.onnx", "--json")
    assert json.loads(told.stdout)["outputs"] == ["variable", "quantiles", "lower", "upper"]
    assert command("export", run, "--to", "numpy", "-o", folder / "np").exit_code == 0
    program = [sys.executable, "-I", folder / "np" / "predict.py", folder / "t.csv"]
    found = columns(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


def test_an_export_takes_another_level(run):
    folder, file = run.parent, run.parent / "t.csv"
    expected = columns(command("predict", run, file, "--level", 0.5).stdout)
    assert (
        command("export", run, "--to", "numpy", "-o", folder / "half", "--level", 0.5).exit_code
        == 0
    )
    program = [sys.executable, "-I", folder / "half" / "predict.py", file]
    found = columns(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
    np.testing.assert_allclose(found["lower_y"], expected["lower_y"], rtol=1e-4, atol=1e-5)


def test_an_ensemble_has_intervals_that_hold_for_new_rows(tmp_path):
    config = {
        "dataset": {"source": {"type": "sine", "rows": 800, "noise": 0.3}, "split": {"validation": 0.2, "test": 0.6}},
        "model": {"type": "mlp", "hidden": [8]},
        "training": {"epochs": 5, "kernels": "numpy"},
        "ensemble": {"members": 2},
    }  # fmt: skip
    made = nettrain.ensemble(config, output_directory=tmp_path, executor="serial")
    told = command("calibrate", made.directory, "--level", 0.8)
    assert told.exit_code == 0 and "have also chosen the best epoch" in " ".join(
        told.stderr.split()
    )
    found = command("eval", made.directory, "--json").stdout
    covered = json.loads(found)["metrics"]["coverage"]
    assert covered == pytest.approx(0.8, abs=0.1)  # 160 rows to calibrate on: 3 standard deviations
    model = nettrain.load(made.directory)
    lower, upper = model.interval(np.zeros((1, 1)))
    assert upper - lower == pytest.approx(2 * model.conformal.margins[0])
    assert command("calibrate", made.directory, "--remove").exit_code == 0
    assert nettrain.load(made.directory).conformal is None


def test_intervals_can_be_made_on_rows_that_chose_nothing(run):
    told = command("calibrate", run, "--on", run.parent / "t.csv", "--level", 0.7, "--json")
    found = json.loads(told.stdout)
    assert list(found["scores"]) == ["t.csv"] and not found["chose_epoch"]
    assert nettrain.load(run).conformal.scores.shape[-1] == 300
    assert command("calibrate", run, "--level", 0.7).exit_code == 0


def test_a_calibration_is_no_part_of_what_training_has_left(run):
    assert command("verify", run).exit_code == 0
    kept = nettrain.load(run).conformal
    assert command("calibrate", run, "--remove").exit_code == 0
    model = nettrain.load(run)
    assert model.conformal is None
    told = command("predict", run, run.parent / "t.csv", "--level", 0.5)
    assert told.exit_code == 2 and "nettrain calibrate makes them" in told.stderr
    assert command("calibrate", run, "--level", 0.7).exit_code == 0
    assert (nettrain.load(run).conformal.scores == kept.scores).all()
    told = command("eval", run, "--level", 0.999)
    assert "needs at least 999 calibration rows, there are 60" in told.stderr


def test_a_level_is_of_intervals_alone(tmp_path):
    config = {"dataset": {"source": "iris"}, "model": "mlp", "training": {"epochs": 1}}
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    for verb in (["calibrate"], ["eval"]):
        told = command(*verb, tmp_path / "run", "--level", 0.5)
        assert told.exit_code == 2
    with pytest.raises(NettrainError, match="predicts no quantiles"):
        nettrain.load(tmp_path / "run").quantiles(np.ones((2, 4)))


@pytest.mark.parametrize("levels", [(), (0.3, 0.6), (0.05, 0.25, 0.5, 0.75, 0.95)])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_coverage_of_new_rows_is_the_level_whatever_the_predictions(levels, level):
    """Over 300 calibrations on 39 rows; its standard deviation is at most 0.5 / sqrt(300) / 6."""
    chance, decision, covered = streams.generator(2, "coverage"), Decision(levels=levels), []
    for _ in range(300):
        y = chance.standard_cauchy((139, 1))
        wrong = np.sort(chance.normal(1, 2, (139, max(len(levels), 1))), axis=1)
        conformal = Conformal.fit(wrong[:39], y[:39], decision).at(level)
        lower, upper = conformal.interval(wrong[39:])
        covered.append(((lower <= y[39:]) & (y[39:] <= upper)).mean())
    assert np.mean(covered) == pytest.approx(level, abs=0.02)  # 40 level is whole: no more


def test_the_pair_of_quantiles_nearest_to_the_level_is_corrected():
    decision = Decision(levels=(0.05, 0.25, 0.5, 0.75, 0.95))
    found = Conformal.fit(np.zeros((99, 5)), np.ones((99, 1)), decision)
    assert [found.at(level).pair for level in (0.9, 0.99, 0.6, 0.2)] == [0, 0, 1, 1]
    assert found.at(0.9).margins.tolist() == [1]
    for level in (0.0, 1.0):
        with pytest.raises(ConfigError, match=r"expected a number in \(0, 1\)"):
            found.at(level)


def test_an_interval_never_turns_over():
    decision = Decision(levels=(0.1, 0.9))
    narrow = Conformal.fit(np.array([[-9.0, 9]] * 20), np.zeros((20, 1)), decision)
    lower, upper = narrow.interval(np.array([[-1.0, 2.0]]))
    assert lower.tolist() == upper.tolist() == [[0.5]]
