"""The columns that a model was trained on: what a file must hold to be evaluated or predicted."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import AliasChoices, Field

from nettrain.data.readers.number_format import NumberFormat
from nettrain.data.target import LabelType, Task


@dataclass(frozen=True)
class Schema:
    """Names, order and shape of the raw columns, before any transform.

    Attributes:
        shape: Of one row's numbers: (d,) or (h, w, c).
        numbers: The names of the d numeric columns; empty for images.
        texts: The names of the categorical columns.
        task: What the target makes.
        targets: The names of the target columns.
        classes: The names of the classes; None where the target is numbers or labels.
        autoencoder: Whether the model's targets are its own inputs, after the transforms.
        label_type: Of the classes, or of the labels of several columns, where they came from:
            classes are named by strings here, and predicted in this type.
        largest: The largest |pixel| of the source's images; None for tables.
        positive: Of two classes the one that is sought; None: the second.
        formats: Of the columns whose numbers are written otherwise than plainly.
    """

    shape: tuple[int, ...]
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    autoencoder: Annotated[bool, Field(validation_alias=AliasChoices("autoencoder", "itself"))] = (
        False
    )
    label_type: LabelType = "string"
    largest: float | None = None
    positive: str | None = None
    formats: dict[str, NumberFormat] = field(default_factory=dict)

    @property
    def labels(self) -> np.ndarray:
        """The classes (k,) in the type in which they came: 3 for the class named "3"."""
        names = self.classes or ()
        if self.label_type == "string":
            return np.array(names)
        if self.label_type == "float":
            return np.array([float(name) for name in names])
        numbers = np.array([int(name) for name in names], np.int64)
        return numbers.astype(np.bool_) if self.label_type == "boolean" else numbers

    @property
    def positive_code(self) -> int:
        """The code of the positive class; 1 where none is named."""
        return 1 if self.positive is None else (self.classes or ()).index(self.positive)

    def check(self) -> None:
        """Raises ValueError where the fields contradict each other, as those of no training do."""
        if len(self.shape) == 1 and len(self.numbers) != self.shape[0]:
            raise ValueError(f"{len(self.numbers)} names of {self.shape[0]} numeric columns")
        if self.classes is None and self.task == "classification":
            raise ValueError("a classification without classes")
        if self.autoencoder and self.task != "regression":
            raise ValueError(f"an autoencoder whose task is {self.task}")
        if len(set(self.classes or ())) != len(self.classes or ()):
            raise ValueError("two classes of one name")
        if self.positive is not None and self.positive not in (self.classes or ()):
            raise ValueError(f"no class is called {self.positive!r}")
        if self.label_type != "string" and self.classes is not None:
            for name in self.classes:
                float(name) if self.label_type == "float" else int(name)
