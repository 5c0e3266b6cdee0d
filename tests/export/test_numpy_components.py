"""Every component's contract rows, written as plain NumPy and run, agree with nettrain."""

import runpy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.operations import operations
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names
from nettrain.data.elementwise import Elementwise
from nettrain.data.features import Features
from nettrain.data.fitted import Fitted
from nettrain.data.transform import Transform
from nettrain.export.inference_graph import record_inference
from nettrain.export.numpy import functions
from nettrain.export.numpy.statements import has_form, network_lines
from nettrain.export.numpy.table import inverse_lines, missing_transforms, transform_lines
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

ONNX = runpy.run_path(str(Path(__file__).with_name("test_onnx_components.py")))
LAYERS, ACTIVATIONS, MODELS = ONNX["LAYERS"], ONNX["ACTIVATIONS"], ONNX["MODELS"]
TRANSFORMS, TRAINING_ONLY = ONNX["TRANSFORMS"], ONNX["TRAINING_ONLY"]
PARSES_DATES = {"datetime"}  # is named before anything is written


def function(head, lines, weights):
    """The function that these lines are the body of."""
    scope = {**vars(functions), "np": np, "W": weights}
    exec("\n    ".join([f"def {head}:", *lines]), scope)
    return scope[head.partition("(")[0]]


def difference(network, then=lambda y: y, n=5):
    """How far the statements are from the network on n rows, relative to the largest value."""
    x = ONNX["LAYER_TESTS"]["rows"](n, network.input_shape, seed=2).astype(np.float32)
    graph = record_inference(network, then)
    with np.errstate(all="ignore"):
        expected = then(network(Tensor(x))).value
        found = function("network(x)", network_lines(graph), graph.constants)(x)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", names(Layer))
def test_every_layer(name):
    for fields, shape, *_ in LAYERS[name]:
        network = ONNX["shaken"](Network([Layer.parse({"type": name} | fields)], shape))
        assert difference(network) <= 1e-5, fields


def test_every_activation():
    for name in names(Activation):
        function = Activation.parse({"type": name} | ACTIVATIONS[name][0])
        for shape in ((6,), (3, 2, 4)):
            assert difference(Network([ActivationLayer(function=function)], shape)) <= 1e-5, name


@pytest.mark.parametrize("name", names(Architecture))
def test_every_model(name):
    for fields, shape, outputs, dropout, _ in MODELS[name]:
        layers = Architecture.parse({"type": name} | fields).expand(shape, outputs, dropout)
        assert difference(Network(layers, shape)) <= 1e-5, fields


@pytest.mark.parametrize("name", names(Loss))
def test_the_predictions_of_every_loss(name):
    loss = Loss.parse(name)
    for task in loss.tasks:
        size = 2 if name in ("hinge", "perceptron", "logistic") else 3
        network = Network([Layer.parse({"type": "dense", "units": loss.outputs(task, size)})], (4,))
        assert difference(network, lambda y, t=task: loss.inverse_link(y, t)) <= 1e-5, task


@pytest.mark.parametrize("name", ONNX["OPERATIONS"])
def test_operations_of_plugins(name):
    shape, function = ONNX["OPERATIONS"][name]
    assert difference(Network([ONNX["Function"](function=function)], shape)) <= 1e-5


def test_every_operation_has_a_form():
    kinds = [kind for name, kind in operations().items() if not name.startswith("compiled_")]
    without = {kind.__name__ for kind in kinds if not has_form(object.__new__(kind))}
    assert without == TRAINING_ONLY


CASES = [
    *(
        (name, *TRANSFORMS["EXPECTED"][name][:2])
        for name in names(Transform)
        if name not in PARSES_DATES
    ),
    *ONNX["CASES"][-12:],
]


@pytest.mark.parametrize(("name", "fields", "features"), CASES)
def test_every_transform(name, fields, features):
    transform = Transform.parse({"type": name, **fields})
    fitted = Fitted(transform, TRANSFORMS["learn"](transform, features))
    weights = {}
    lines = transform_lines((fitted,), features.names, weights)
    texts = {
        key: [*(np.array([*column.values, ""], object)[column.codes])]
        for key, column in features.categories.items()
    }
    transformed = function("transform(x, texts)", [*lines, "return x"], weights)
    found = transformed(features.array, texts)
    np.testing.assert_allclose(found, transform.apply(features, fitted.state).matrix, rtol=1e-9)


@dataclass(frozen=True, kw_only=True)
class Doubled(Elementwise):
    """Doubling, with a form of its own. y = x factor."""

    invertible = True

    def learn(self, numbers):
        return {"factor": np.array(2.0)}

    def forward(self, x, state, names):
        return x * state["factor"]

    def to_numpy(self, x, state):
        return f"{x} * {state['factor']}"

    def inverse_to_numpy(self, y, state):
        return f"{y} / {state['factor']}"


def test_a_transform_of_a_plugin_brings_its_form():
    features = Features(np.arange(6.0).reshape(3, 2), ("a", "b"))
    fitted = Fitted(Doubled(), Doubled().fit(features))
    assert missing_transforms((fitted,), (fitted,)) == []
    weights = {}
    lines = transform_lines((fitted,), ("a", "b"), weights)
    doubled = function("transform(x)", [*lines, "return x"], weights)(features.array)
    np.testing.assert_array_equal(doubled, [[0, 2], [4, 6], [8, 10]])
    back = function("back(y)", [*inverse_lines((fitted,), weights), "return y"], weights)
    np.testing.assert_array_equal(back(doubled), features.array)


def test_a_transform_without_a_form_is_named():
    fields, features, _ = TRANSFORMS["EXPECTED"]["datetime"]
    transform = Transform.parse({"type": "datetime", **fields})
    (problem,) = missing_transforms(
        (Fitted(transform, TRANSFORMS["learn"](transform, features)),), ()
    )
    assert problem.startswith("the transform datetime has no form in NumPy")
