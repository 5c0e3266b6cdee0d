"""Every component's contract rows, exported to ONNX and run by onnxruntime, agree with nettrain."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import nettrain
from nettrain import streams
from nettrain.autodiff import functions as f
from nettrain.autodiff import tensor
from nettrain.autodiff.operations import operations
from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Mish
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.fitted import Fitted
from nettrain.data.transform import Transform
from nettrain.export.inference_graph import record_inference
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.columns import Columns, TextColumn
from nettrain.export.onnx.command import export
from nettrain.export.onnx.model import assembled, declared
from nettrain.export.onnx.operations import TRAINING_ONLY, add_network, form_of
from nettrain.export.onnx.transforms import add_inverse, add_transform, missing_forms
from nettrain.export.target import Request
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

TESTS = Path(__file__).parents[1]
LAYER_TESTS = runpy.run_path(str(TESTS / "nn/test_layers.py"))
LAYERS = LAYER_TESTS["ROWS"]
ACTIVATIONS = runpy.run_path(str(TESTS / "nn/test_activations.py"))["ROWS"]
MODELS = runpy.run_path(str(TESTS / "nn/test_models.py"))["ROWS"]
LOSSES = runpy.run_path(str(TESTS / "nn/test_losses.py"))["ROWS"]
TRANSFORMS = runpy.run_path(str(TESTS / "data/test_transforms.py"))
F32 = np.dtype(np.float32)


def run(model, feeds):
    """The outputs of a model that passes ONNX's checker and strict shape inference."""
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def shaken(network):
    """The network with random weights and state."""
    network.vector.values[...] = (
        streams.generator(1, "weights").normal(size=len(network.vector)) / 2
    )
    for name, array in network.state.items():
        array[...] = streams.generator(1, name).uniform(0.5, 2, size=array.shape)
    return network


def difference(network, then=lambda y: y, n=5):
    """How far ONNX is from the network on n rows, relative to the largest value."""
    x = LAYER_TESTS["rows"](n, network.input_shape, seed=2).astype(network.dtype)
    g = Builder(network.dtype)
    g.rows = g.name("x")
    y = add_network(g, record_inference(network, then), "x")
    g.add("Identity", y, name="y")
    expected = then(network(Tensor(x))).value
    inputs = [declared("x", network.dtype, ["n", *network.input_shape])]
    outputs = [declared("y", network.dtype, ["n", *expected.shape[1:]])]
    (found,) = run(assembled(g, "g", inputs, outputs), {"x": x})
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", names(Layer))
def test_every_layer(name):
    for fields, shape, *_ in LAYERS[name]:
        for dtype in ("float32", "float64"):
            network = shaken(Network([Layer.parse({"type": name} | fields)], shape, dtype=dtype))
            assert difference(network) <= 1e-5, (fields, dtype)


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


OPERATIONS = {
    "arithmetic": ((3,), lambda x: -(x - 2) / (x * x + 1) + x**3 + (x * x + 1) ** x),
    "exponential": ((3,), lambda x: f.sqrt(f.exp(x)) + f.log(f.exp(x)) + f.erf(x)),
    "two": ((3,), lambda x: f.maximum(x, 0.2) * f.minimum(x, x * x) + f.clip(x, -0.5, 0.5)),
    "where": ((3,), lambda x: f.where(np.array([True, False, True]), x, abs(x))),
    "sort": ((4, 3), lambda x: f.sort(x) * f.sort(x, axis=1)),
    "reductions": ((4, 3), lambda x: x.sum(1) + x.max(1) * x.min(1) + f.logsumexp(x, axis=1)),
    "log_softmax": ((4, 3), lambda x: f.log_softmax(x, axis=1)),
    "matmul": ((3, 4), lambda x: x @ x.transpose(0, 2, 1)),
    "slices": ((6, 4), lambda x: x[:, 4:0:-2, None, -1] + x[..., :2, 1][:, None]),
    "gather": ((3, 4), lambda x: x.transpose(1, 2, 0)[np.array([2, 0]), np.array([1, 1])].T),
    "affine": ((3,), lambda x: tensor.apply(Affine(Relu()), x, Tensor(np.eye(3, 2, dtype=F32)), Tensor(np.ones(2, F32)))),
    "affine, features": ((2, 3), lambda x: tensor.apply(Affine(Relu(), FeatureProduct()), x, Tensor(np.ones((2, 3, 2), F32)), Tensor(np.eye(2, dtype=F32)))),
    "affine, factors": ((2, 3), lambda x: tensor.apply(Affine(None, Scale()), x, Tensor(np.eye(2, 3, dtype=F32)), Tensor(np.ones((2, 3), F32)))),
    "scale": ((2, 3), lambda x: tensor.apply(Scale(), x, Tensor(np.arange(3, dtype=F32)))),
    "parametric": ((3,), lambda x: tensor.apply(ParametricActivation(Mish()), x, Tensor(np.arange(3, dtype=F32)))),
    "block": ((4, 4, 1), lambda x: tensor.apply(ConvolutionBlock(Convolution(), Relu(), MaxPool()), x, Tensor(np.ones((1, 1, 1, 2), F32)))),
    "images joined": ((4, 4, 2), lambda x: f.concatenate([f.convolution(x, np.ones((1, 1, 2, 3), F32)), f.pad(f.convolution(x, np.ones((3, 3, 2, 3), F32)), ((0, 0), (1, 1), (1, 1), (0, 0)))], axis=-1)),
    "repeats": ((3,), lambda x: tensor.broadcast(x.reshape(-1, 1, 3), (len(x), 2, 3))),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Function(Layer):
    """A layer of operations, as a plugin writes one."""

    function: object

    def output_shape(self, shape):
        return self.function(Tensor(np.zeros((2, *shape), F32))).shape[1:]

    def apply(self, x, scope):
        return self.function(x)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_plugins(name):
    shape, function = OPERATIONS[name]
    with np.errstate(all="ignore"):
        assert difference(Network([Function(function=function)], shape)) <= 1e-5


def test_every_operation_has_a_form():
    kinds = [kind for name, kind in operations().items() if not name.startswith("compiled_")]
    without = {kind.__name__ for kind in kinds if form_of(object.__new__(kind)) is None}
    assert without == {*TRAINING_ONLY, "Broadcast"}  # which `Values` expands


def as_feeds(features):
    """Features as the inputs of a graph, and what the graph's transforms see."""
    feeds, columns = {}, {}
    for name, column in features.categories.items():
        texts = np.array([*column.values, ""], dtype=object)
        feeds[name], columns[name] = texts[column.codes][:, None], TextColumn(name)
    feeds["numbers"] = features.array.astype(F32)
    return feeds, Columns("numbers", features.names, columns)


def transformed(fitted, features):
    feeds, columns = as_feeds(features)
    g = Builder(F32)
    g.rows = g.name("numbers")
    found = add_transform(g, fitted, columns)
    g.add("Identity", found.matrix(g), name="y")
    shape = ["n", *features.array.shape[1:]]
    inputs = [declared("numbers", F32, shape)]
    inputs += [declared(name, None, ["n", 1]) for name in features.categories]
    width = [None] * (features.array.ndim - 1)
    outputs = [declared("y", F32, ["n", *width])]
    return run(assembled(g, "g", inputs, outputs), feeds)[0]


NEW = Features(
    np.array([[1.5, 11, 5], [-0.5, 99, 6], [np.nan, 20, 5], [6, 30, 4]]),
    ("a", "b", "same"),
    {"city": Category(np.array([1, 0, MISSING, 2]), ("Bern", "Oslo", "Rome"))},
)
# Operations of ONNX neither parse dates nor hash words: an export says so before it writes anything.
WITHOUT_FORM = {"datetime", "hash_words"}
CASES = [
    *(
        (name, *TRANSFORMS["EXPECTED"][name][:2])
        for name in names(Transform)
        if name not in WITHOUT_FORM
    ),
    ("quantile", {"to": "normal"}, TRANSFORMS["TABLE"]),
    ("quantile", {"to": "normal", "columns": ["b"]}, TRANSFORMS["TABLE"]),
    ("standardize", {"columns": ["b", "a"]}, TRANSFORMS["TABLE"]),
    ("standardize", {}, TRANSFORMS["IMAGES"]),
    ("quantile", {}, TRANSFORMS["IMAGES"]),
    ("clip", {"high": 3.0, "columns": ["a"]}, TRANSFORMS["TABLE"]),
    ("piecewise_linear", {"bins": 2}, TRANSFORMS["GAPS"]),
    ("rare_categories", {"min_count": 2}, TRANSFORMS["GAPS"]),
    ("target_statistics", {}, TRANSFORMS["GAPS"]),
    ("smooth_clip", {"columns": ["a"]}, TRANSFORMS["GAPS"]),
    ("impute", {"flag": True}, TRANSFORMS["GAPS"]),
    ("impute", {"strategy": "constant", "flag": True}, TRANSFORMS["GAPS"]),
]


@pytest.mark.parametrize(("name", "fields", "features"), CASES)
def test_every_transform(name, fields, features):
    transform = Transform.parse({"type": name, **fields})
    fitted = Fitted(transform, TRANSFORMS["learn"](transform, features))
    samples = [features] if features is not TRANSFORMS["TABLE"] else [features, NEW]
    for sample in samples:
        expected = transform.apply(sample, fitted.state).matrix
        np.testing.assert_allclose(transformed(fitted, sample), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(WITHOUT_FORM))
def test_a_transform_without_a_form_is_named(name):
    fields, features, _ = TRANSFORMS["EXPECTED"][name]
    transform = Transform.parse({"type": name, **fields})
    (problem,) = missing_forms((Fitted(transform, TRANSFORMS["learn"](transform, features)),), ())
    assert problem.startswith(f"the transform {name} has no ONNX form")


@pytest.mark.parametrize(("name", "fields"), [
    ("standardize", {}), ("robust_scale", {}), ("minmax", {"low": -1}), ("center", {}), ("scale", {"divide_by": 7}), ("log", {}),
    ("clamp", {}), ("quantile", {}), ("quantile", {"to": "normal"}),
])  # fmt: skip
def test_every_inverse(name, fields):
    transform = Transform.parse({"type": name, **fields})
    state = transform.fit(TRANSFORMS["TABLE"])
    y = np.random.Generator(np.random.PCG64(3)).uniform(-0.2, 1.1, (9, 3)).astype(F32)
    g = Builder(F32)
    g.rows = g.name("y")
    g.add("Identity", add_inverse(g, Fitted(transform, state), "y", 3), name="x")
    model = assembled(g, "g", [declared("y", F32, ["n", 3])], [declared("x", F32, ["n", 3])])
    (found,) = run(model, {"y": y})
    np.testing.assert_allclose(found, transform.invert(y, state), rtol=1e-5, atol=1e-5)


def test_every_transform_that_inverts_is_tried():
    needed = {"clip": {"low": 0}, "drop": {"columns": ["a"]}, "hash_words": {"columns": ["a"]}}
    kinds = [Transform.parse({"type": name, **needed.get(name, {})}) for name in names(Transform)]
    assert {kind.name() for kind in kinds if kind.invertible} == {"clamp", "standardize", "minmax", "center", "scale", "log", "quantile", "robust_scale"}  # fmt: skip


def test_large_numbers_that_differ_little_keep_their_difference():
    numbers = 2e6 + np.arange(40.0)[:, None] / 4 + 1 / 3
    features = Features(numbers.astype(F32).astype(np.float64), ("stamp",))
    transform = Transform.parse("standardize")
    fitted = Fitted(transform, TRANSFORMS["learn"](transform, features))
    expected = transform.apply(features, fitted.state).array
    np.testing.assert_allclose(transformed(fitted, features), expected, rtol=0, atol=1e-5)


def test_float64_has_only_operations_that_onnxruntime_has_for_it(tmp_path):
    dataset = {"source": "moons", "limit": 40, "transforms": ["smooth_clip"]}
    model = {"type": "mlp", "hidden": [3], "activation": "gelu"}
    config = {"dtype": "float64", "dataset": dataset, "model": model, "training": {"epochs": 1}}
    run_directory = nettrain.train(config, output_directory=tmp_path).run_directory
    assert export(Request(subject=run_directory)).summary["rows"] == 8
