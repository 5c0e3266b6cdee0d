"""The rows that a calibration is learned from, and those that check it."""

from pathlib import Path

from nettrain.config.run_config import RunConfig
from nettrain.data.dataset import Dataset
from nettrain.errors import RunError
from nettrain.inference.predictor import Predictor


def calibration_parts(predictor: Predictor, other: Path | None = None) -> dict[str, Dataset]:
    """The rows to calibrate on first: the validation rows; then the test rows if there are any.

    Args:
        predictor: The model.
        other: A file whose rows are taken in place of both.

    Raises:
        RunError: There are no validation rows, or the data is not that of the training.
        DataError: The file has no such rows.
    """
    if other is not None:
        return {other.name: predictor.read(other, with_target=True)}
    data = predictor.training_data
    if not len(data.rows.get("validation", ())):
        raise RunError(
            f"{predictor.path}: the run has no validation rows to calibrate on; train it with "
            "dataset.split.validation, or give rows of a file: --on FILE"
        )
    if predictor.data_changed:
        raise RunError(
            f"{predictor.path}: the data is not what the model was trained on (its fingerprint "
            "differs), so that its validation rows may be training rows; put the data back"
        )
    parts = [part for part in ("validation", "test") if len(data.rows.get(part, ()))]
    return {part: data.part(part) for part in parts}


def validation_chose_epoch(config: RunConfig) -> bool:
    """Whether the weights of a run are those of the epoch that its validation rows liked best."""
    stopping = config.early_stopping
    watched = config.training.monitor or (stopping.monitor if stopping else None)
    if watched is not None and not watched.startswith("validation"):
        return False
    if stopping is None or stopping.restore_best:
        return True
    return stopping.patience < config.training.epochs
