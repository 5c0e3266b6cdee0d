"""Layers with a learning rate of their own, and frozen ones."""

import json
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.config.run_config import Regularization
from nettrain.errors import ConfigError
from nettrain.layers.activation import Activation as LayerOfActivation
from nettrain.layers.dense import Dense
from nettrain.layers.feature_scale import FeatureScale
from nettrain.layers.members import Members
from nettrain.layers.packed import Packed
from nettrain.layers.parametric_activation import ParametricActivation
from nettrain.layers.periodic_embedding import PeriodicEmbedding
from nettrain.layers.piecewise_linear_embedding import PiecewiseLinearEmbedding
from nettrain.nn.activation import Activation
from nettrain.nn.network import Network
from nettrain.optim import Optimizer, Rule
from nettrain.schedules import RunLength, Schedule
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.engine import blocks as module
from nettrain.training.engine.update import Update

RULES = [name for name in names(Optimizer) if isinstance(Optimizer.parse(name), Rule)]


def network_of(*layers):
    return Network([Dense(units=3, **fields) for fields in layers], (3,), dtype="float64")


def trained(network, optimizer, steps=5, regularization=None, lr=0.1, *, compiled=False):
    """The weights by name after some steps of sum (y - 1)^2."""
    rule, penalties = Optimizer.parse(optimizer), regularization or Regularization()
    update = Update(network.vector, rule, penalties, compiled=compiled)
    x = Tensor(np.linspace(-1, 1, 12).reshape(4, 3))
    for _ in range(steps):
        error = network(x, training=True) - 1.0
        backward((error * error).sum(), into=network.slots)
        update(lr)
    return {name: view.copy() for name, view in network.vector.views.items()}


def test_the_vector_holds_what_is_decayed_then_what_is_not_then_what_is_frozen():
    network = network_of({}, {"trainable": False}, {"learning_rate": 0.5})
    order = sorted(network.vector.views, key=lambda name: network.vector.views[name].ctypes.data)
    assert order == ["dense_1.w", "dense_3.w", "dense_1.b", "dense_3.b", "dense_2.w", "dense_2.b"]
    assert (network.vector.decayed, network.vector.trainable) == (slice(0, 18), slice(0, 24))
    assert network.vector.rates == [
        (slice(0, 9), 1.0), (slice(9, 18), 0.5), (slice(18, 21), 1.0), (slice(21, 24), 0.5)
    ]  # fmt: skip


def test_neighbours_of_one_rate_are_updated_together():
    assert network_of({}, {}, {}).vector.rates == [(slice(0, 36), 1.0)]


@pytest.mark.parametrize("optimizer", RULES)
def test_frozen_layers_keep_every_bit_and_have_no_gradient(optimizer):
    network = network_of({}, {"trainable": False}, {})
    before = {name: view.copy() for name, view in network.vector.views.items()}
    after = trained(network, optimizer, regularization=Regularization(l1=0.1, l2=0.1))
    assert {name for name in after if after[name].tobytes() == before[name].tobytes()} == {
        "dense_2.w",
        "dense_2.b",
    }
    assert not network.parameters["dense_2.w"].requires_grad
    assert network.parameters["dense_2.w"] not in network.slots


def test_the_layers_around_a_frozen_one_learn_as_if_it_were_given():
    whole, frozen = network_of({}, {}, {}), network_of({}, {"trainable": False}, {})
    x = Tensor(np.ones((2, 3)))
    for network in (whole, frozen):
        backward((network(x, training=True) * network(x, training=True)).sum(), into=network.slots)
    for name in ("dense_1.w", "dense_1.b", "dense_3.w", "dense_3.b"):
        np.testing.assert_allclose(
            frozen.vector.gradient_views[name], whole.vector.gradient_views[name], rtol=1e-13
        )


@pytest.mark.parametrize("optimizer", RULES)
def test_a_rate_of_one_half_in_every_layer_is_half_the_rate(optimizer):
    halved = trained(network_of(*[{"learning_rate": 0.5}] * 3), optimizer)
    expected = trained(network_of({}, {}, {}), optimizer, lr=0.05)
    assert {name: w.tobytes() for name, w in halved.items()} == {
        name: w.tobytes() for name, w in expected.items()
    }


FACTORS = (1.0, 0.5, 0.01)


def network_of_members(rate):
    """Three members that share nothing, with the same factors of the rate in every layer."""
    layers = [
        PiecewiseLinearEmbedding(size=2, bins=3, members=3, learning_rate=rate),
        FeatureScale(learning_rate=rate),
        Packed(units=2, learning_rate=rate, bias_learning_rate=0.5),
    ]
    return Network(layers, (3,), dtype="float64")


def of_member(j, weights):
    """The part of one member: of packed arrays a row, of an embedding's a third of each last axis."""
    return {
        name: np.split(w, 3, axis=-1)[j] if "embedding" in name else w[j]
        for name, w in weights.items()
    }


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.compiled)])
def test_each_member_moves_at_its_own_rate(optimizer, compiled):
    penalty = Regularization(l2=0.01)
    options = {"steps": 3, "regularization": penalty, "compiled": compiled}
    found = trained(network_of_members(FACTORS), optimizer, **options)
    for j, factor in enumerate(FACTORS):
        expected = of_member(j, trained(network_of_members(factor), optimizer, **options))
        for name, w in of_member(j, found).items():
            np.testing.assert_allclose(w, expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_members_of_one_rate_have_no_factors():
    assert network_of_members(0.5).vector.member_factors is None


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ([Members(count=3), Packed(units=2, learning_rate=(1.0, 0.5))], "they are 3"),
        ([Dense(units=2, learning_rate=(1.0, 0.5))], "it has none: give one number"),
    ],
)
def test_as_many_factors_as_members_are_listed(layers, told):
    with pytest.raises(ConfigError, match=f"lists 2 factors, one for each member, and {told}"):
        Network(layers, (3,))


def test_each_layer_moves_at_its_own_rate():
    start = network_of({}, {}).vector.named(network_of({}, {}).vector.values)
    same, own = (
        trained(network_of({}, {}), "sgd", steps=1),
        trained(network_of({}, {"learning_rate": 0.1}), "sgd", steps=1),
    )
    for name, factor in (
        ("dense_1.w", 1),
        ("dense_1.b", 1),
        ("dense_2.w", 0.1),
        ("dense_2.b", 0.1),
    ):
        np.testing.assert_allclose(
            own[name] - start[name], factor * (same[name] - start[name]), rtol=1e-9, atol=1e-15
        )


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "nadam", "lion"])
@pytest.mark.parametrize("block", [1, 4, 9, 10])
def test_blocks_do_not_change_a_bit_whatever_the_rates(optimizer, block, monkeypatch):
    layers = [{}, {"learning_rate": 0.3}, {"trainable": False}, {"learning_rate": 2.0}]
    expected = trained(network_of(*layers), optimizer, regularization=Regularization(l2=0.1))
    monkeypatch.setattr(module, "BLOCK", block)
    found = trained(network_of(*layers), optimizer, regularization=Regularization(l2=0.1))
    assert {name: w.tobytes() for name, w in found.items()} == {
        name: w.tobytes() for name, w in expected.items()
    }


def test_frozen_weights_have_no_penalty():
    network = network_of({"trainable": False}, {})
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization(l2=1.0))
    assert update.penalty() == pytest.approx(float((network.vector.views["dense_2.w"] ** 2).sum()))


LAYERS = [
    {"type": "dense", "units": 5, "trainable": False},
    "tanh",
    {"type": "dense", "learning_rate": 0.5},
]
MODEL = {"type": "sequential", "layers": LAYERS}


def test_a_run_keeps_its_frozen_layer_and_resumes(toy, data, tmp_path, stop_at, figures):
    changes = {"model": MODEL, "regularization": {"l2": 1e-3}}
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(changes),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(9, "SIGINT")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "whole") == figures(tmp_path / "broken")
    last = Checkpoint.read(tmp_path / "whole" / "checkpoints" / "last.safetensors")
    model = nettrain.load(tmp_path / "whole")
    untouched = Network(
        [bound.layer for bound in model.network.layers], (3,), seed=model.config.seed
    )
    assert (
        last.group("parameters")["dense_1.w"].tobytes()
        == untouched.vector.views["dense_1.w"].tobytes()
    )
    assert (
        last.tensors["optimizer.m"].size == untouched.vector.trainable.stop < len(untouched.vector)
    )
    assert to_mapping(model.config.model)["layers"][0]["trainable"] is False


@pytest.mark.parametrize(("layers", "said"), [
    ([{"type": "dense", "trainable": False}], "model: there is nothing to train, all layers are frozen: leave `trainable: false` out"),
    (["tanh"], "model: "),
])  # fmt: skip
def test_a_model_with_nothing_to_train_is_an_error(toy, data, tmp_path, layers, said):
    with pytest.raises(ConfigError) as error:
        nettrain.train(
            toy({"model": {"type": "sequential", "layers": layers}, "regularization": {}}),
            data,
            output_directory=tmp_path,
        )
    assert str(error.value).startswith(said)
    assert not list(tmp_path.iterdir())


GROUPS = {
    "bias": ("dense", ["b"]),
    "scale": ("feature_scale", ["s"]),
    "activation": ("parametric_activation", ["a"]),
    "embedding": ("periodic_embedding", ["q", "w", "b", "r"]),
}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_parameters_has_a_rate_of_its_own(group):
    layers = [
        PeriodicEmbedding(size=2, frequencies=3, learning_rate=0.5),
        FeatureScale(),
        Dense(units=3, learning_rate=0.5),
        ParametricActivation(function=Activation.parse("tanh")),
    ]
    plain, grouped = (Network(layers, (2,), rates=rates) for rates in ({}, {group: 0.25}))
    layer, own = GROUPS[group]
    for name in plain.vector.views:
        factor = 0.25 if name in {f"{layer}_1.{one}" for one in own} else 1
        assert rate_of(grouped, name) == factor * rate_of(plain, name)


def rate_of(network, name):
    """The factor of the learning rate of a parameter."""
    vector = network.vector
    start = (vector.views[name].ctypes.data - vector.values.ctypes.data) // vector.values.itemsize
    return next(rate for place, rate in vector.rates if place.start <= start < place.stop)


def test_adamw_with_groups_is_pytorchs():
    golden = np.load(Path(__file__).parents[1] / "golden" / "parameter_groups.npz")
    settings = json.loads(str(golden["settings"]))
    layers = [
        FeatureScale(),
        Dense(units=7),
        LayerOfActivation(function=Activation.parse("tanh")),
        Dense(units=2, learning_rate=0.5),
    ]
    network = Network(layers, (4,), dtype="float64", rates={"scale": 6.0, "bias": 0.1})
    names_of = {
        "feature_scale_1.s": "s", "dense_1.w": "w1", "dense_1.b": "b1", "dense_2.w": "w2", "dense_2.b": "b2"
    }  # fmt: skip
    for name, short in names_of.items():
        network.vector.views[name][...] = golden[f"start.{short}"]
    decay = {"value": settings["decay"], "schedule": "flat_cos"}
    optimizer = Optimizer.parse({"type": "adamw", "beta2": 0.95, "weight_decay": decay})
    length, schedule = RunLength(1, settings["steps"]), Schedule.parse("coslog4")
    update = Update(network.vector, optimizer, Regularization(), length=length)
    for step in range(settings["steps"]):
        error = network(Tensor(golden["x"]), training=True) - Tensor(golden["y"])
        backward((error * error).sum() * (1 / len(golden["x"])), into=network.slots)
        update(schedule.rate(settings["lr"], step, 1, settings["steps"]))
    for name, short in names_of.items():
        np.testing.assert_allclose(network.vector.views[name], golden[f"end.{short}"], rtol=1e-8)
