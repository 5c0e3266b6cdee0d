"""The rows on which the doctor trains and judges: some of the training and the validation part."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.part import Part
from nettrain.streams import generator

LEAST_HELD_OUT = (
    40  # training rows from which a fifth is held out where there is no validation part
)
HELD_OUT = 0.2
MOST_VALUES = 16_000_000  # inputs that are copied: 64 MB in float32
# Rows: an error rate is then known to a hundredth; where few rows are trained on, fewer are judged.
MOST_VALIDATION, LEAST_VALIDATION = 2_000, 200


@dataclass(frozen=True)
class Sample:
    """Rows in memory. The test part is never among them.

    Attributes:
        train: To train on.
        validation: To judge on; None where there are none, and too few to hold some out.
        train_rows: Their indices in the run's training part.
        validation_rows: Their indices in the run's part `judged`.
        judged: validation, or train where rows of the training part were held out.
    """

    train: Part
    validation: Part | None
    train_rows: np.ndarray
    validation_rows: np.ndarray
    judged: str


def draw_sample(parts: dict[str, Part], most: int, seed: int) -> Sample:
    """Draw the rows; they depend on the seed and the numbers of rows alone.

    Args:
        parts: Of the run.
        most: Training rows to take.
        seed: Of the run.
    """
    train = parts["train"]
    order = generator(seed, "doctor.sample").permutation(len(train))
    most = max(1, min(most, MOST_VALUES // max(int(np.prod(train.x.shape[1:])), 1)))
    limit = min(MOST_VALIDATION, max(LEAST_VALIDATION, most // 2))
    judged, held = "validation", np.empty(0, np.intp)
    if "validation" in parts:
        count = len(parts["validation"])
        chance = generator(seed, "doctor.validation")
        held = np.sort(chance.permutation(count)[:limit])
    elif len(train) >= LEAST_HELD_OUT:
        count = min(int(HELD_OUT * len(train)), limit)
        judged, held, order = "train", np.sort(order[:count]), order[count:]
    rows = np.sort(order[:most])
    validation = rows_of(parts[judged], held) if len(held) else None
    return Sample(rows_of(train, rows), validation, rows, held, judged)


def evenly(part: Part, most: int) -> Part:
    """At most so many rows of a part, evenly spread: rows in a file are often sorted."""
    return rows_of(part, np.linspace(0, len(part) - 1, min(most, len(part))).astype(np.int64))


def rows_of(part: Part, rows: np.ndarray) -> Part:
    """Some rows of a part, in memory."""
    return Part(
        np.asarray(part.x[rows]),
        None if part.y is None else part.y[rows],
        None if part.truth is None else part.truth[rows],
        None if part.weights is None else part.weights[rows],
    )


def inputs_of(part: Part) -> np.ndarray:
    """The inputs (n, ...), which are in memory."""
    if not isinstance(part.x, np.ndarray):
        raise TypeError("these rows are not in memory")
    return part.x


def targets_of(part: Part) -> np.ndarray:
    """The targets as the network and the loss take them."""
    if part.y is None:
        raise ValueError("a part without targets cannot be trained on")
    return part.y


def truth_of(part: Part) -> np.ndarray:
    """The targets as metrics take them."""
    if part.truth is None:
        raise ValueError("a part without targets cannot be evaluated")
    return part.truth
