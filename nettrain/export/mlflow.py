"""`--to mlflow`: a run or a sweep is sent to a tracking server after its training."""

import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nettrain.config.logger import LoggedRun, RunLog
from nettrain.errors import NettrainError, RunError
from nettrain.export.logged import log_again, runs_to_log, status_of
from nettrain.export.target import Exported, Request
from nettrain.inference.load import load
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.training.logged_run import logged_group
from nettrain.training.loggers.mlflow import Mlflow, TrackedRun

Attachments = Callable[[Path], dict[str, bytes]]


def export(request: Request, attachments: Attachments = lambda path: {}) -> Exported:
    """Send what the server does not have: exported twice, nothing is there twice.

    Args:
        request: What to send, to which `uri`, into which `experiment`.
        attachments: Returns further files of a run by name, such as its report.

    Raises:
        ConfigError: The extra is not installed, or the address cannot be right.
        RunError: There is no run, or the server does not take it.
    """
    logger = Mlflow(**request.options)
    logger.check()
    runs, sweep = runs_to_log(request.subject), logged_group(request.subject)
    notes: list[str] = []
    try:
        if sweep is not None:
            logger.begin_group(sweep)
        for record in runs:
            opened: list[RunLog] = []

            def open_log(run: LoggedRun, opened: list[RunLog] = opened) -> RunLog:
                opened.append(logger.open(run))
                return opened[0]

            run = log_again(record, open_log, allow_plugins=request.allow_plugins)
            (log,) = opened
            assert isinstance(log, TrackedRun)
            notes += _attach(log, run, request, attachments(record.path))
        if sweep is not None:
            logger.end_group(sweep, status_of(RecordedRun.open(request.subject)))
    except NettrainError:
        raise
    except Exception as error:  # mlflow raises what its HTTP library raises, too
        text = " ".join(str(error).split())[:300]
        raise RunError(
            f"{logger.address}: the MLflow server did not take the run: {type(error).__name__}: "
            f"{text}; what it has is kept, so export again when it is there"
        ) from error
    many = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    lines = [f"{many} in the experiment {logger.experiment!r} of {logger.address}", *notes]
    return Exported(lines, {"to": "mlflow", "uri": logger.address, "runs": len(runs)})


def _attach(
    log: TrackedRun, run: LoggedRun, request: Request, files: dict[str, bytes]
) -> list[str]:
    """Upload further files and, where `onnx` and `mlflow` allow it, the model with signature."""
    notes = []
    with tempfile.TemporaryDirectory(prefix="nettrain-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # mlflow warns of its own type hints
                _write_model(run.directory, Path(folder) / "model", request)
        except (NettrainError, ImportError) as error:
            notes.append(f"{run.name}: without ONNX model: {error}")
        log.tracking.artifacts(log.identity, folder)
    return notes


def _write_model(path: Path, folder: Path, request: Request) -> None:
    """An MLflow model of the ONNX file, with the signature of its inputs and outputs."""
    if find_spec("onnx") is None:
        raise NettrainError('onnx is not installed: pip install "nettrain[onnx]"')
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.onnx import save_model
    from mlflow.types import Schema, TensorSpec

    from nettrain.export.onnx.model import OPSET, Layout, onnx_model

    predictor = load(path, allow_plugins=request.allow_plugins)
    model = onnx_model(predictor, Layout(OPSET, False, False))

    def specs(values: Any) -> Schema:
        found = []
        for value in values:
            tensor = value.type.tensor_type
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            sizes = [size.dim_value or -1 for size in tensor.shape.dim]
            found.append(TensorSpec(dtype, sizes, value.name))
        return Schema(found)

    signature = ModelSignature(inputs=specs(model.graph.input), outputs=specs(model.graph.output))
    save_model(model, str(folder), signature=signature, pip_requirements=["onnxruntime", "numpy"])
