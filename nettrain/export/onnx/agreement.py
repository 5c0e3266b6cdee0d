"""An ONNX file is run by onnxruntime on rows of the run: how far it differs from nettrain."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Features
from nettrain.errors import NettrainError
from nettrain.export.onnx.values import values_of
from nettrain.inference.predictor import Predictor

TOLERANCE = 1e-5  # of a probability
VALUE_TOLERANCE = 1e-4  # of a value, in standard deviations


@dataclass(frozen=True)
class Agreement:
    """How an exported model compares with nettrain's own predictions.

    Attributes:
        rows: Compared.
        difference: The largest of a probability, or of a value in standard deviations.
        ties: Rows that decide differently because what decides is equal within the tolerance.
        problem: What is further apart than it may be, with its row; empty if nothing is.
    """

    rows: int
    difference: float
    ties: int = 0
    problem: str = ""


def compared(model: bytes, predictor: Predictor, dataset: Dataset) -> Agreement:
    """Run the model on some rows, and nettrain too."""
    outputs, expected = run(model, dataset.features), predictor.predictions_of(dataset)
    if predictor.task == "regression":
        known = values_of(predictor, expected)
        found = np.concatenate([outputs[name] for name in known], axis=1)
        return values_compared(found, np.concatenate(list(known.values()), axis=1), dataset)
    return _probabilities_compared(outputs, expected, predictor)


def run(model: bytes, features: Features) -> dict[str, np.ndarray]:
    """The outputs of a model by name, computed by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds(session, features)), strict=True))


def values_compared(found: np.ndarray, expected: np.ndarray, dataset: Dataset) -> Agreement:
    """Compare values (n, t), beyond the rounding of float32, in units of their column's spread."""
    rounding = 4 * np.finfo(np.float32).eps * np.abs(expected).max(axis=0, initial=0.0)
    beyond = np.maximum(_differences(found, expected) - rounding, 0.0)
    differences = beyond / _spread(expected, dataset)
    row, column = _largest(differences)
    difference = float(differences[row, column]) if len(differences) else 0.0
    problem = ""
    if not difference <= VALUE_TOLERANCE:
        problem = (
            f"row {row + 1}: {found[row, column]:.9g} instead of {expected[row, column]:.9g}, "
            f"{difference:.2g} standard deviations apart, more than {VALUE_TOLERANCE:g}"
        )
    return Agreement(len(expected), difference, problem=problem)


def _spread(expected: np.ndarray, dataset: Dataset) -> np.ndarray:
    """The standard deviations (t,) of the targets or, without them, of the predictions."""
    target = None if dataset.target is None else dataset.target.values
    known = expected if target is None else np.asarray(target, np.float64)
    known = known.reshape(len(expected), -1)
    spread = known.std(axis=0) if len(expected) else np.ones(known.shape[1])
    if spread.shape != expected.shape[1:]:
        spread = expected.std(axis=0)
    largest = np.abs(expected).max(axis=0, initial=0.0)
    return np.where(spread > 0, spread, np.where(largest > 0, largest, 1.0))


def _probabilities_compared(
    outputs: dict[str, np.ndarray], expected: np.ndarray, predictor: Predictor
) -> Agreement:
    found = outputs["probabilities"]
    differences = _differences(found, expected)
    row, column = _largest(differences)
    difference = float(differences[row, column]) if len(differences) else 0.0
    if not difference <= TOLERANCE:
        problem = (
            f"row {row + 1}: the probability {found[row, column]:.9g} instead of "
            f"{expected[row, column]:.9g}, {difference:.2g} apart, more than {TOLERANCE:g}"
        )
        return Agreement(len(expected), difference, problem=problem)
    labels, decided = outputs["label"], predictor.decided(expected)
    other = labels.astype(object) != decided.astype(object)
    ties = other & _tied(labels, expected, predictor)
    wrong = np.argwhere(other & ~ties)
    problem = ""
    if len(wrong):
        at = tuple(wrong[0])
        problem = f"row {at[0] + 1}: the label {labels[at]} instead of {decided[at]}"
    return Agreement(len(expected), difference, int(ties.sum()), problem)


def _tied(labels: np.ndarray, expected: np.ndarray, predictor: Predictor) -> np.ndarray:
    """Where the label found and the one decided are equally right, within the tolerance."""
    if predictor.task == "multilabel":
        return np.abs(expected - 0.5) <= TOLERANCE
    codes = {label: code for code, label in enumerate(predictor.schema.labels.tolist())}
    given = np.array([codes.get(label, MISSING) for label in labels.tolist()], np.int64)
    decision, rows = predictor.decision, np.arange(len(expected))
    if decision.threshold is None:
        apart = expected[rows, given] - expected[rows, decision.classes(expected)]
    else:
        apart = expected[:, decision.positive] - decision.threshold
    return (given != MISSING) & (np.abs(apart) <= TOLERANCE)


def _differences(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    if found.shape != expected.shape:
        raise NettrainError(f"outputs of shape {found.shape}, expected {expected.shape}")
    return np.abs(found.astype(np.float64) - expected)


def _largest(differences: np.ndarray) -> tuple[int, int]:
    """The place of the largest, or of a NaN."""
    if not differences.size:
        return 0, 0
    row, column = np.unravel_index(differences.argmax(), differences.shape)
    return int(row), int(column)


def feeds(session: Any, features: Features) -> dict[str, np.ndarray]:
    """The features as the inputs of a session."""
    inputs = {given.name: given.type for given in session.get_inputs()}
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
    found: dict[str, np.ndarray] = {}
    for name, kind in inputs.items():
        if name in features.categories:
            column = features.categories[name]
            texts = np.array([*column.values, ""], dtype=object)
            found[name] = texts[np.where(column.codes == MISSING, -1, column.codes)][:, None]
        elif name in features.names:
            index = features.names.index(name)
            found[name] = features.array[:, index : index + 1].astype(kinds[kind])
        else:
            found[name] = features.array.astype(kinds[kind])
    return found
