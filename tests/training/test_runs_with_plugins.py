"""Whole runs whose model, loss and metrics are a user's own."""

import shutil
from pathlib import Path

import pytest

import nettrain
from nettrain.errors import CheckpointError, ConfigError, PluginError

PLUGIN = '''\
"""A loss, a layer, an optimizer and a metric of a user's own."""
from dataclasses import dataclass

import numpy as np

from nettrain.losses.cross_entropy import CrossEntropy
from nettrain.metrics import ClassOutcome, Metric
from nettrain.nn.layer import Layer
from nettrain.optim import Rate, Rule


@dataclass(frozen=True, kw_only=True)
class Doubled(CrossEntropy):
    """L = -2 ln p_y."""

    def rows(self, outputs, targets):
        return super().rows(outputs, targets) * 2


@dataclass(frozen=True, kw_only=True)
class Squares(Layer):
    """y = x^2."""

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return x * x


@dataclass(frozen=True, kw_only=True)
class Signed(Rule):
    """w -= lr sign(g)."""

    lr: Rate = 0.01

    def update(self, w, g, slots, work, *, lr, t):
        w -= lr * np.sign(g)


@dataclass(frozen=True, kw_only=True)
class ErrorRate(Metric):
    """1 - accuracy."""

    outcomes = (ClassOutcome,)
    higher_is_better = False

    def value(self, outcome):
        return float((outcome.probabilities.argmax(axis=1) != outcome.targets).mean())
'''


EVERY_KIND = '''\
from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.data.transform import Transform
from nettrain.layers.dense import Dense
from nettrain.nn.architecture import Architecture
from nettrain.nn.initializer import Initializer
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Ramp(Source):
    """y = x > 0."""

    def load(self, seed, extra_columns=()):
        x = np.linspace(-1, 1, 40)[:, None]
        return Dataset(Features(x, ("x",)), Target((x[:, 0] > 0).astype(np.int64), ("side",), ("left", "right")), origin="ramp")


@dataclass(frozen=True, kw_only=True)
class Doubled(Transform):
    """y = 2 x."""

    def fit(self, features):
        return {"by": np.array([2.0])}

    def apply(self, features, state):
        return Features(features.numbers * state["by"], features.names, features.categories)


@dataclass(frozen=True, kw_only=True)
class Single(Architecture):
    """One dense layer."""

    def expand(self, shape, outputs, dropout):
        return [Dense(units=outputs, initializer=Initializer.parse("tenth"))]


@dataclass(frozen=True, kw_only=True)
class Tenth(Initializer):
    """w = 0.1."""

    def sample(self, shape, fan_in, fan_out, generator):
        return np.full(shape, 0.1)


@dataclass(frozen=True, kw_only=True)
class Third(Schedule):
    """lr(t) = lr / 3."""

    def factor(self, t, horizon):
        return 1 / 3
'''


@pytest.fixture
def config(tmp_path, toy, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PLUGIN)
    layers = [{"type": "dense", "units": 4}, "squares", "dense"]
    return toy({"plugins": ["mine.py"], "loss": "doubled", "optimizer": "signed", "model": {"type": "sequential", "layers": layers},
                "regularization": {}, "training.monitor": "validation_error_rate"})  # fmt: skip


def test_a_run_is_trained_extended_and_loaded_with_components_of_its_own(config, data):
    result = nettrain.train(config, data, allow_plugins=True)
    assert result.epochs == 6 and "error_rate" in result.metrics["validation"]
    more = nettrain.resume(
        result.run_directory, data, sets=["training.epochs=8"], allow_plugins=True
    )
    assert more.epochs == 8
    model = nettrain.load(result.run_directory, allow_plugins=True)
    assert model.loss.name() == "doubled" and model.changed_plugins == []
    assert model.predict(data[0]).shape == (40,)
    assert "error_rate" in model.evaluate(*data)


def test_the_next_run_of_the_process_does_not_know_them(config, toy, data):
    nettrain.train(config, data, allow_plugins=True)
    plain = nettrain.train(toy(), data)
    assert "error_rate" not in plain.metrics["validation"]
    with pytest.raises(ConfigError, match="loss 'doubled' does not exist"):
        nettrain.train(toy({"loss": "doubled"}), data)


def test_every_entry_asks_for_permission(config, data):
    with pytest.raises(ConfigError, match="--allow-plugins"):
        nettrain.train(config, data)
    run = nettrain.train(config, data, allow_plugins=True).run_directory
    with pytest.raises(ConfigError, match="--allow-plugins"):
        nettrain.resume(run, data, sets=["training.epochs=8"])
    with pytest.raises(CheckpointError, match="--allow-plugins"):
        nettrain.load(run)


def test_a_changed_plugin_is_an_error_on_resume_and_named_on_load(config, data, tmp_path):
    run = nettrain.train(config, data, allow_plugins=True).run_directory
    Path("mine.py").write_text(PLUGIN.replace("* 2", "* 3"))
    with pytest.raises(ConfigError, match=r"mine.py: has changed since the run began"):
        nettrain.resume(run, data, sets=["training.epochs=8"], allow_plugins=True)
    assert nettrain.load(run, allow_plugins=True).changed_plugins == [str(tmp_path / "mine.py")]


def test_a_plugin_that_fails_in_training_is_told_in_short(config, data, tmp_path):
    Path("mine.py").write_text(PLUGIN.replace("return x * x", "return x @ x"))
    with pytest.raises(PluginError) as error:
        nettrain.train(config, data, allow_plugins=True)
    lines = str(error.value).splitlines()
    assert lines[0].startswith(f"{tmp_path / 'mine.py'}: ValueError: ")
    assert lines[1] == f"  {tmp_path / 'mine.py'}:28, in apply: return x @ x"


def test_a_run_name_must_be_a_folders_name(toy, data, tmp_path):
    with pytest.raises(ConfigError, match=r"^run_name: expected a name for a folder.*'a/b'$"):
        nettrain.train(toy(), data, output_directory=tmp_path, run_name="a/b")
    assert not list(tmp_path.iterdir())


def test_a_run_can_move_but_not_without_its_plugin(config, data):
    run = nettrain.train(config, data, allow_plugins=True).run_directory
    shutil.move(run, "elsewhere")
    assert nettrain.load("elsewhere", allow_plugins=True).predict(data[0]).shape == (40,)
    Path("mine.py").unlink()
    with pytest.raises(CheckpointError, match=r"mine.py: cannot be read: no such file"):
        nettrain.load("elsewhere", allow_plugins=True)


def test_data_transforms_models_initializers_and_schedules_can_be_plugged_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(EVERY_KIND)
    Path("a.yaml").write_text(
        "plugins: [mine.py]\ndataset: {source: ramp, transforms: [doubled], split: {test: 0.2}}\nmodel: single\nschedule: third\n"
        "training: {epochs: 2}\n"
    )
    result = nettrain.train("a.yaml", allow_plugins=True)
    model = nettrain.load(result.run_directory, allow_plugins=True)
    assert model.pipeline.transforms[0].transform.name() == "doubled"
    assert list(model.predict([[-1.0], [1.0]])) and model.training_data.schema.classes == (
        "left",
        "right",
    )
    Path("rows.csv").write_text("x\n0.5\n")
    assert len(model.predictions_of(model.read(Path("rows.csv"), with_target=False))) == 1
