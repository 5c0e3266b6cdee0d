"""Convolutions against PyTorch in float64 (tests/golden/convolutions.npz), known numbers, and work that is divided in the cache."""

from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.backward import backward
from nettrain.autodiff.ops import convolution, depthwise, winograd
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "convolutions.npz")
LAYERS = {
    "3 x 3": {"type": "conv", "filters": 4},
    "same": {"type": "conv", "filters": 5, "kernel": [3, 4], "padding": "same"},
    "same with a stride": {
        "type": "conv",
        "filters": 2,
        "kernel": [5, 3],
        "stride": [3, 2],
        "padding": "same",
    },
    "dilation": {
        "type": "conv",
        "filters": 4,
        "kernel": [3, 2],
        "padding": [2, 1],
        "dilation": [2, 3],
    },
    "groups": {"type": "conv", "filters": 9, "padding": 1, "stride": 2, "groups": 3},
    "pixels": {"type": "conv", "filters": 2, "kernel": 1},
    "depthwise": {"type": "depthwise_conv", "padding": 1, "stride": [1, 2], "multiplier": 2},
    "separable": {"type": "separable_conv", "filters": 5, "kernel": [3, 2], "multiplier": 2},
}


def equal(found, expected, what=""):
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-13, err_msg=what)


def parameters(*layers, shape):
    return [bound.size for bound in Network([Layer.parse(layer) for layer in layers], shape).layers]


def test_every_case_of_the_golden_file_is_compared():
    assert {name.partition("/")[0] for name in GOLDEN.files if "/" in name} == set(LAYERS)


@pytest.fixture(params=["as it is", "an image at a time", "a row at a time", "winograd's way"])
def divided(request, monkeypatch):
    """How much of the work is done at a time, and how."""
    few = {"as it is": {}, "an image at a time": {"CACHE": 100}}.get(request.param, {"CACHE": 1})
    if request.param == "winograd's way":
        monkeypatch.setattr(winograd, "WORTH", 0)
    for name, value in few.items():
        monkeypatch.setattr(convolution, name, value)
        monkeypatch.setattr(depthwise, name, value)


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_and_its_derivatives_are_pytorchs_however_its_work_is_done(case, divided):
    expected = {
        name.partition("/")[2]: GOLDEN[name] for name in GOLDEN.files if name.startswith(f"{case}/")
    }
    network = Network([Layer.parse(LAYERS[case])], expected["x"].shape[1:], dtype="float64")
    for name, view in network.vector.views.items():
        view[...] = expected[name.partition(".")[2]]
    x = Tensor(expected["x"], requires_grad=True)
    y = network(x, training=True)
    gradients = backward(y, expected["dy"], into=network.slots)
    equal(y.value, expected["y"])
    equal(gradients[x], expected["dx"])
    for name, slot in network.vector.gradient_views.items():
        equal(slot, expected[f"d{name.partition('.')[2]}"], name)


def test_a_kernel_that_finds_edges():
    network = Network(
        [Layer.parse({"type": "conv", "filters": 1, "bias": False})], (5, 5, 1), dtype="float64"
    )
    network.vector.views["conv_1.w"][..., 0, 0] = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    square = np.zeros((1, 5, 5, 1))
    square[0, 1:4, 1:4] = 1
    assert network(Tensor(square)).value[0, ..., 0].tolist() == [
        [-2, -1, -2],
        [-1, 0, -1],
        [-2, -1, -2],
    ]


def test_sizes_and_numbers_of_parameters():
    five = {"type": "conv", "kernel": 5}
    shape = (32, 32, 3)
    assert Layer.parse(five | {"filters": 1}).output_shape(shape) == (28, 28, 1)
    assert parameters(five | {"filters": 1}, shape=shape) == [5 * 5 * 3 + 1] == [76]
    assert Layer.parse(five | {"filters": 5}).output_shape(shape) == (28, 28, 5)
    assert parameters(five | {"filters": 6}, five | {"filters": 10}, shape=shape) == [456, 1510]
    assert Layer.parse(five | {"filters": 10}).output_shape((28, 28, 6)) == (24, 24, 10)
    assert parameters("flatten", {"type": "dense", "units": 10, "bias": False}, shape=shape) == [
        0,
        10 * 3072,
    ]


def test_an_output_is_the_dot_product_of_a_window_with_the_filter_plus_a_bias():
    network = Network(
        [Layer.parse({"type": "conv", "filters": 1, "kernel": 5})],
        (32, 32, 3),
        seed=3,
        dtype="float64",
    )
    network.vector.views["conv_1.b"][...] = 0.5
    x = streams.generator(0, "x").normal(size=(1, 32, 32, 3))
    window, w = x[0, 7:12, 20:25].ravel(), network.vector.views["conv_1.w"].ravel()
    assert window.size == 75
    assert network(Tensor(x)).value[0, 7, 20, 0] == pytest.approx(window @ w + 0.5, rel=1e-12)


def test_same_with_stride_1_keeps_the_size_and_puts_an_odd_zero_at_the_bottom_and_right():
    network = Network(
        [Layer.parse({"type": "conv", "filters": 1, "kernel": 2, "padding": "same"})],
        (2, 2, 1),
        dtype="float64",
    )
    network.vector.views["conv_1.w"][...] = 1
    assert network(
        Tensor(np.array([[1.0, 2], [4, 8]]).reshape(1, 2, 2, 1))
    ).value.ravel().tolist() == [15, 10, 12, 8]


@pytest.mark.parametrize("name", ["conv", "separable_conv"])
def test_the_initializer_follows_the_next_activation(name):
    def chosen(*layers):
        return (
            Network([Layer.parse(layer) for layer in layers], (4, 4, 1))
            .layers[0]
            .layer.initializer.name()
        )

    assert chosen({"type": name, "filters": 2}, "batch_norm", "relu") == "he"
    assert chosen({"type": name, "filters": 2}) == "xavier"
    assert chosen({"type": name, "filters": 2, "initializer": "zeros"}, "relu") == "zeros"


def test_weights_start_with_the_fans_of_a_window():
    layer = Layer.parse({"type": "conv", "filters": 6, "kernel": [3, 5], "groups": 2})
    w = layer.parameters((8, 8, 4))["w"]
    assert (w.fan_in, w.fan_out) == (3 * 5 * 2, 3 * 5 * 3)


def test_flops_are_two_for_each_product():
    assert (
        Layer.parse({"type": "conv", "filters": 64}).flops((26, 26, 32)) == 2 * 24 * 24 * 64 * 288
    )
    assert (
        Layer.parse({"type": "conv", "filters": 8, "groups": 2}).flops((3, 3, 4)) == 2 * 8 * 9 * 2
    )
    assert (
        Layer.parse({"type": "depthwise_conv", "multiplier": 2}).flops((3, 4, 5)) == 2 * 2 * 9 * 10
    )
    assert Layer.parse({"type": "separable_conv", "filters": 7}).flops((3, 3, 5)) == 2 * (
        9 * 5 + 5 * 7
    )
