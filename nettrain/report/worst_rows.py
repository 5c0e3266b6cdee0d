"""The rows that a model gets most wrong: what was predicted, and how sure it was."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics import ClassOutcome, LabelOutcome, ValueOutcome
from nettrain.report.run_view import RunView

MOST = 20
MOST_VALUES = 3  # of a row that are shown
TINY = 1e-12  # the least probability in a logarithm


@dataclass(frozen=True)
class WorstRow:
    """One row of the part.

    Attributes:
        index: In the part.
        place: In its file or set: `wine.csv:12`.
        truth: What is right.
        predicted: What the model said.
        probability: Of what it said; None for values and labels.
    """

    index: int
    place: str
    truth: str
    predicted: str
    probability: float | None = None

    @property
    def where(self) -> str:
        """The place without the name of the file or set: `12`, `row 12` or `rose/7.png`."""
        _, colon, within = self.place.partition(": ")
        return within if colon else self.place.rpartition(":")[2]


def worst_rows(view: RunView, most: int = MOST) -> list[WorstRow]:
    """The worst rows first.

    Of classes the wrong rows whose true class got the least probability; of labels the rows with a
    wrong label and the largest log loss; of values the largest mean absolute error, each target in
    units of its standard deviation.
    """
    outcome, names = view.outcome, view.class_names
    if isinstance(outcome, ClassOutcome):
        return [
            WorstRow(
                i,
                view.dataset.place(i),
                names[outcome.targets[i]],
                names[outcome.predicted[i]],
                float(outcome.probabilities[i].max()),
            )
            for i in _worst_classes(outcome, most)
        ]
    if isinstance(outcome, LabelOutcome):
        return [
            WorstRow(i, view.dataset.place(i), _set(y, names), _set(p, names))
            for i in _worst_labels(outcome, most)
            for y, p in [(outcome.positives[i], outcome.predicted[i])]
        ]
    return [
        WorstRow(i, view.dataset.place(i), *_values(outcome, i))
        for i in _worst_values(outcome, most)
    ]


def _worst_classes(outcome: ClassOutcome, most: int) -> list[int]:
    true = outcome.probabilities[np.arange(len(outcome.targets)), outcome.targets]
    wrong = np.flatnonzero(outcome.predicted != outcome.targets)
    return wrong[np.argsort(true[wrong], kind="stable")][:most].tolist()


def _worst_labels(outcome: LabelOutcome, most: int) -> list[int]:
    p = np.where(outcome.positives, outcome.probabilities, 1 - outcome.probabilities)
    loss = -np.log(np.maximum(p, TINY)).mean(axis=1)
    wrong = np.flatnonzero((outcome.predicted != outcome.positives).any(axis=1))
    return wrong[np.argsort(-loss[wrong], kind="stable")][:most].tolist()


def _worst_values(outcome: ValueOutcome, most: int) -> list[int]:
    spread = outcome.targets.std(axis=0)
    scaled = np.abs(outcome.errors) / np.where(spread > 0, spread, 1)
    return np.argsort(-scaled.mean(axis=1), kind="stable")[:most].tolist()


def _set(chosen: np.ndarray, names: tuple[str, ...]) -> str:
    return ", ".join(name for name, one in zip(names, chosen, strict=True) if one) or "none"


def _values(outcome: ValueOutcome, row: int) -> tuple[str, str]:
    """True and predicted values; of many their number and the mean error."""
    true, predicted = outcome.targets[row], outcome.predicted[row]
    if len(true) > MOST_VALUES:
        error = float(np.abs(outcome.errors[row]).mean())
        return f"{len(true)} values", f"off by {error:.3g}"
    shown = [", ".join(f"{value:.4g}" for value in values) for values in (true, predicted)]
    return shown[0], shown[1]


def cells(view: RunView, row: int, names: tuple[str, ...]) -> list[str]:
    """What a table holds in some columns of a row; empty where a cell is missing."""
    features = view.dataset.features
    shown = []
    for name in names:
        if name in features.categories:
            column = features.categories[name]
            code = int(column.codes[row])
            shown.append("" if code < 0 else column.values[code])
        else:
            value = features.array[row, features.names.index(name)]
            shown.append("" if np.isnan(value) else f"{value:.5g}")
    return shown
