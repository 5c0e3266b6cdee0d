"""With shuffled targets the network predicts new rows no better than chance."""

import dataclasses
import math

import numpy as np

from nettrain.data.part import Part
from nettrain.errors import Diverged
from nettrain.inspection.doctor.equal_rows import groups_of_equal_rows
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped
from nettrain.inspection.doctor.sample import draw_sample, inputs_of, rows_of, targets_of, truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.shuffled_source import learns_from_targets, shuffled_parts

NAME = "shuffled targets"
CERTAIN = 4.0  # standard deviations of chance: one false alarm in thirty thousand
LEAST_ROWS = 10


def check(setup: Setup) -> list[Finding]:
    """Shuffle the targets of training and validation rows together, train, and count hits.

    Equal rows keep one target: where the parts share rows, a network that learned them by heart
    predicts them, and does better than chance. Transforms that learn from targets are fitted again.
    """
    validation = setup.sample.validation
    if setup.run.pipeline.schema.autoencoder:
        return skipped(NAME, "the targets are the inputs")
    if validation is None or len(validation) < LEAST_ROWS:
        return skipped(NAME, "there are too few validation rows")
    if not setup.work.affordable:
        return skipped(NAME, setup.work.too_slow)
    train, validation = _shuffled(setup, validation)
    try:
        training = setup.train_briefly(train, validation)
    except Diverged:
        return skipped(NAME, "the training diverges")
    if training.last is None:
        raise ValueError("validation rows were not judged")
    message, deviations = beyond_chance(setup.task, truth_of(validation), training.last.predictions)
    if deviations > CERTAIN:
        return failed(
            NAME,
            f"{message}, {deviations:.1f} standard deviations above chance",
            "the parts share rows (dataset.split by group, or drop repeated rows), or the source "
            "computes features from the targets of other rows",
        )
    return ok(NAME, message)


def _shuffled(setup: Setup, validation: Part) -> tuple[Part, Part]:
    """The parts with the targets of other rows; of equal validation rows only the first."""
    if learns_from_targets(setup):
        sample = draw_sample(shuffled_parts(setup), setup.work.rows, setup.config.seed)
        return sample.train, sample.validation or validation
    train = setup.sample.train
    of_train, of_validation = groups_of_equal_rows(inputs_of(train), inputs_of(validation))
    groups, first = np.unique(np.concatenate([of_train, of_validation]), return_index=True)
    source = first[setup.generator("shuffled").permutation(len(groups))]
    single = np.sort(np.unique(of_validation, return_index=True)[1])
    both = [(train, source[of_train]), (validation, source[of_validation])]
    y = np.concatenate([targets_of(train), targets_of(validation)])
    truth = np.concatenate([truth_of(train), truth_of(validation)])
    shuffled = [dataclasses.replace(part, y=y[rows], truth=truth[rows]) for part, rows in both]
    if train.weights is not None and validation.weights is not None:
        weights = np.concatenate([train.weights, validation.weights])
        shuffled = [
            dataclasses.replace(part, weights=weights[rows])
            for part, (_, rows) in zip(shuffled, both, strict=True)
        ]
    return shuffled[0], rows_of(shuffled[1], single)


def beyond_chance(task: str, truth: np.ndarray, predictions: np.ndarray) -> tuple[str, float]:
    """How good the predictions are, and how many standard deviations of chance that is."""
    if task == "classification":
        return _hits(truth, predictions.argmax(axis=1))
    deviations = [
        _correlation(truth[:, column], predictions[:, column]) * math.sqrt(len(truth) - 1)
        for column in range(truth.shape[1])
    ]
    # Of several columns one is large by chance: their mean has a deviation of 1 / sqrt(columns) at
    # least, and of 1 at most.
    mean = float(np.mean(deviations))
    correlation = mean / math.sqrt(len(truth) - 1)
    return f"correlation of predictions and targets {correlation:.2g}", mean


def _hits(truth: np.ndarray, predicted: np.ndarray) -> tuple[str, float]:
    """The accuracy against that of the same predictions on permuted targets, exactly.

    With a_c predictions and b_c rows of class c the hits have the mean sum_c a_c b_c / n and the
    variance sum_c a_c b_c (n - a_c - b_c) / (n (n - 1)) + (sum_c a_c b_c)^2 / (n^2 (n - 1)).
    """
    n = len(truth)
    k = int(max(truth.max(), predicted.max())) + 1
    products = (np.bincount(predicted, minlength=k) * np.bincount(truth, minlength=k)).astype(float)
    sums = np.bincount(predicted, minlength=k) + np.bincount(truth, minlength=k)
    expected = products.sum() / n
    variance = (products @ (n - sums)) / (n * (n - 1)) + products.sum() ** 2 / (n**2 * (n - 1))
    hits = int((truth == predicted).sum())
    deviations = (hits - expected) / math.sqrt(variance) if variance > 1e-9 else 0.0
    return f"accuracy {hits / n:.3f}; chance {expected / n:.3f}", deviations


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-12 else 0.0
