"""The threshold on the probability of the positive class: chosen on validation rows, its gains."""

from dataclasses import dataclass, replace

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.errors import ConfigError, RunError
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.inspection.statistics.wilson import wilson_interval
from nettrain.inspection.threshold_curves import precision_recall_curve
from nettrain.metrics import ClassOutcome
from nettrain.training.artifacts.checkpoint import keep_number

BEST_F1 = "best_f1"
BY_DEFAULT = 0.5


@dataclass(frozen=True)
class Share:
    """A share of rows and its 95 % interval (Wilson); None where it is not defined."""

    value: float | None
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, hits: int, rows: int) -> "Share":
        """hits / rows."""
        return cls(hits / rows, wilson_interval(hits, rows)) if rows else cls(None)


def threshold_scores(outcome: ClassOutcome) -> dict[str, Share]:
    """Precision, recall, F1 and specificity of the positive class, and accuracy.

    F1 = 2 tp / (2 tp + fp + fn) is no share of rows and has no interval. scikit-learn:
    precision_score(pos_label=...), and so on.
    """
    sought = outcome.targets == outcome.decision.positive
    found = outcome.predicted == outcome.decision.positive
    hits, misses = int((sought & found).sum()), int((sought & ~found).sum())
    alarms, right = int((~sought & found).sum()), int((~sought & ~found).sum())
    either = 2 * hits + alarms + misses
    return {
        "precision": Share.of(hits, hits + alarms),
        "recall": Share.of(hits, hits + misses),
        "f1": Share(2 * hits / either if either else None),
        "specificity": Share.of(right, right + alarms),
        "accuracy": Share.of(hits + right, len(sought)),
    }


def best_f1_threshold(positive: np.ndarray, scores: np.ndarray) -> float:
    """The score from which on calling rows positive makes F1 largest; of equals the highest.

    Args:
        positive: Whether each row is positive (n,); one at least.
        scores: The probability of it (n,).
    """
    curve = precision_recall_curve(positive, scores)
    if curve is None:
        raise ValueError("no row is positive")
    total = curve.precision + curve.recall
    f1 = np.divide(
        2 * curve.precision * curve.recall, total, out=np.zeros(len(total)), where=total > 0
    )
    return float(curve.thresholds[1:][f1[1:].argmax()])  # the first is infinite: no row


def check_two_classes(predictor: Predictor) -> None:
    """Raises RunError where no threshold decides, since there are not two classes."""
    if predictor.task != "classification" or len(predictor.classes or ()) != 2:
        what = (
            f"{len(predictor.classes or ())} classes"
            if predictor.task == "classification"
            else predictor.task
        )
        raise RunError(f"{predictor.path}: a threshold decides between two classes, this is {what}")


def with_threshold(predictor: Predictor, asked: str) -> float:
    """Let a model of two classes decide by a threshold from now on.

    Args:
        predictor: The model; changed in place. Of an ensemble the threshold is one of its vote:
            of the mean probability, or of the share of the members.
        asked: best_f1, chosen on the validation rows, or a number in (0, 1).

    Returns:
        The threshold.

    Raises:
        ConfigError: It is neither.
        RunError: There are not two classes, or no validation rows to choose it on.
    """
    check_two_classes(predictor)
    value = _chosen(_one_network(predictor)) if asked == BEST_F1 else _number(asked)
    predictor.decision = replace(predictor.decision, threshold=value)
    return value


def keep_threshold(predictor: Predictor) -> None:
    """Write the threshold by which a model decides into its checkpoint; 0.5 is taken out."""
    _one_network(predictor)
    value = predictor.decision.threshold
    keep_number(predictor.path, "threshold", None if value == BY_DEFAULT else value)


def _one_network(predictor: Predictor) -> Model:
    """The model. Raises RunError for an ensemble, some of whose members know every row."""
    if not isinstance(predictor, Model):
        raise RunError(
            f"{predictor.path}: is an ensemble: no row is held out from all of its members to "
            "choose a threshold on, and it keeps none; name a number with each use"
        )
    return predictor


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 < value < 1:
        raise ConfigError(f"--threshold {text}: expected {BEST_F1}, or a number between 0 and 1")
    return value


def _chosen(model: Model) -> float:
    data = model.training_data
    rows: Dataset | None = data.part("validation") if "validation" in data.rows else None
    if rows is None or not len(rows):
        raise RunError(
            f"{model.path}: the run has no validation rows to choose a threshold on; name a "
            "number, or train it with dataset.split.validation"
        )
    if model.data_changed:
        raise RunError(
            f"{model.path}: the data is not what the model was trained on (its fingerprint "
            "differs), so that its validation rows may be training rows; put the data back"
        )
    positive = model.truth(rows) == model.decision.positive
    if not positive.any():
        name = (model.classes or ())[model.decision.positive]
        raise RunError(f"{model.path}: no validation row is of the positive class {name!r}")
    return best_f1_threshold(positive, model.predictions_of(rows)[:, model.decision.positive])
