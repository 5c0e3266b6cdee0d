"""Temperature scaling: one number, chosen on validation rows, that corrects how sure a model is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.config.plugins import described_failures
from nettrain.data.dataset import Dataset
from nettrain.errors import RunError
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.inspection.calibration import brier_score, predicted_events, reliability
from nettrain.metrics import ClassOutcome, LabelOutcome, ValueOutcome, outcome_of
from nettrain.training.artifacts.checkpoint import keep_number
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.evaluate import predictions
from nettrain.training.temperature import best_temperature, log_loss


@dataclass(frozen=True)
class CalibrationScores:
    """How far probabilities can be believed; lower is better.

    Attributes:
        ece: Expected calibration error, of 10 bins of equal width.
        brier: Brier score.
        log_loss: Nats per row, of labels per row and label.
    """

    ece: float
    brier: float
    log_loss: float


def calibration_scores(outcome: ClassOutcome | LabelOutcome) -> CalibrationScores:
    """ECE, Brier score and log loss of some rows."""
    curve = reliability(*predicted_events(outcome))
    return CalibrationScores(curve.ece, brier_score(outcome), log_loss(outcome))


def logits_of(model: Model, rows: Dataset) -> np.ndarray:
    """What the network gives for some rows (n, o), before any temperature."""
    with described_failures(model.config.plugins), one_blas_thread():
        x = model.pipeline.inputs(rows.features, model.config.dtype, rows.place)
        return model.network.outputs(x)


def outcome_at(
    model: Model, logits: np.ndarray, truth: np.ndarray, temperature: float
) -> ClassOutcome | LabelOutcome:
    """The outcome of some rows with their logits (n, o) divided by a temperature."""
    predicted = predictions(logits, model.loss, model.pipeline, temperature)
    outcome = outcome_of(model.task, truth, predicted, model.decision)
    if isinstance(outcome, ValueOutcome):
        raise TypeError("a regression has no probabilities")
    return outcome


def temperature_of(model: Model, logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature of a model with the smallest log loss on some rows."""
    return best_temperature(model.loss, model.pipeline, logits, truth)[0]


def with_one_temperature(predictor: Predictor) -> Model:
    """The model, if its logits can be divided by one temperature. Raises RunError if not."""
    if not isinstance(predictor, Model):
        raise RunError(
            f"{predictor.path}: is an ensemble, which has no logits of its own: make it of members "
            "that are calibrated (training.refine: true)"
        )
    if predictor.decision.threshold is not None:
        raise RunError(
            f"{predictor.path}: keeps the threshold {predictor.decision.threshold:.4g}, which is "
            "one of the probabilities as they are; take it out (nettrain eval RUN --threshold 0.5 "
            "--keep-threshold), then choose it again afterwards"
        )
    return predictor


def keep_temperature(path: Path, temperature: float | None) -> None:
    """Write a temperature into a checkpoint, or take it out (None); the tensors stay the same."""
    keep_number(path, "temperature", temperature)
