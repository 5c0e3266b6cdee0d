"""Layers for tables against their authors' in float64, tests/golden/table_layers.npz, and their rates."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "table_layers.npz")
# Layers by the name of their golden numbers, and our names of the authors' weights.
PLR = {
    "periodic__weight": "periodic_embedding_1.q",
    "linear__weight": "periodic_embedding_1.w",
    "linear__bias": "periodic_embedding_1.b",
}
PIECEWISE = {"type": "piecewise_linear_embedding", "size": 5, "bins": 6}
PIECES = {
    "linear0__weight": "piecewise_linear_embedding_1.u",
    "linear0__bias": "piecewise_linear_embedding_1.c",
    "linear__weight": "piecewise_linear_embedding_1.w",
}
LAYERS = {
    "scale": ([{"type": "feature_scale"}], {"scale": "feature_scale_1.s"}),
    "ntk": (
        [{"type": "dense", "units": 5, "parametrization": "ntk"}],
        {"weight": "dense_1.w", "bias": "dense_1.b"},
    ),
    "selu": (
        [{"type": "parametric_activation", "function": "selu"}],
        {"weight": "parametric_activation_1.a"},
    ),
    "mish": (
        [{"type": "parametric_activation", "function": "mish"}],
        {"weight": "parametric_activation_1.a"},
    ),
    "pbld": (
        [{"type": "periodic_embedding", "size": 5, "frequencies": 3}],
        {key: f"periodic_embedding_1.{key}" for key in "qwbr"},
    ),
    "plr": (
        [{"type": "periodic_embedding", "variant": "plr", "size": 5, "frequencies": 3}],
        PLR,
    ),
    "plr_lite": (
        [{"type": "periodic_embedding", "variant": "plr_lite", "size": 5, "frequencies": 3}],
        PLR,
    ),
    "piecewise": ([PIECEWISE], PIECES),
    "piecewise_relu": ([PIECEWISE | {"activation": True}], PIECES),
}


def made(layers, shape, seed=0):
    return Network([Layer.parse(one) for one in layers], shape, seed=seed, dtype="float64")


def ours(name, key, shape):
    """The authors' array in our form: PyTorch's Linear holds w (o, i)."""
    array = GOLDEN[key]
    return (
        array.T if name == "plr_lite" and key.endswith("linear__weight") else array.reshape(shape)
    )


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_those_of_the_authors(name):
    layers, names = LAYERS[name]
    network = made(layers, (4,))
    assert set(names.values()) == set(network.parameters)
    network.learn_from_rows(GOLDEN["x"])
    for key, own in names.items():
        view = network.vector.views[own]
        view[...] = ours(name, f"{name}_{key}", view.shape)
    y = network(Tensor(GOLDEN["x"]), training=True)
    np.testing.assert_allclose(y.value, GOLDEN[f"{name}_y"], rtol=1e-10, atol=1e-14)
    backward((y * Tensor(GOLDEN[f"{name}_dy"])).sum(), into=network.slots)
    for key, own in names.items():
        found = network.vector.gradient_views[own]
        expected = ours(name, f"{name}_d{key}", found.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_scales_and_strengths_start_as_if_they_were_not_there():
    network = made(
        [{"type": "feature_scale"}, {"type": "parametric_activation", "function": "selu"}], (4,)
    )
    plain = made(["selu"], (4,))
    x = Tensor(GOLDEN["x"])
    assert np.allclose(network(x).value, plain(x).value, rtol=1e-14)


def test_weights_of_the_tangent_parametrization_start_with_deviation_1_whatever_the_width():
    network = made(
        [{"type": "dense", "units": 100, "parametrization": "ntk"}, "relu", {"type": "dense"}][:2],
        (400,),
    )
    assert network.vector.views["dense_1.w"].std() == pytest.approx(1, abs=0.02)
    fixed = {"type": "dense", "units": 2, "parametrization": "ntk", "initializer": "zeros"}
    assert not made([fixed], (3,)).vector.views["dense_1.w"].any()


def test_groups_within_a_layer_have_their_own_rates_and_decay():
    layers = [
        {"type": "feature_scale", "learning_rate": 6.0},
        {"type": "dense", "units": 3, "learning_rate": 0.5, "bias_learning_rate": 0.1},
    ]
    vector = made(layers, (4,)).vector
    assert [(place.start, place.stop, rate) for place, rate in vector.rates] == [
        (0, 4, 6.0),
        (4, 16, 0.5),
        (16, 19, 0.05),
    ]
    assert vector.decayed == slice(0, 16)  # all but the bias


def test_a_function_with_weights_of_its_own_is_refused():
    with pytest.raises(ConfigError, match="got prelu: take another, or the layer activation"):
        made([{"type": "parametric_activation", "function": "prelu"}], (3,))


def test_knots_are_quantiles_of_the_training_rows_and_ties_leave_no_bin_empty():
    network = made([PIECEWISE], (4,))
    assert network.state["piecewise_linear_embedding_1.lower"][0, 0] == -2
    network.learn_from_rows(GOLDEN["x"])
    lower = network.state["piecewise_linear_embedding_1.lower"]
    np.testing.assert_allclose(lower, GOLDEN["knots"][:, :-1], rtol=1e-12)
    few = np.array([[0.0, 5, 0, 1], [1, 5, 0, 2], [2, 5, 0, 3]] + [[0, 5, 0, i] for i in range(20)])
    network.learn_from_rows(few)
    slope = network.state["piecewise_linear_embedding_1.slope"]
    assert [(row > 0).sum() for row in slope] == [2, 0, 0, 6]
    assert np.isfinite(network(Tensor(few)).value).all()


def test_layers_inside_others_learn_from_what_reaches_them():
    branches = [["relu", PIECEWISE], [{"type": "dense", "units": 2}]]
    network = made([{"type": "parallel", "branches": branches}], (4,))
    network.learn_from_rows(GOLDEN["x"])
    lower = network.state["parallel_1.branch_1.piecewise_linear_embedding_1.lower"]
    assert (lower >= 0).all() and (np.diff(lower) > 0).all()


def test_a_piecewise_linear_embedding_starts_out_linear():
    network = made([PIECEWISE], (1,))
    y = network(Tensor(np.linspace(-3, 3, 9)[:, None])).value
    assert np.abs(np.diff(y, n=2, axis=0)).max() < 1e-12 and y.std(axis=0).min() > 0


def test_frequencies_start_at_the_deviation_asked_for():
    for variant, deviation in (("pbld", 0.1), ("plr", 0.01), ("plr_lite", 0.01)):
        layer = {"type": "periodic_embedding", "variant": variant}
        q = made([layer], (200,)).vector.views["periodic_embedding_1.q"]
        assert q.std() == pytest.approx(deviation, rel=0.05)


def test_images_are_not_embedded():
    with pytest.raises(ConfigError, match=r"rows of numbers, got rows of shape \(2, 2, 1\)"):
        made(["periodic_embedding"], (2, 2, 1))


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_training_rows_scale_the_weights_of_a_unit_and_place_its_bias_among_them(parametrization):
    one = {"type": "dense", "parametrization": parametrization, "start_from_rows": True}
    layers = [one | {"units": 50}, "relu", one | {"units": 30}]
    x = GOLDEN["x"] * [1, 100, 0.01, 5] + 7
    network, again = made(layers, (4,)), made(layers, (4,))
    network.learn_from_rows(x)
    again.learn_from_rows(x)
    assert np.array_equal(network.vector.values, again.vector.values)
    _, outputs = network.watched(Tensor(x))
    for output in (outputs[0].value.value, outputs[2].value.value):
        np.testing.assert_allclose(output.std(axis=0), 1, rtol=1e-9)
        # minus the bias lies among the products of the rows, so outputs have both signs
        assert (output.min(axis=0) < 0).all() and (output.max(axis=0) > 0).all()


def test_a_unit_that_sees_constants_alone_stays_finite():
    network = made([{"type": "dense", "units": 3, "bias": False, "start_from_rows": True}], (2,))
    network.learn_from_rows(np.zeros((5, 2)))
    assert np.isfinite(network.vector.values).all()


def test_constants_whose_mean_is_rounded_do_not_scale_the_weights():
    network = made([{"type": "dense", "units": 3, "start_from_rows": True}], (1,))
    w = network.parameters["dense_1.w"].value.copy()
    rows = np.full((1000, 1), 0.3)
    assert rows.std() > 0
    network.learn_from_rows(rows)
    assert np.array_equal(network.parameters["dense_1.w"].value, w)


def test_terms_that_cancel_do_not_scale_the_weights():
    ones = {"type": "constant", "value": 1.0}
    dense = {"type": "dense", "units": 1, "initializer": ones, "start_from_rows": True}
    network = made(["layer_norm", dense], (3,))
    network.learn_from_rows(np.random.Generator(np.random.PCG64(0)).normal(size=(50, 3)))
    assert np.array_equal(network.parameters["dense_1.w"].value, np.ones((3, 1)))
