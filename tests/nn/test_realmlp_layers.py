"""The layers of RealMLP against its authors' in float64, tests/golden/realmlp.npz, and their rates."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "realmlp.npz")
# Layers by the name of their golden numbers, and our names of the authors' weights.
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
}


def made(layers, shape, seed=0):
    return Network([Layer.parse(one) for one in layers], shape, seed=seed, dtype="float64")


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_those_of_the_authors(name):
    layers, names = LAYERS[name]
    network = made(layers, (4,))
    assert set(names.values()) == set(network.parameters)
    for key, own in names.items():
        view = network.vector.views[own]
        view[...] = GOLDEN[f"{name}_{key}"].reshape(view.shape)
    y = network(Tensor(GOLDEN["x"]), training=True)
    np.testing.assert_allclose(y.value, GOLDEN[f"{name}_y"], rtol=1e-10, atol=1e-14)
    backward((y * Tensor(GOLDEN[f"{name}_dy"])).sum(), into=network.slots)
    for key, own in names.items():
        found = network.vector.gradient_views[own]
        expected = GOLDEN[f"{name}_d{key}"].reshape(found.shape)
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
