"""The trivial model beside the trained one: what knows only the training targets and looks at no feature."""

import numpy as np

from nettrain.metrics._outcome import ClassOutcome, LabelOutcome, Outcome, ValueOutcome


def baseline(train_targets: np.ndarray, targets: np.ndarray, task: str, k: int) -> Outcome:
    """The outcome of always giving k classes the shares that they have (so the most frequent is predicted, at a tie the first), each label
    its majority, numbers their mean.

    scikit-learn: DummyClassifier(strategy="prior"), for labels strategy="most_frequent", DummyRegressor(strategy="mean").
    """
    if task == "classification":
        shares = np.bincount(train_targets, minlength=k) / len(train_targets)
        return ClassOutcome(targets, np.broadcast_to(shares, (len(targets), k)))
    mean = np.mean(train_targets, axis=0, dtype=np.float64)
    if task == "multilabel":
        return LabelOutcome(
            targets, np.broadcast_to((mean > 0.5).astype(np.float64), targets.shape)
        )
    return ValueOutcome(targets, np.broadcast_to(mean, targets.shape))
