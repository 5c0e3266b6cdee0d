"""Diagnostics: figures that a hand computes too, one row an epoch, no bit of training changed; the sick is told, the healthy not."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.diagnosis.layer_statistics import LayerStatistics, norms, unit_shares, update_ratios
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.callbacks import Callback, diagnostics
from nettrain.training.loop import Interrupted

CONFIGS = Path(__file__).parents[2] / "configs"
LAYERS = [
    {"type": "dense", "units": 4, "bias_initializer": {"type": "constant", "value": 0.5}}, "relu", {"type": "batch_norm"},
    {"type": "residual", "layers": [{"type": "dense", "units": 4, "trainable": False}, "tanh"]},
    {"type": "dropout", "rate": 0.5}, {"type": "dense", "units": 2},
]  # fmt: skip
X = streams.generator(0, "probe").normal(size=(12, 3))
Y = X[:, :2] - X[:, 1:]


def network(layers=LAYERS, dtype="float64"):
    return Network([Layer.parse(layer) for layer in layers], (3,), dtype=dtype)


def rows(path):
    return [
        json.loads(line) for line in (Path(path) / "diagnostics.jsonl").read_text().splitlines()
    ]


def test_the_figures_are_those_of_the_loss_and_the_layers():
    net, loss = network(), Loss.parse("mse")
    found = LayerStatistics(net, loss, X, Y).layers()
    mean = loss.rows(net.watched(Tensor(X))[0], Tensor(Y)).mean()
    gradients = backward(mean)
    for path in ("dense_1", "batch_norm_1", "dense_2"):
        own = {
            name: tensor
            for name, tensor in net.parameters.items()
            if name.rpartition(".")[0] == path
        }
        together = np.concatenate([gradients[tensor].ravel() for tensor in own.values()])
        assert found[path]["gradient_norm"] == pytest.approx(np.linalg.norm(together), rel=1e-12)
        assert found[path]["weight_norm"] == pytest.approx(
            np.linalg.norm(np.concatenate([t.value.ravel() for t in own.values()]))
        )
    hidden = np.maximum(net.watched(Tensor(X))[1][0].value.value, 0)
    assert found["activation_1"] == {"dead": (hidden == 0).all(axis=0).mean()}
    assert set(found["residual_1.dense_1"]) == {"weight_norm"}  # frozen: no gradient
    assert set(found["residual_1.activation_1"]) == {"saturated"}
    assert list(found) == [
        "dense_1",
        "activation_1",
        "batch_norm_1",
        "residual_1.dense_1",
        "residual_1.activation_1",
        "dense_2",
    ]


def test_rows_weigh_in_the_gradient_as_they_do_in_the_loss():
    net, loss, weights = network(), Loss.parse("mse"), np.array([2.0, 1.0, 0.0] * 4)
    repeated = np.repeat(np.arange(12), weights.astype(int))
    found, expected = (
        LayerStatistics(net, loss, X, Y, weights).layers(),
        LayerStatistics(net, loss, X[repeated], Y[repeated]).layers(),
    )
    assert found["dense_1"] == pytest.approx(expected["dense_1"]) and found[
        "dense_2"
    ] == pytest.approx(expected["dense_2"])


@pytest.mark.parametrize(
    "layers", [LAYERS, [{"type": "dense", "units": 2}], ["prelu", {"type": "dense", "units": 2}]]
)
def test_looking_again_sees_the_weights_as_they_are_now_and_changes_nothing(layers):
    net, loss = network(layers, "float32"), Loss.parse("mse")
    probe = LayerStatistics(net, loss, X.astype("float32"), Y.astype("float32"))
    before = probe.layers()
    assert probe.layers() == before
    net.vector.values *= 1.5
    for array in net.state.values():
        array += 0.25
    kept, state = (
        net.vector.values.copy(),
        {name: array.copy() for name, array in net.state.items()},
    )
    net.vector.gradient[...] = 7
    again = probe.layers()
    assert again != before
    assert again == LayerStatistics(net, loss, X.astype("float32"), Y.astype("float32")).layers()
    assert (net.vector.gradient == 7).all() and (net.vector.values == kept).all()
    assert all((net.state[name] == array).all() for name, array in state.items())


def test_norms_hold_what_float32_cannot_square():
    for size in (1e-30, 1.0, 1e30):
        views = {
            "a.w": np.full(9, size, np.float32),
            "a.b": np.zeros(2, np.float32),
            "b.c.w": np.full(16, size, np.float32),
        }
        assert norms(views) == pytest.approx({"a": 3 * size, "b.c": 4 * size}, rel=1e-6)


def test_the_update_ratio_is_the_change_by_what_was_there():
    net = network([{"type": "dense", "units": 2}])
    before = net.vector.values.copy()
    net.vector.values *= 1.01
    assert update_ratios(net, before) == {"dense_1": pytest.approx(0.01)}
    assert update_ratios(net, np.zeros_like(before)) == {}


@pytest.mark.parametrize(("function", "column", "share"), [
    ("relu", [0.0] * 10, {"dead": 1.0}),
    ("relu", [0.0] * 9 + [1e-9], {"dead": 0.0}),
    ("sigmoid", [0.999] * 5 + [0.001] * 4 + [0.5], {"saturated": 1.0}),
    ("sigmoid", [0.999] * 8 + [0.5] * 2, {"saturated": 0.0}),
    ("sigmoid", [0.98] * 10, {"saturated": 0.0}),
    ("tanh", [-0.99, 0.99] * 5, {"saturated": 1.0}),
    ("tanh", [0.0] * 10, {"saturated": 0.0}),
    ("leaky_relu", [0.0] * 10, {}),
])  # fmt: skip
def test_a_unit_is_dead_where_it_never_acts_and_saturated_where_it_is_mostly_at_a_bound(
    function, column, share
):
    assert unit_shares(Activation.parse(function), np.array([column]).T) == share


def test_a_unit_of_an_image_is_a_channel():
    y = np.zeros((2, 3, 3, 4))
    y[1, 2, 0, 1] = 1.0
    assert unit_shares(Activation.parse("relu"), y) == {"dead": 0.75}


CONVOLUTIONS = [
    {"type": "conv", "filters": 4, "padding": "same"}, {"type": "batch_norm"}, "relu", "max_pool",
    {"type": "residual", "layers": [{"type": "conv", "filters": 6, "padding": "same"}, {"type": "group_norm", "groups": 2}, "tanh"]},
    {"type": "separable_conv", "filters": 3}, "relu", "global_average_pool", {"type": "dense", "units": 2},
]  # fmt: skip


def test_convolutions_have_norms_and_their_dead_units_are_channels():
    images, loss = streams.generator(0, "images").normal(size=(12, 8, 6, 2)), Loss.parse("mse")
    net = Network(
        [Layer.parse(layer) for layer in CONVOLUTIONS], (8, 6, 2), seed=1, dtype="float64"
    )
    net.vector.views["batch_norm_1.beta"][1] = -100.0
    net.vector.views["separable_conv_1.b"][...] = [-100.0, 100.0, -100.0]
    found = LayerStatistics(net, loss, images, Y).layers()
    gradients = backward(loss.rows(net.watched(Tensor(images))[0], Tensor(Y)).mean())
    for path in (
        "conv_1",
        "batch_norm_1",
        "residual_1.conv_1",
        "residual_1.projection.conv_1",
        "separable_conv_1",
    ):
        own = [tensor for name, tensor in net.parameters.items() if name.rpartition(".")[0] == path]
        assert found[path]["gradient_norm"] == pytest.approx(
            np.linalg.norm(np.concatenate([gradients[t].ravel() for t in own])), rel=1e-10
        )
        assert found[path]["weight_norm"] == pytest.approx(
            np.linalg.norm(np.concatenate([t.value.ravel() for t in own]))
        )
    assert found["activation_1"] == {"dead": 1 / 4} and found["activation_2"] == {"dead": 2 / 3}
    assert set(found["residual_1.activation_1"]) == {"saturated"}


@pytest.fixture
def run(toy, data, tmp_path):
    """Train the toy configuration under a name; the path of its directory."""

    def trained(name, changes=None, stop=None):
        with contextlib.suppress(Interrupted):
            nettrain.train(
                toy(changes),
                data,
                output_directory=tmp_path,
                run_name=name,
                callbacks=[stop] if stop else [],
            )
        return tmp_path / name

    return trained


@pytest.mark.parametrize("changes", [
    {},
    {"training.batch_size": None},
    {"model": {"type": "sequential", "layers": [*LAYERS[:3], {"type": "dropout"}, {"type": "dense"}]},
     "regularization": {}},
], ids=["toy", "one step an epoch", "batch_norm"])  # fmt: skip
def test_training_is_the_same_to_the_bit_with_diagnostics_and_without(run, log, weights, changes):
    off, on = run("off", changes), run("on", changes | {"diagnostics": True})
    assert log(on) == log(off)
    for which in ("best", "last"):
        np.testing.assert_array_equal(weights(on, which), weights(off, which))


def test_every_epoch_has_a_row_and_the_summary_the_last(run):
    path = run("on", {"diagnostics": True})
    assert [row["epoch"] for row in rows(path)] == [1, 2, 3, 4, 5, 6]
    assert list(rows(path)[-1]["layers"]) == ["dense_1", "activation_1", "dense_2"]
    assert set(rows(path)[-1]["layers"]["dense_1"]) == {
        "gradient_norm",
        "weight_norm",
        "update_ratio",
    }
    assert (
        json.loads((path / "summary.json").read_text())["diagnostics"] == rows(path)[-1]["layers"]
    )


def test_nothing_is_computed_unless_it_is_asked_for(run, monkeypatch):
    monkeypatch.setattr(diagnostics, "LayerStatistics", None)
    path = run("off")
    assert not (path / "diagnostics.jsonl").exists()
    assert json.loads((path / "summary.json").read_text())["diagnostics"] == {}


class Steps(Callback):
    """The weights before and after the last step of each epoch."""

    def __init__(self):
        self.weights = []

    def begin(self, run):
        self.weights.append(run.network.vector.values.copy())

    def batch_end(self, run):
        self.weights.append(run.network.vector.values.copy())


@pytest.mark.parametrize("batch_size", [8, None])
def test_the_ratio_is_that_of_the_epochs_last_step(toy, data, tmp_path, batch_size):
    steps = Steps()
    config = toy(
        {
            "training": {"epochs": 3, "batch_size": batch_size},
            "diagnostics": True,
            "model": {"type": "mlp", "hidden": []},
        }
    )
    result = nettrain.train(config, data, output_directory=tmp_path, callbacks=[steps])
    each = 4 if batch_size else 1
    for row in rows(result.run_directory):
        before, after = steps.weights[row["epoch"] * each - 1], steps.weights[row["epoch"] * each]
        expected = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert row["layers"]["dense_1"]["update_ratio"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("batch", [2, 3, 4, 11])
def test_a_resumed_run_has_the_rows_of_the_undisturbed_one(run, stop_at, data, figures, batch):
    changes = {"diagnostics": True}
    whole, broken = run("whole", changes), run("broken", changes, stop_at(batch, "SIGTERM"))
    with open(broken / "diagnostics.jsonl", "a") as file:
        file.write('{"epoch": 9, "torn')
    nettrain.resume(broken, data)
    assert rows(broken) == rows(whole)
    assert figures(broken) == figures(whole)


# What is trained on what, and the beginnings of the warnings it gives.
CHANCE = streams.generator(0, "sick")
NUMBERS = CHANCE.normal(size=(300, 4))
LABELS = CHANCE.integers(0, 2, 300)
CLEAR = (NUMBERS[:, 0] > 0) * 1
LINE = NUMBERS @ [1.0, -2.0, 0.5, 0.0]
DEEP = {
    "type": "mlp",
    "hidden": [16] * 10,
    "activation": "sigmoid",
    "initializer": {"type": "uniform", "low": -0.1, "high": 0.1},
}
NEGATIVE = {"type": "dense", "units": 8, "bias_initializer": {"type": "constant", "value": -50.0}}
SICK = {
    "ten sigmoid layers that start small": ({"model": DEEP, "training": {"epochs": 4}}, CLEAR, ["gradients vanish"]),
    "a rate above the stable one": (
        {"model": {"type": "mlp", "hidden": []}, "optimizer": {"type": "sgd", "lr": 1.5},
         "training": {"epochs": 12, "batch_size": None}}, LINE, ["gradients explode", "the training loss is"]),
    "features that are not scaled": (
        {"model": {"type": "mlp", "hidden": [8]}, "dataset.transforms": [{"type": "standardize"}, {"type": "scale", "factor": 1e4}],
         "training": {"epochs": 2}}, CLEAR, ["gradients explode"]),
    "biases that start far below zero": (
        {"model": {"type": "sequential", "layers": [NEGATIVE, "relu", {"type": "dense"}]}, "training": {"epochs": 3}}, CLEAR,
        ["units die"]),
    "labels that have nothing to do with the features": (
        {"model": {"type": "mlp", "hidden": [2]}, "training": {"epochs": 40}}, LABELS, ["the training loss is"]),
    "thirty rows for eight thousand weights": (
        {"model": {"type": "mlp", "hidden": [64, 64]}, "dataset.limit": 60, "dataset.split.validation": 0.5,
         "training": {"epochs": 60}}, LABELS, ["the network overfits"]),
}  # fmt: skip


CURES = [
    (
        "ten sigmoid layers that start small",
        {"model": DEEP | {"activation": "relu", "initializer": None}},
    ),
    (
        "ten sigmoid layers that start small",
        {"model": DEEP | {"initializer": None, "batch_norm": True}},
    ),
    ("a rate above the stable one", {"training.clip_norm": 0.1}),
    ("a rate above the stable one", {"optimizer.lr": 0.15}),
    ("features that are not scaled", {"dataset.transforms": ["standardize"]}),
    ("biases that start far below zero", {"model": {"type": "mlp", "hidden": [8]}}),
    (
        "biases that start far below zero",
        {"model": {"type": "sequential", "layers": [NEGATIVE, "leaky_relu", {"type": "dense"}]}},
    ),
    ("thirty rows for eight thousand weights", {"early_stopping": {"patience": 5}}),
]


def sick(name, folder, *, diagnosed=True, cure=()):
    changes, y, _ = SICK[name]
    config = {
        "dataset": {"source": "memory", "split": {"validation": 0.2}},
        "optimizer": {"type": "adam", "lr": 0.01},
    }
    for path, value in (changes | dict(cure)).items():
        *sections, key = path.split(".")
        section = config
        for part in sections:
            section[part] = dict(section[part])  # what is in the tables stays as it is
            section = section[part]
        section[key] = value
    config["diagnostics"] = diagnosed
    return nettrain.train(config, (NUMBERS, y), output_directory=folder)


@pytest.mark.parametrize("name", SICK)
def test_a_sick_configuration_is_told(name, tmp_path):
    result = sick(name, tmp_path)
    found = [text.partition(": ")[2] for text in result.warnings]
    assert [text[: len(start)] for text, start in zip(found, SICK[name][2], strict=True)] == SICK[
        name
    ][2]
    log = (Path(result.run_directory) / "log.txt").read_text()
    assert [log.count(f"warning: {text}\n") for text in result.warnings] == [1] * len(SICK[name][2])


@pytest.mark.parametrize(("name", "cure"), CURES)
def test_what_the_warning_proposes_helps(name, cure, tmp_path):
    assert sick(name, tmp_path, cure=cure).warnings == []


def test_warnings_about_losses_need_no_diagnostics(tmp_path):
    found = [sick(name, tmp_path, diagnosed=False).warnings for name in SICK]
    texts = [text.partition(": ")[2] for warnings in found for text in warnings]
    assert sorted({text.split()[0] + " " + text.split()[1] for text in texts}) == [
        "the network",
        "the training",
    ]


def test_a_warning_is_given_once_a_run_also_over_resumes(tmp_path):
    result = sick("ten sigmoid layers that start small", tmp_path)
    longer = nettrain.resume(result.run_directory, (NUMBERS, CLEAR), sets=["training.epochs=8"])
    assert longer.warnings[:1] == result.warnings
    assert (Path(result.run_directory) / "log.txt").read_text().count("gradients vanish") == 1


BUNDLED = [path for path in sorted(CONFIGS.glob("*.yaml")) if "# needs:" not in path.read_text()]


@pytest.mark.parametrize("config", BUNDLED, ids=lambda path: path.stem)
def test_a_healthy_configuration_gives_no_warning(config, tmp_path):
    result = nettrain.train(
        config, sets=["diagnostics=true"], output_directory=tmp_path, allow_plugins=True
    )
    assert result.warnings == []
    assert result.diagnostics
