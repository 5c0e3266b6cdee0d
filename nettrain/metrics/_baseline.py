"""The baseline: a model that knows the training targets and ignores the features."""

from dataclasses import replace

import numpy as np

from nettrain.metrics._decision import Decision
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome, Outcome, ValueOutcome


def baseline(
    train_targets: np.ndarray,
    targets: np.ndarray,
    task: str,
    k: int,
    levels: tuple[float, ...] = (),
) -> Outcome:
    """Returns the outcome of the baseline.

    It gives k classes their frequencies in the training targets (and so predicts the most frequent,
    at a tie the first), each label its majority, and numbers their mean. scikit-learn:
    DummyClassifier(strategy="prior"), for labels strategy="most_frequent",
    DummyRegressor(strategy="mean").

    Args:
        train_targets: those of the training part.
        targets: those of the part that is evaluated.
        task: classification, multilabel or regression.
        k: the number of classes.
        levels: of the quantiles that a model predicts: those of the training targets stand beside
            their mean.
    """
    if task == "classification":
        frequencies = np.bincount(train_targets, minlength=k) / len(train_targets)
        return ClassOutcome(targets, np.broadcast_to(frequencies, (len(targets), k)))
    mean = np.mean(train_targets, axis=0, dtype=np.float64)
    if task == "multilabel":
        return LabelOutcome(
            targets, np.broadcast_to((mean > 0.5).astype(np.float64), targets.shape)
        )
    predicted = np.broadcast_to(mean, targets.shape)
    if not levels:
        return ValueOutcome(targets, predicted)
    constant = np.quantile(train_targets, levels, axis=0).ravel()
    columns = np.broadcast_to(constant, (len(targets), constant.size))
    return replace(ValueOutcome.of(targets, columns, Decision(levels=levels)), predicted=predicted)
