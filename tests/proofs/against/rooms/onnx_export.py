"""Random networks exported to ONNX: onnxruntime computes the outputs that nettrain does."""

from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
from against.chance import Chance
from against.comparison import Comparison, Deviation, Refused
from against.coverage import Coverage
from against.random_configs.runs import arrays, random_run
from onnx.reference import ReferenceEvaluator

from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import NettrainError
from nettrain.export.inference_graph import record_inference
from nettrain.export.onnx import builder
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.model import assembled, declared
from nettrain.export.onnx.operations import add_network
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.training.train import prepare_run

CASES = 1000
TOLERANCE = {"float32": 2e-4, "float64": 1e-5}  # onnxruntime has some operations for float32 alone
REFERENCE = 1e-9  # ONNX's own implementation; attributes, such as epsilon, are float32
LARGEST = 1e3  # of what a layer gives: float32 has no digits left behind the point of more
LEFT_OUT = {
    "layer.by_columns.cardinalities": "taken from the data",
    "layer.mean_of_members.of": "taken from the loss",
}


def draw(chance: Chance) -> dict[str, Any]:
    """A run, of which the network is exported as it starts, with random state."""
    case = random_run(chance)
    case["config"]["dtype"] = chance.pick(["float32", "float64"])
    return case


def coverage() -> Coverage:
    """Every layer, activation, model and loss."""
    return Coverage([Activation, Architecture, Layer, Loss], [], LEFT_OUT)  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare the predictions for the rows. Returns what was tried."""
    try:
        run = prepare_run(case["config"], arrays(case["data"]))
    except NettrainError as error:
        raise Refused(str(error)) from None
    network, task, loss = run.network, run.pipeline.schema.task, run.loss
    for name, array in network.state.items():
        if not name.endswith(("lower", "slope")):  # those are knots, which must rise
            array[...] = streams.generator(1, name).uniform(0.5, 2, size=array.shape)
    x = np.asarray(run.parts["train"].x)
    scope = network.watched(Tensor(x))[1]
    if any(not np.abs(one.value.value).max(initial=0) < LARGEST for one in scope):
        comparison.notes["outputs of layers beyond 1000"] += 1
        return ()

    def predicted(y: Tensor) -> Tensor:
        return loss.inverse_link(y, task)

    expected = predicted(network(Tensor(x))).value
    found = _by_runtime(_exported(network, predicted, x, expected.shape), x)
    dtype = str(network.dtype)
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    try:
        comparison.close(f"predictions in {dtype}", found, expected, TOLERANCE[dtype], scale)
    except Deviation:
        if dtype == "float32":
            raise
        # Normalizations of near numbers make the rounding of operations in float32 large.
        with patch.object(builder, "FLOAT32_ALONE", frozenset()):
            model = _exported(network, predicted, x, expected.shape)
        found = ReferenceEvaluator(model).run(None, {"x": x})[0]
        comparison.close("predictions by the reference", found, expected, REFERENCE, scale)
        comparison.notes["rounding of operations in float32"] += 1
    return run.config.model, [bound.layer for bound in run.plan.layers], loss


def _exported(network: Any, predicted: Any, x: np.ndarray, shape: tuple[int, ...]) -> Any:
    """The network as a model of ONNX."""
    g = Builder(network.dtype)
    g.rows = g.name("x")
    y = add_network(g, record_inference(network, predicted), "x")
    g.add("Identity", y, name="y")
    inputs = [declared("x", network.dtype, ["n", *x.shape[1:]])]
    outputs = [declared("y", network.dtype, ["n", *shape[1:]])]
    model = assembled(g, "g", inputs, outputs)
    onnx.checker.check_model(model, full_check=True)
    return model


def _by_runtime(model: Any, x: np.ndarray) -> np.ndarray:
    """What onnxruntime makes of the rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]
