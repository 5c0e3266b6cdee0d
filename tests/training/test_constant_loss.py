"""The loss of the best constant answer is what statistics say it is, for losses whose answer has a formula."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.diagnosis.constant_loss import constant_loss
from nettrain.nn.loss import Loss

CHANCE = streams.generator(0, "constant")
CLASSES = CHANCE.choice(3, 500, p=[0.7, 0.25, 0.05])
SHARES = np.bincount(CLASSES) / 500
TWO = (CLASSES > 0) * 1
SHARE = TWO.mean()
VALUES = CHANCE.normal(40.0, 7.0, (500, 2))
COUNTS = CHANCE.poisson(4.0, (500, 1)).astype(float)
MEAN = COUNTS.mean()

# The loss, its targets, how many classes or columns there are, the formula's answer.
ROWS = [
    ("cross_entropy", CLASSES, 3, -(SHARES * np.log(SHARES)).sum()),
    ("binary_cross_entropy", TWO, 2, -SHARE * np.log(SHARE) - (1 - SHARE) * np.log(1 - SHARE)),
    ("mse", VALUES, 2, VALUES.var(axis=0).mean()),
    ("mae", VALUES, 2, np.abs(VALUES - np.median(VALUES, axis=0)).mean()),
    ("poisson", COUNTS, 1, MEAN - MEAN * np.log(MEAN)),
    ("perceptron", TWO, 2, 0.0),
]


@pytest.mark.parametrize(
    ("name", "targets", "size", "expected"), ROWS, ids=[row[0] for row in ROWS]
)
def test_it_is_what_the_formula_says(name, targets, size, expected):
    loss = Loss.parse(name)
    encoded = loss.encode(targets, size)
    task = "classification" if targets.ndim == 1 else "regression"
    assert constant_loss(loss, encoded, loss.outputs(task, size)) == pytest.approx(
        expected, rel=5e-3, abs=1e-12
    )


def test_weights_count_as_repeated_rows():
    loss, weights = Loss.parse("cross_entropy"), np.array([3.0, 1.0, 2.0])
    whole = constant_loss(loss, np.repeat([0, 1, 2], [3, 1, 2]), 3)
    assert constant_loss(loss, np.array([0, 1, 2]), 3, weights) == whole


def test_many_wide_targets_are_sampled():
    y = np.tile(CHANCE.normal(size=(2000, 1)), (1, 100))
    found = constant_loss(Loss.parse("mse"), y, 100)
    assert found == pytest.approx(y.var(), rel=0.1)
