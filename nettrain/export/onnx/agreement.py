"""An ONNX file is run by onnxruntime on rows of the run: how far it differs from nettrain."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nettrain import streams
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.schema import Schema
from nettrain.errors import NettrainError
from nettrain.inference.predictor import Predictor

MOST_ROWS = 2000  # of a part; more would not find more
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Agreement:
    """How an exported model compares with nettrain's own predictions.

    Attributes:
        rows: Compared.
        where: What rows they are, such as `validation rows`.
        difference: The largest of a probability, or of a value beyond the rounding of float32,
            relative to the standard deviation of the values.
        ties: Labels that are decided otherwise where two classes are equally probable.
        wrong: Labels that are decided otherwise where they are not.
    """

    rows: int
    where: str
    difference: float
    ties: int = 0
    wrong: int = 0


def compared(model: bytes, predictor: Predictor, dataset: Dataset, where: str) -> Agreement:
    """Run the model on some rows, and nettrain too."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, feeds(session, dataset.features)), strict=True))
    expected = predictor.predictions_of(dataset)
    if predictor.task == "regression":
        found = outputs["variable"]
        return Agreement(len(expected), where, _relative(found, expected))
    difference = _largest(outputs["probabilities"], expected)
    decided = predictor.decided(expected)
    other = outputs["label"].astype(decided.dtype) != decided
    if predictor.task == "multilabel":
        tied = np.abs(expected - 0.5) <= TOLERANCE
    else:
        highest = np.sort(expected, axis=1)[:, -2:]
        tied = highest[:, -1] - highest[:, 0] <= 2 * TOLERANCE
    ties, wrong = int((other & tied).sum()), int((other & ~tied).sum())
    return Agreement(len(expected), where, difference, ties, wrong)


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    largest = float(np.abs(expected).max(initial=0.0))
    rounding = 4 * float(np.finfo(np.float32).eps) * largest
    spread = float(expected.std(axis=0).max(initial=0.0)) or largest or 1.0
    return max(0.0, _largest(found, expected) - rounding) / spread


def _largest(found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape:
        raise NettrainError(f"outputs of shape {found.shape}, expected {expected.shape}")
    return float(np.abs(found - expected).max(initial=0.0))


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


def rows_to_compare(predictor: Predictor) -> tuple[Dataset, str]:
    """The validation rows of the run, or of another part; made up where the data is gone."""
    try:
        data = predictor.training_data
        name = next(part for part in ("validation", "test", "train") if part in data.rows)
        rows = data.part(name)
    except NettrainError:
        return made_up(predictor.schema), "made-up rows (the data of the run is gone)"
    rows = rows.take(np.arange(min(len(rows), MOST_ROWS)))
    return replace(rows, target=None), f"{name} rows"


def made_up(schema: Schema, count: int = 100) -> Dataset:
    """Rows of random numbers and no categories, when there are no real ones."""
    generator = streams.generator(0, "export")
    x = generator.uniform(0, schema.largest or 1.0, (count, *schema.shape))
    blank = {name: Category(np.full(count, MISSING), ()) for name in schema.texts}
    return Dataset(Features(x, schema.numbers, blank), None, origin="made-up rows")
