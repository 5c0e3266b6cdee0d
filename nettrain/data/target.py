"""What is to be predicted, and which task that makes: classification, regression or multilabel."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nettrain.data.features import MISSING

Task = Literal["classification", "regression", "multilabel"]
LabelType = Literal["string", "integer", "float", "boolean"]


@dataclass(frozen=True)
class Target:
    """The targets of n rows.

    Attributes:
        values: Of classes, codes (n,) int64 into `classes`, `MISSING` where there is none;
            otherwise numbers (n, t) float64, NaN where there is none.
        names: The t target columns.
        classes: The names of the classes; None where the values are numbers.
        task: What the source says the values are, where they could be several things; None: the
            values decide.
        label_type: Of the values where they came from, so that predicted classes are given back in
            this type; None: strings where there are classes, otherwise integers.
        missing_hint: What to add to the message that a value is missing, such as the marks met.
    """

    values: np.ndarray
    names: tuple[str, ...] = ("target",)
    classes: tuple[str, ...] | None = None
    task: Task | None = None
    label_type: LabelType | None = None
    missing_hint: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> np.ndarray:
        """Which rows (n,) have no target, or lack one of several."""
        if self.classes is not None:
            return self.values == MISSING
        return np.isnan(self.values).any(axis=1)

    @property
    def indicators(self) -> np.ndarray:
        """Float64 numbers (n, t): of k classes k columns of 0 and 1, otherwise the values."""
        if self.classes is None:
            return self.values.astype(np.float64)
        return (self.values[:, np.newaxis] == np.arange(len(self.classes))).astype(np.float64)

    def take(self, rows: np.ndarray) -> "Target":
        """The targets of some rows, in that order."""
        return dataclasses.replace(self, values=self.values[rows])
