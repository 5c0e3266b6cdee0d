"""Kernels: which a run takes, that it keeps them, and that compiled loops train as NumPy does."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml

import nettrain
from nettrain import streams
from nettrain.errors import ConfigError
from nettrain.layers.dense import Dense
from nettrain.nn.bound_layer import bind
from nettrain.training.callbacks import Callback
from nettrain.training.engine import kernels
from nettrain.training.train import prepare_run

NUMBA = {"training.kernels": "numba"}
DEEP = {
    "training.shards": 2, "training.epochs": 3, "dataset.split": {}, "early_stopping": None, "regularization": {"l2": 1e-3},
    "model": {"type": "sequential", "layers": [
        {"type": "dense", "units": 7}, "batch_norm", {"type": "activation", "function": "relu"}, {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 5}, "layer_norm", {"type": "activation", "function": "sigmoid"}, "dense",
    ]},
}  # fmt: skip


@pytest.fixture
def no_numba(monkeypatch):
    monkeypatch.setattr(kernels, "numba_is_there", lambda: False)


@pytest.fixture
def train(toy, data, tmp_path):
    """Train the toy configuration with changes under a name; the path of its directory."""

    def trained(name, changes=None, **keywords):
        nettrain.train(toy(changes), data, output_directory=tmp_path, run_name=name, **keywords)
        return tmp_path / name

    return trained


def written(run):
    return yaml.safe_load((run / "config.yaml").read_text())["training"]["kernels"]


@pytest.mark.parametrize(("units", "batch_size", "steps", "expected"), [
    (10, 32, 1000, "numpy"),                 # a second of work
    (10, 32, 100_000, "numba"),
    (512, 128, 1000, "numpy"),
    (512, 128, 20_000, "numba"),
    (4096, 512, 1000, "numba"),
])  # fmt: skip
def test_auto_takes_compiled_loops_for_much_work_only(units, batch_size, steps, expected):
    pytest.importorskip("numba")
    assert kernels.kernels_for(bind([Dense(units=units)], (784,)), batch_size, steps) == expected


def test_auto_takes_numpy_where_numba_is_not_installed(no_numba):
    assert kernels.kernels_for(bind([Dense(units=512)], (784,)), 128, 10**9) == "numpy"


@pytest.mark.parametrize(("asked", "there", "compiled"), [
    ("numba", True, True), ("numba", False, False), ("numpy", True, False), ("numpy", False, False),
])  # fmt: skip
def test_a_model_runs_compiled_where_it_was_trained_so_and_numba_is_there(
    asked, there, compiled, monkeypatch
):
    monkeypatch.setattr(kernels, "numba_is_there", lambda: there)
    assert kernels.runs_compiled(asked) is compiled


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("asked", "taken"), [("auto", "numpy"), ("numpy", "numpy"), ("numba", "numba")]
)
def test_what_is_taken_is_written_down(train, asked, taken):
    run = train("run", {"training.kernels": asked})
    environment = json.loads((run / "environment.json").read_text())
    assert written(run) == environment["kernels"] == taken
    assert ("numba" in environment["versions"]) == (taken == "numba")


def test_a_run_with_numpy_does_not_import_numba(tmp_path):
    script = """
import sys, nettrain
x = [[float(i % 7), float(i % 5)] for i in range(40)]
nettrain.train({"dataset": {"source": "memory", "split": "none"}, "model": {"type": "mlp", "hidden": [3]}, "training": {"epochs": 1}},
               (x, [i % 2 for i in range(40)]), output_directory=sys.argv[1])
assert "numba" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_numba_that_is_not_installed_is_an_error_that_names_both_ways_out(
    no_numba, toy, data, tmp_path
):
    with pytest.raises(
        ConfigError,
        match=r'pip install "nettrain\[fast\]", or take --kernels numpy: .* the bits differ',
    ):
        nettrain.train(toy(NUMBA), data, output_directory=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.compiled
@pytest.mark.parametrize("changes", [{}, DEEP])
def test_both_train_to_the_same_weights_but_for_rounding(train, weights, changes):
    plain, loops = (
        weights(train(name, changes | {"training.kernels": name, "dtype": "float64"}))
        for name in ("numpy", "numba")
    )
    assert not np.array_equal(plain, loops)
    np.testing.assert_allclose(loops, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.compiled
def test_threads_change_no_bit(train, figures):
    assert figures(train("one", DEEP | NUMBA, threads=1)) == figures(
        train("two", DEEP | NUMBA, threads=2)
    )


@pytest.mark.compiled
def test_a_broken_run_goes_on_to_the_bit(train, data, stop_at, figures):
    whole = train("whole", NUMBA)
    with pytest.raises(nettrain.NettrainError):
        train("broken", NUMBA, callbacks=[stop_at(7, "SIGINT")])
    broken = whole.parent / "broken"
    nettrain.resume(broken, data, sets=["training.kernels=auto"])  # what was decided stays
    assert written(broken) == "numba"
    assert figures(broken) == figures(whole)


@pytest.mark.compiled
def test_a_run_goes_on_without_numba_only_when_told_to_and_notes_it(train, data, request):
    run = train("run", NUMBA)
    request.getfixturevalue("no_numba")
    more = ["training.epochs=8"]
    with pytest.raises(ConfigError, match="--kernels numpy"):
        nettrain.resume(run, data, sets=more)
    result = nettrain.resume(run, data, sets=[*more, "training.kernels=numpy"])
    assert result.epochs == 8
    assert result.notes[-1:] == [
        "training.kernels: numpy instead of numba from here on, so the bits differ from those of one run"
    ]
    assert written(run) == "numpy"


@pytest.mark.compiled
def test_a_model_is_used_with_the_kernels_that_it_was_trained_with_where_they_are(
    toy, tmp_path, monkeypatch
):
    x = streams.generator(0, "many").normal(size=(3000, 3))  # a full portion and more
    changes = NUMBA | {
        "model": {"type": "mlp", "hidden": [6], "activation": "sigmoid"},
        "training.epochs": 2,
        "early_stopping": None,
    }
    result = nettrain.train(toy(changes), (x, (x[:, 0] > 0) * 1), output_directory=tmp_path)
    loops = nettrain.load(result.run_directory)
    found = loops.evaluate(x, (x[:, 0] > 0) * 1)
    monkeypatch.setattr(kernels, "numba_is_there", lambda: False)
    plain = nettrain.load(result.run_directory)
    other = plain.evaluate(x, (x[:, 0] > 0) * 1)
    assert found["loss"] != other["loss"] == pytest.approx(found["loss"], rel=1e-5)
    np.testing.assert_array_equal(loops.predict(x), plain.predict(x))


class Poison(Callback):
    """Puts a value into a parameter after the first batch."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def batch_end(self, run):
        run.network.vector.views[self.name].flat[0] = self.value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["dense_1.b", "dense_2.w", "dense_2.b"])
def test_what_is_not_finite_ends_a_run_with_exit_code_3(train, name, value):
    pytest.importorskip("numba")
    with pytest.raises(nettrain.NettrainError) as error:
        train(
            "run",
            NUMBA | {"model": {"type": "mlp", "hidden": [6, 6], "activation": "relu"}},
            callbacks=[Poison(name, value)],
        )
    assert error.value.exit_code == 3


@pytest.mark.compiled
@pytest.mark.parametrize(
    "regularization", [{}, {"l1": 1e-3}, {"l2": 1e-3}, {"l1": 1e-3, "l2": 1e-3}]
)
def test_a_step_with_compiled_loops_is_a_step_with_numpy_to_the_bit_where_nothing_is_summed_in_another_order(
    regularization,
):
    """Mean squared error of two outputs: sums of two terms."""
    x, after = streams.generator(0, "x").normal(size=(24, 3)), []
    for name in ("numpy", "numba"):
        config = {
            "dataset": {"source": "memory", "split": "none", "transforms": [], "target_transforms": []}, "model": {"type": "mlp", "hidden": [8]},
            "training": {"kernels": name, "batch_size": 8, "ema": 0.9, "clip_norm": 0.5}, "regularization": regularization,
        }  # fmt: skip
        run = prepare_run(config, (x, x[:, :2] * 2.5))
        for start in (0, 8, 16):
            run.step(np.arange(start, start + 8), 0.01)
        after.append(run.network.vector.values.tobytes() + run.update.average.values.tobytes())
    assert after[0] == after[1]


def test_runs_of_one_process_share_the_loading(toy, data):
    """A search's trial takes compiled loops for less work than a run alone, however many trials there are."""
    layers = prepare_run(toy(), data).network.layers
    steps = int(0.5 * kernels.LOADING / kernels.PER_STEP)
    assert kernels.kernels_for(layers, 8, steps // 2) == "numpy"
    assert kernels.kernels_for(layers, 8, steps // 2, shares_process=True) == (
        "numba" if kernels.numba_is_there() else "numpy"
    )
    assert kernels.kernels_for(layers, 8, 100, shares_process=True) == "numpy"
