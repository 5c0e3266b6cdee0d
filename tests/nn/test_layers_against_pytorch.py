"""Activations and layers, forward and backward, in training and in evaluation, against PyTorch in float64: tests/golden/layers.npz."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.backward import backward
from nettrain.autodiff.functional import vjp
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "layers.npz")
CASES = sorted({name.partition("/")[0] for name in GOLDEN.files if "/" in name})

# The mapping of each activation that PyTorch has, where it is not the bare name, and what has no counterpart there.
ACTIVATIONS = {"elu": {"alpha": 0.7}, "leaky_relu": {"slope": 0.2}}
OURS_ALONE = {"identity", "step"}

BATCH_NORM, CONV = {"type": "batch_norm"}, {"type": "conv", "filters": 4, "bias": False}
LAYERS = {
    "batch_norm": [BATCH_NORM],
    "batch_norm of images": [BATCH_NORM | {"momentum": 0.3, "epsilon": 0.01}],
    "layer_norm": [{"type": "layer_norm"}],
    "layer_norm of images": [{"type": "layer_norm", "epsilon": 0.01}],
    "dense": [{"type": "dense", "units": 3}],
    "mlp": [
        {"type": "dense", "units": 6, "bias": False},
        BATCH_NORM,
        "relu",
        {"type": "dense", "units": 3},
    ],
    "residual": [
        {
            "type": "residual",
            "layers": [
                {"type": "dense", "units": 4},
                BATCH_NORM,
                "tanh",
                {"type": "dense", "units": 5},
            ],
        }
    ],
    "max_pool": [{"type": "max_pool"}],
    "max_pool of many equals": [
        "relu",
        {"type": "max_pool", "size": [3, 2], "stride": [2, 1], "padding": 1},
    ],
    "average_pool": [{"type": "average_pool"}],
    "average_pool with padding": [
        {"type": "average_pool", "size": [3, 2], "stride": [2, 1], "padding": 1}
    ],
    "global_max_pool of many equals": ["relu", "global_max_pool"],
    "global_average_pool": ["global_average_pool"],
    "group_norm": [{"type": "group_norm", "groups": 2, "epsilon": 0.01}],
    "group_norm of a table": [{"type": "group_norm", "groups": 3}],
    "upsample": [{"type": "upsample", "factor": [2, 3]}],
    "upsample bilinear": [{"type": "upsample", "factor": [2, 3], "method": "bilinear"}],
    "zero_pad": [{"type": "zero_pad", "padding": [[1, 2], [3, 0]]}],
    "block": [CONV | {"padding": "same"}, BATCH_NORM, "relu", "max_pool"],
    "residual with a projection": [
        {
            "type": "residual",
            "layers": [
                CONV | {"stride": 2, "padding": 1},
                BATCH_NORM,
                "relu",
                CONV | {"padding": 1},
                BATCH_NORM,
            ],
        }
    ],
    "parallel": [
        {
            "type": "parallel",
            "branches": [[{"type": "dense", "units": 4}, "silu"], [BATCH_NORM], []],
        }
    ],
}


def golden(case):
    return {
        name.partition("/")[2]: GOLDEN[name] for name in GOLDEN.files if name.startswith(f"{case}/")
    }


def equal(found, expected, what=""):
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-13, err_msg=what)


@pytest.mark.parametrize("name", sorted(set(names(Activation)) - OURS_ALONE - {"prelu"}))
def test_an_activation_and_its_derivative_are_pytorchs(name):
    expected = golden(f"activation {name}")
    y, pull = vjp(Activation.parse({"type": name} | ACTIVATIONS.get(name, {})).apply, expected["x"])
    equal(y, expected["y"])
    equal(pull(expected["dy"])[0], expected["dx"])


@pytest.mark.parametrize("case", ["prelu", "prelu of channels"])
def test_prelu_and_the_derivatives_of_input_and_slope_are_pytorchs(case):
    expected = golden(f"activation {case}")
    prelu = Activation.parse({"type": "prelu", "shared": case == "prelu"})
    y, pull = vjp(
        lambda x, slope: prelu.apply_with(x, {"slope": slope}), expected["x"], expected["slope"]
    )
    equal(y, expected["y"])
    dx, dslope = pull(expected["dy"])
    equal(dx, expected["dx"])
    equal(dslope, expected["dslope"])


def test_every_layer_of_the_golden_file_is_compared():
    assert {case.removeprefix("layer ") for case in CASES if case.startswith("layer")} == set(
        LAYERS
    )


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_its_derivatives_and_its_state_are_pytorchs_batch_after_batch(case):
    expected = golden(f"layer {case}")
    network = Network(
        [Layer.parse(layer) for layer in LAYERS[case]], expected["x"].shape[2:], dtype="float64"
    )
    prefix = f"{network.layers[0].name}." if len(LAYERS[case]) == 1 else ""
    for name, view in network.vector.views.items():
        view[...] = expected[name.removeprefix(prefix)]
    for i, (batch, dy) in enumerate(zip(expected["x"], expected["dy"], strict=True)):
        x, proposals = Tensor(batch, requires_grad=True), {}
        y = network(x, training=True, proposals=proposals)
        gradients = backward(y, dy, into=network.slots)
        network.commit(proposals)
        equal(y.value, expected["y"][i])
        equal(gradients[x], expected["dx"][i])
        for name, gradient in network.vector.gradient_views.items():
            equal(gradient, expected[f"d{name.removeprefix(prefix)}"][i], name)
        for name, array in network.state.items():
            equal(array, expected[name.removeprefix(prefix)][i], name)
    x = Tensor(expected["x"][0], requires_grad=True)
    y = network(x)
    equal(y.value, expected["eval_y"])
    equal(backward(y, expected["dy"][0])[x], expected["eval_dx"])
