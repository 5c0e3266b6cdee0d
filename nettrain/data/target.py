"""What is to be predicted, and which task that makes: classification, regression or multilabel."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

Task = Literal["classification", "regression", "multilabel"]
LabelType = Literal["string", "integer", "float", "boolean"]


@dataclass(frozen=True)
class Target:
    """The targets of n rows.

    values   classes: codes (n,) int64 into `classes`; otherwise numbers (n, t) float64
    names    the t target columns
    classes  the names of the classes; None where the values are numbers
    task     what the source means the values to be, where they could be several things; None: the values decide
    label_type  of what kind the values were where they came from, so that predicted classes are
             given back as such; None: strings where there are classes, otherwise whole numbers
    """

    values: np.ndarray
    names: tuple[str, ...] = ("target",)
    classes: tuple[str, ...] | None = None
    task: Task | None = None
    label_type: LabelType | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> "Target":
        """The targets of some rows, in that order."""
        return dataclasses.replace(self, values=self.values[rows])
