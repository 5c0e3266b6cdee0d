"""A trained model, or an ensemble, as one ONNX graph: raw columns in, labels out."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor
from nettrain.config.plugins import in_use
from nettrain.export.inference_graph import InferenceGraph, NotExportable, record_inference
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.columns import Columns, TextColumn
from nettrain.export.onnx.operations import add_network, check_exportable
from nettrain.export.onnx.transforms import add_inverse, add_transform, missing_forms
from nettrain.export.onnx.values import add_values, value_outputs
from nettrain.inference.ensemble import Ensemble
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.version import __version__

OPSET, ML_OPSET = 18, 3
IR_VERSION = 8
OUTPUTS = ("label", "probabilities")


@dataclass(frozen=True)
class Layout:
    """What the graph takes.

    Attributes:
        opset: Version of the operators.
        matrix: One matrix (n, d) of all numbers, in place of an input per column.
        bytes: Images come as uint8.
    """

    opset: int = OPSET
    matrix: bool = False
    bytes: bool = False


def members_of(predictor: Predictor) -> list[Model]:
    """The networks of a predictor."""
    if isinstance(predictor, Ensemble):
        return list(predictor.members)
    assert isinstance(predictor, Model)
    return [predictor]


def onnx_model(predictor: Predictor, layout: Layout) -> Any:
    """The model as an ONNX ModelProto.

    Raises:
        NotExportable: Naming every component that has no ONNX form.
    """
    from onnx import helper

    members = members_of(predictor)
    with in_use(predictor.config.plugins):
        graphs = [_recorded(member) for member in members]
        _check(members, graphs)
        g = Builder(np.dtype(predictor.config.dtype))
        inputs, columns = _inputs(g, predictor, layout)
        found = [
            _predictions(g, member, graph, columns, f"member_{number}/" if len(members) > 1 else "")
            for number, (member, graph) in enumerate(zip(members, graphs, strict=True), start=1)
        ]
    outputs = _outputs(g, predictor, _vote(g, predictor, found))
    model = assembled(g, predictor.config.name or "nettrain", inputs, outputs, layout.opset)
    model.doc_string = model.graph.doc_string = _description(predictor)
    helper.set_model_props(model, _properties(predictor))
    return model


def assembled(
    g: Builder, name: str, inputs: list[Any], outputs: list[Any], opset: int = OPSET
) -> Any:
    """The ModelProto of a graph. IR version 8, or what a newer opset needs."""
    from onnx import helper, numpy_helper

    weights = [numpy_helper.from_array(array, key) for key, array in g.initializers.items()]
    graph = helper.make_graph(g.nodes, name, inputs, outputs, weights)
    operators = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(
        graph,
        opset_imports=operators,
        producer_name="nettrain",
        producer_version=__version__,
        ir_version=max(IR_VERSION, helper.find_min_ir_version_for(operators[:1])),
    )


def _recorded(member: Model) -> InferenceGraph:
    """The network, its calibration, and the way to probabilities or values."""

    def predictions(outputs: Tensor) -> Tensor:
        logits = outputs if member.temperature == 1 else outputs / member.temperature
        return member.loss.inverse_link(logits, member.schema.task)

    return record_inference(member.network, predictions)


def _check(members: list[Model], graphs: list[InferenceGraph]) -> None:
    problems: list[str] = []
    for member, graph in zip(members, graphs, strict=True):
        pipeline = member.pipeline
        problems += missing_forms(pipeline.transforms, pipeline.target_transforms)
        problems += check_exportable(graph)
    if problems:
        raise NotExportable("\n".join(dict.fromkeys(problems)))


def _inputs(g: Builder, predictor: Predictor, layout: Layout) -> tuple[list[Any], Columns]:
    """The graph's inputs, and the columns that they are to the transforms."""
    schema = predictor.schema
    outputs = value_outputs(predictor) if predictor.task == "regression" else OUTPUTS
    for name in (*schema.numbers, *schema.texts):
        if name in outputs:
            raise NotExportable(
                f"the column {name!r} has the name of an output of the graph; rename it in the data"
            )
    if not schema.numbers and not schema.texts:
        element = np.dtype(np.uint8) if layout.bytes else g.dtype
        g.rows = g.name("image")
        x = g.rows if element == g.dtype else g.cast(g.rows, g.dtype)
        return [declared(g.rows, element, ["n", *schema.shape])], Columns(x)
    inputs: list[Any] = []
    if layout.matrix and schema.numbers:
        numbers = g.name("X")
        inputs.append(declared(numbers, g.dtype, ["n", len(schema.numbers)]))
    else:
        parts = [g.name(name) for name in schema.numbers]
        inputs += [declared(name, g.dtype, ["n", 1]) for name in parts]
        numbers = (
            g.add("Concat", *parts, axis=1, name="columns") if len(parts) > 1 else "".join(parts)
        )
    texts = {name: TextColumn(g.name(name)) for name in schema.texts}
    inputs += [declared(column.value, None, ["n", 1]) for column in texts.values()]
    g.rows = inputs[0].name
    return inputs, Columns(numbers or None, schema.numbers, texts)


def declared(name: str, dtype: np.dtype | None, shape: list[str | int]) -> Any:
    """The declaration of an input or output; None: strings."""
    from onnx import TensorProto, helper

    element = TensorProto.STRING if dtype is None else helper.np_dtype_to_tensor_dtype(dtype)
    return helper.make_tensor_value_info(name, element, shape)


def _predictions(
    g: Builder, member: Model, graph: InferenceGraph, columns: Columns, prefix: str
) -> str:
    """Probabilities, or values in original units, of one network."""
    pipeline = member.pipeline
    for fitted in pipeline.transforms:
        g.prefix = f"{prefix}{fitted.transform.name()}/"
        columns = add_transform(g, fitted, columns)
    g.prefix = prefix
    x = columns.matrix(g)
    if x is None:
        raise NotExportable("no numbers are left for the network")
    found = add_network(g, graph, x, prefix)
    targets, quantiles = len(member.schema.targets), len(member.loss.levels)
    folded = bool(pipeline.target_transforms) and min(targets, quantiles) > 1
    if folded:
        found = g.reshape(found, (-1, targets))
    for fitted in reversed(pipeline.target_transforms):
        g.prefix = f"{prefix}{fitted.transform.name()}_inverse/"
        found = add_inverse(g, fitted, found, targets)
    g.prefix = ""
    return g.reshape(found, (-1, quantiles * targets)) if folded else found


def _vote(g: Builder, predictor: Predictor, found: list[str]) -> str:
    """The weighted mean of the members' predictions, or the shares of their votes."""
    if not isinstance(predictor, Ensemble):
        return found[0]
    g.prefix = "vote/"
    shares = predictor.weights / predictor.weights.sum()
    weighted = [
        g.add("Mul", _ballot(g, predictor, member), g.scalar(float(share)))
        for member, share in zip(found, shares, strict=True)
    ]
    total = g.add("Sum", *weighted) if len(weighted) > 1 else weighted[0]
    g.prefix = ""
    return total


def _ballot(g: Builder, predictor: Ensemble, found: str) -> str:
    """The predictions, or for a majority vote 1 for the decision."""
    if predictor.vote == "mean":
        return found
    if predictor.task != "classification":
        return g.cast(g.add("GreaterOrEqual", found, g.scalar(0.5)), g.dtype)
    best = g.add("ArgMax", found, axis=1, keepdims=1)
    codes = g.constant(np.arange(len(predictor.classes or ()), dtype=np.int64)[np.newaxis])
    return g.cast(g.add("Equal", best, codes), g.dtype)


def _outputs(g: Builder, predictor: Predictor, found: str) -> list[Any]:
    """`label` and `probabilities`, or `variable` and what else is known of values."""
    from onnx import helper

    schema = predictor.schema
    if predictor.task == "regression":
        width = int(np.prod(members_of(predictor)[0].network.output_shape))
        targets = width // max(len(predictor.decision.levels), 1)
        add_values(g, predictor, found, targets)
        return [
            declared(name, g.dtype, ["n", columns * targets])
            for name, columns in value_outputs(predictor).items()
        ]
    if predictor.task == "multilabel":
        g.add("Identity", found, name="probabilities")
        labels = g.add("GreaterOrEqual", "probabilities", g.scalar(0.5))
        g.add("Cast", labels, name="label", to=helper.np_dtype_to_tensor_dtype(np.dtype(np.int64)))
        width = len(schema.targets)
        return [
            declared("label", np.dtype(np.int64), ["n", width]),
            declared("probabilities", g.dtype, ["n", width]),
        ]
    g.add("Identity", found, name="probabilities")
    labels_of, is_text = class_labels(predictor)
    best = g.add("ArgMax", "probabilities", axis=1, keepdims=0)
    g.add("Gather", g.constant(labels_of, "classes", labels_of.dtype), best, axis=0, name="label")
    return [
        declared("label", None if is_text else labels_of.dtype, ["n"]),
        declared("probabilities", g.dtype, ["n", len(labels_of)]),
    ]


def class_labels(predictor: Predictor) -> tuple[Array, bool]:
    """The classes as the graph gives them: strings, int64, or float64 where they are not whole.

    Returns:
        Them, and whether they are strings.
    """
    schema = predictor.schema
    if schema.label_type == "string":
        return np.array(schema.classes, dtype=object), True
    labels = schema.labels
    whole = labels.dtype.kind != "f" or bool((labels == np.floor(labels)).all())
    return labels.astype(np.int64) if whole else labels, False


def _description(predictor: Predictor) -> str:
    schema, size = predictor.schema, len(members_of(predictor))
    what = "an autoencoder" if schema.autoencoder else predictor.task
    of = f", {size} networks that vote" if size > 1 else ""
    return (
        f"{predictor.config.name}: {what}{of}, trained with nettrain {__version__}. The inputs are "
        "raw, as in the training data: all transforms are in the graph. A missing number is NaN, a "
        "missing string is empty."
    )


def _properties(predictor: Predictor) -> dict[str, str]:
    schema = predictor.schema
    values: dict[str, Any] = {
        "nettrain_version": __version__,
        "task": predictor.task,
        "numeric_columns": json.dumps(schema.numbers),
        "text_columns": json.dumps(schema.texts),
        "targets": json.dumps(schema.targets),
    }
    plain = [name for name in schema.formats if name in schema.numbers]
    if plain:
        values["plain_number_columns"] = json.dumps(plain)
    if len(predictor.decision.levels) > 1:
        values["quantiles"] = json.dumps(predictor.decision.levels)
    if predictor.conformal is not None:
        values["level"] = json.dumps(predictor.conformal.level)
    if schema.classes is not None:
        values["classes"] = json.dumps(schema.classes)
    return values
