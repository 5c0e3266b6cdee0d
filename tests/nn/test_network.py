"""Networks: one parameter vector with named views, outputs and gradients against PyTorch's, chance that depends on its place alone."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff import functions as f
from nettrain.autodiff.backward import backward
from nettrain.autodiff.functional import vjp
from nettrain.autodiff.tensor import Tensor
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "networks.npz")
CASES = sorted({name.partition("/")[0] for name in GOLDEN.files if "/" in name})


def mlp(sizes, activation="tanh", dropout=0.0, **keywords):
    """Dense layers of these sizes; activation and dropout between them."""
    layers = []
    for units in sizes[1:-1]:
        layers += [
            Dense(units=units),
            ActivationLayer(function=Activation.parse(activation)),
            Dropout(rate=dropout),
        ]
    return Network([*layers, Dense(units=sizes[-1])], sizes[:1], **keywords)


def test_the_views_are_one_vector_decayed_first_and_no_copies():
    zeros = Initializer.parse("zeros")
    parameters = {
        "a.b": Parameter((2,), zeros, decayed=False), "a.w": Parameter((3, 2), zeros), "b.b": Parameter((), zeros, decayed=False),
        "b.w": Parameter((2, 1), zeros),
    }  # fmt: skip
    vector = ParameterVector(parameters, np.dtype("float64"))
    assert len(vector) == 11 and vector.decayed == slice(0, 8)
    assert list(vector.views) == list(parameters)
    for flat, views in ((vector.values, vector.views), (vector.gradient, vector.gradient_views)):
        for number, view in enumerate(views.values(), start=1):
            assert np.shares_memory(view, flat)
            view[...] = number
        assert flat.tolist() == [2] * 6 + [4] * 2 + [1] * 2 + [3]
        assert flat.flags.c_contiguous and all(view.flags.c_contiguous for view in views.values())
    other = np.arange(11.0)
    assert vector.named(other)["a.w"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_weights_are_decayed_and_biases_are_not():
    network = mlp((3, 4, 2))
    decayed = np.zeros(len(network.vector), bool)
    decayed[network.vector.decayed] = True
    found = {name: view.all() for name, view in network.vector.named(decayed).items()}
    assert found == {"dense_1.w": True, "dense_1.b": False, "dense_2.w": True, "dense_2.b": False}


def test_a_change_of_the_vector_changes_the_network():
    network, x = mlp((3, 2)), Tensor(np.ones((1, 3), np.float32))
    network.vector.values[...] = 0
    assert network(x).value.tolist() == [[0, 0]]
    network.vector.views["dense_1.b"][...] = 5
    assert network(x).value.tolist() == [[5, 5]]
    assert network(x, training=True).value.tolist() == [[5, 5]]


def test_gradients_land_in_their_slices_of_the_flat_gradient():
    network = mlp((3, 4, 2), dtype="float64", seed=1)
    network.vector.gradient[...] = np.nan
    x = Tensor(streams.generator(0, "x").normal(size=(5, 3)))
    backward((network(x, training=True) * network(x, training=True)).sum(), into=network.slots)
    assert np.isfinite(network.vector.gradient).all()

    def total(*arrays):
        w1, b1, w2, b2 = arrays
        y = f.tanh(x @ w1 + b1) @ w2 + b2
        return (y * y).sum()

    _, pull = vjp(total, *network.vector.views.values())
    for name, gradient in zip(network.vector.views, pull(np.ones(())), strict=True):
        np.testing.assert_allclose(network.vector.gradient_views[name], gradient, rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_outputs_loss_and_every_gradient_are_pytorchs(case):
    def golden(name):
        return GOLDEN[f"{case}/{name}"]

    activation, loss = case.split(", ")
    network = mlp((5, 6, 4, 3), activation, dtype="float64")
    for layer in (1, 2, 3):
        network.vector.views[f"dense_{layer}.w"][...] = golden(f"w{layer}")
        network.vector.views[f"dense_{layer}.b"][...] = golden(f"b{layer}")
    np.testing.assert_allclose(
        network.outputs(golden("x")), golden("outputs"), rtol=1e-8, atol=1e-14
    )
    x = Tensor(golden("x"), requires_grad=True)
    value = Loss.parse(loss).rows(network(x, training=True), Tensor(golden("targets"))).sum() * (
        1 / len(golden("x"))
    )
    assert value.item() == pytest.approx(golden("loss"), rel=1e-8)
    gradients = backward(value, into=network.slots)
    np.testing.assert_allclose(gradients[x], golden("dx"), rtol=1e-8, atol=1e-14)
    for layer in (1, 2, 3):
        for key in "wb":
            found = network.vector.gradient_views[f"dense_{layer}.{key}"]
            np.testing.assert_allclose(
                found, golden(f"d{key}{layer}"), rtol=1e-8, atol=1e-14, err_msg=f"d{key}{layer}"
            )


@pytest.mark.parametrize(("x", "hidden", "second", "outputs"), [
    ((1, -1), (0.98, 0.12), (0.86, 0.11), (0.62, 0.83)),
    ((0, 0), (0.73, 0.5), (0.72, 0.12), (0.51, 0.85)),
])  # fmt: skip
def test_a_sigmoid_network_by_hand(x, hidden, second, outputs):
    layers = [
        layer
        for _ in range(3)
        for layer in (Dense(units=2), ActivationLayer(function=Activation.parse("sigmoid")))
    ]
    values = {
        "dense_1.w": [[1, -2], [-1, 1]], "dense_1.b": [1, 0], "dense_2.w": [[2, -1], [-2, -1]], "dense_2.b": [0, 0],
        "dense_3.w": [[3, -1], [-1, 4]], "dense_3.b": [-2, 2],
    }  # fmt: skip
    for depth, wanted in ((2, hidden), (4, second), (6, outputs)):
        network = Network(layers[:depth], (2,), dtype="float64")
        for name, view in network.vector.views.items():
            view[...] = np.array(values[name]).T  # the rows of W are units; w has a column for each
        assert tuple(network(Tensor(np.array([x], dtype=float))).value[0].round(2)) == wanted


@pytest.mark.parametrize(("p", "q"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_three_sigmoid_units_are_and_or_nand_and_together_xor(p, q):
    network = mlp((2, 2, 1), "sigmoid", dtype="float64")
    network.vector.views["dense_1.w"][...] = [[20, -20], [20, -20]]  # or, nand
    network.vector.views["dense_1.b"][...] = [-10, 30]
    network.vector.views["dense_2.w"][...] = [[20], [20]]  # and
    network.vector.views["dense_2.b"][...] = [-30]
    logit = network(Tensor(np.array([[p, q]], dtype=float))).value.item()
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(p ^ q, abs=1e-3)


def test_dropout_depends_on_seed_step_and_layer_alone():
    x = Tensor(np.ones((4, 50), np.float32))

    def masks(network, step, shard=0):
        first, _, second = network.layers
        scope = network.scope(training=True, step=step, shard=shard)
        return [
            bound.layer.apply(x, scope.child(bound.name)).value != 0 for bound in (first, second)
        ]

    def network(seed=0):
        return Network(
            [
                Dropout(rate=0.5),
                ActivationLayer(function=Activation.parse("relu")),
                Dropout(rate=0.5),
            ],
            (50,),
            seed=seed,
        )

    one = network()
    at_3 = masks(one, 3)
    for before in (5, 0, 3):  # whatever ran before, in whatever order
        masks(one, before)
        assert np.array_equal(masks(one, 3), at_3)
    assert np.array_equal(masks(network(), 3), at_3)
    assert not np.array_equal(at_3[0], at_3[1])
    for others in (masks(one, 4), masks(network(seed=1), 3), masks(one, 3, shard=1)):
        assert not np.array_equal(others[0], at_3[0])


def test_outputs_are_those_of_evaluation_whatever_the_number_of_rows():
    network = mlp((3, 8, 2), dropout=0.5)
    x = streams.generator(0, "x").normal(size=(2500, 3)).astype(np.float32)
    found = network.outputs(x)
    assert found.dtype == np.float32 and found.shape == (2500, 2)
    np.testing.assert_allclose(found, network(Tensor(x)).value, rtol=1e-4, atol=1e-6)
    assert network.outputs(x[:1]).shape == (1, 2)
    assert network.outputs(x[:0]).shape == (0, 2)
    portions = [network.outputs(x[start : start + 1024]) for start in range(0, 2500, 1024)]
    assert found.tobytes() == np.concatenate(portions).tobytes()


def test_a_hundred_layers_train_without_recursion():
    network = mlp((4, *[4] * 100, 2))
    backward(network(Tensor(np.ones((2, 4), np.float32)), training=True).sum(), into=network.slots)
    assert len(network.vector) == sum((i + 1) * o for i, o in pairwise((4, *[4] * 100, 2)))


def test_a_logistic_models_loss_with_a_weight_penalty_has_the_gradient_of_the_hand_derivation():
    """L = 1/2 |w|^2 - lambda ln p(y|x), p = 1 / (1 + exp(-y w.x)), y in {-1, 1}: dL/dw = w - lambda y (1 - p) x."""
    w, x, strength = np.array([[0.3], [-1.2], [0.7]]), np.array([[1.0, -2.0, 0.5]]), 1.7
    for y in (-1, 1):
        network = Network([Dense(units=1, bias=False)], (3,), dtype="float64")
        network.vector.views["dense_1.w"][...] = w
        z = network(Tensor(x), training=True)
        weights = network.parameters["dense_1.w"]
        minus_log_p = (
            Loss.parse("binary_cross_entropy").rows(z, Tensor(np.array([[(y + 1) / 2]]))).sum()
        )
        backward((weights * weights).sum() * 0.5 + minus_log_p * strength, into=network.slots)
        p = 1 / (1 + np.exp(-y * (x @ w)))
        np.testing.assert_allclose(
            network.vector.gradient, (w - strength * y * (1 - p) * x.T)[:, 0], rtol=1e-12
        )


def test_every_layer_can_be_watched_with_its_gradients():
    network = mlp((3, 4, 2), dropout=0.5, dtype="float64")
    x = streams.generator(0, "watched").normal(size=(5, 3))
    y, outputs = network.watched(Tensor(x))
    assert [output.path for output in outputs] == [
        "dense_1",
        "activation_1",
        "dropout_1",
        "dense_2",
    ]
    np.testing.assert_array_equal(y.value, network.outputs(x))
    np.testing.assert_array_equal(outputs[1].value.value, np.tanh(outputs[0].value.value))
    gradients = backward(y.sum())
    np.testing.assert_allclose(
        gradients[network.parameters["dense_2.w"]], np.outer(outputs[2].value.value.sum(0), [1, 1])
    )
    assert gradients[outputs[1].value].shape == (5, 4)


def test_layers_inside_layers_are_watched_by_their_path():
    inner = {"type": "residual", "layers": [{"type": "dense", "units": 3}, "relu"]}
    layers = [{"type": "parallel", "branches": [[inner], []]}, {"type": "dense", "units": 2}]
    network = Network([Layer.parse(layer) for layer in layers], (3,))
    paths = [output.path for output in network.watched(Tensor(np.ones((2, 3), np.float32)))[1]]
    branch = "parallel_1.branch_1.residual_1"
    assert paths == [f"{branch}.dense_1", f"{branch}.activation_1", branch, "parallel_1", "dense_1"]
    assert {name.rpartition(".")[0] for name in network.vector.views} <= set(paths)
