"""`--to onnx`: the file is checked, and run beside nettrain, before it is left."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from nettrain.data.schema import Schema
from nettrain.data.unseen import unseen_ignored
from nettrain.errors import ConfigError, NettrainError, RunError
from nettrain.export.onnx.agreement import Agreement, compared
from nettrain.export.onnx.model import OPSET, Layout, onnx_model
from nettrain.export.onnx.rows import rows_to_compare
from nettrain.export.target import Exported, Request
from nettrain.inference.load import load
from nettrain.inference.predictor import Predictor

OPSETS = (OPSET, 25)
INPUTS = ("columns", "matrix")


def export(request: Request) -> Exported:
    """The ONNX file as bytes, checked.

    Raises:
        ConfigError: An option is wrong, or the extra is not installed.
        NettrainError: A component has no ONNX form, or the file disagrees with nettrain.
    """
    check_installed()
    layout = _layout(request.options)
    predictor = load(request.subject, allow_plugins=request.allow_plugins)
    predictor.at_level(request.options.get("level"))
    if layout.matrix and (predictor.schema.texts or not predictor.schema.numbers):
        what = "strings" if predictor.schema.texts else "images"
        raise ConfigError(f"--inputs matrix: the model takes {what}; leave the option out")
    if predictor.decision.threshold is not None:
        raise RunError(
            f"{predictor.path}: decides from {predictor.decision.threshold:.4g} on, and the label "
            "of the graph is the more probable class; take the threshold out first: nettrain eval "
            f"{request.subject} --threshold 0.5 --keep-threshold"
        )
    dataset, where = rows_to_compare(predictor)
    as_bytes = not predictor.schema.numbers and dataset.features.numbers.dtype == np.uint8
    model = onnx_model(predictor, Layout(layout.opset, layout.matrix, as_bytes))
    content = checked(model)
    agreement = _compared(content, predictor, dataset, where)
    return _told(content, model, agreement, where, predictor.schema)


def check_installed() -> None:
    """Raises ConfigError with the command that installs what an ONNX file needs."""
    if find_spec("onnx") is None:
        raise ConfigError('onnx is not installed: pip install "nettrain[onnx]" writes ONNX files')


def _layout(options: dict[str, Any]) -> Layout:
    opset, inputs = options.get("opset", OPSET), options.get("inputs", INPUTS[0])
    lowest, highest = OPSETS
    if not lowest <= opset <= highest:
        raise ConfigError(f"--opset {opset}: expected a number from {lowest} to {highest}")
    if inputs not in INPUTS:
        raise ConfigError(f"--inputs {inputs}: expected {' or '.join(INPUTS)}")
    return Layout(opset, inputs == "matrix")


def checked(model: Any) -> bytes:
    """The model's bytes, after ONNX's own checker and strict shape inference."""
    from onnx import checker

    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _compared(content: bytes, predictor: Predictor, dataset: Any, where: str) -> Agreement | None:
    if find_spec("onnxruntime") is None:
        return None
    with unseen_ignored():
        found = compared(content, predictor, dataset)
    if found.problem:
        raise NettrainError(
            f"the ONNX model disagrees with nettrain on {found.rows:,} {where}; {found.problem}; "
            "nothing was written"
        )
    return found


def _told(
    content: bytes, model: Any, agreement: Agreement | None, where: str, schema: Schema
) -> Exported:
    summary: dict[str, Any] = {
        "target": "onnx",
        "bytes": len(content),
        "nodes": len(model.graph.node),
        "opset": model.opset_import[0].version,
        "ir_version": model.ir_version,
        "inputs": [one.name for one in model.graph.input],
        "outputs": [one.name for one in model.graph.output],
    }
    lines = [
        f"{len(content):,} bytes, {len(model.graph.node)} nodes, opset {summary['opset']}; "
        f"outputs: {', '.join(summary['outputs'])}"
    ]
    written = [name for name in schema.formats if name in schema.numbers]
    if written:
        summary["plain_numbers"] = written
        lines.append(
            "the graph takes plain numbers, such as 1234.5, where the training data was written "
            f"for people: {', '.join(written)}"
        )
    if agreement is None:
        lines.append(
            "not compared with nettrain: onnxruntime is not installed (pip install onnxruntime)"
        )
    else:
        summary |= {
            "rows": agreement.rows,
            "difference": agreement.difference,
            "other_labels": agreement.ties,
        }
        lines.append(
            f"largest difference from nettrain on {agreement.rows:,} {where}: "
            f"{agreement.difference:.2g}"
            + (f"; {agreement.ties:,} ties are decided otherwise" if agreement.ties else "")
        )
    return Exported(lines, summary, content)
