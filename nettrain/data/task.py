"""Which task a target makes: classification, regression or multilabel, unless the loss wants another that fits as well."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.distinct import distinct
from nettrain.data.target import Target, Task
from nettrain.errors import ConfigError, DataError

MOST_CLASSES = 20  # one column of so many different whole numbers is taken as classes
DEFAULT_LOSS = {
    "classification": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "mse",
}


@dataclass(frozen=True)
class TargetRequirements:
    """What a loss requires of the target.

    Attributes:
        loss: Its name.
        tasks: Those that it takes.
        raw_targets: Whether numbers must stay in their own units, without target transforms.
        validate_targets: Finds the first row of numbers (n, t) that it cannot take, and says why;
            None where all are good.
    """

    loss: str
    tasks: tuple[str, ...]
    raw_targets: bool = False
    validate_targets: Callable[[np.ndarray], tuple[int, str] | None] = lambda targets: None


def check_values(dataset: Dataset, requirements: TargetRequirements) -> None:
    """Raises DataError for the first numbers that the loss cannot take, with their place."""
    target = dataset.target
    found = (
        None
        if target is None or target.classes is not None
        else requirements.validate_targets(target.values)
    )
    if target is not None and found is not None:
        row, reason = found
        raise DataError(
            f"{dataset.place(row)}: target {_named(target)}: {reason}, as the loss {requirements.loss} needs; correct it, or use "
            "`loss: mse`"
        )


def resolve(
    target: Target, requirements: TargetRequirements | None
) -> tuple[Task, Target, list[str]]:
    """The task, the target in its form (codes for classes), and what was decided for the user.

    requirements: what the loss requires; None lets the target decide. Raises ConfigError where they do not meet, naming the loss that
    does, and DataError where there is one class only.
    """
    wanted = None if requirements is None else requirements.tasks
    loss = None if requirements is None else requirements.loss
    possible = sorted(_possible(target), key=lambda task: task != target.task)
    fitting = [task for task in possible if wanted is None or task in wanted]
    if not fitting:
        raise ConfigError(
            f"loss: {loss or 'the loss'} is for {' or '.join(wanted or ())}, but the target {_named(target)} holds {_described(target)}; "
            f"use `loss: {DEFAULT_LOSS[possible[0]]}`"
        )
    task = fitting[0]
    if task != "classification":
        return task, target, []
    if target.classes is None:
        note = f"target {_named(target)}: {_described(target)}, taken as classes; `loss: mse` makes it regression"
        notes = [note] if wanted is None or "regression" in wanted else []
        target = to_classes(target)
    else:
        notes = []
    _check_classes(target)
    return task, target, notes


def to_classes(target: Target) -> Target:
    """A column of whole numbers as codes into the sorted numbers, named as they are written: 3, 4, 5 ..."""
    values, codes = distinct(target.values[:, 0])
    names = tuple(str(int(value)) for value in values)
    label_type = target.label_type or "integer"
    return Target(codes.astype(np.int64), target.names, names, label_type=label_type)


def _possible(target: Target) -> list[Task]:
    """The tasks that the target can serve, the most natural first."""
    if target.classes is not None:
        return ["classification"]
    values = target.values
    binary = bool(((values == 0) | (values == 1)).all())
    if values.shape[1] > 1:
        return ["multilabel", "regression"] if binary else ["regression"]
    if not _is_whole(values):
        return ["regression"]
    few = len(distinct(values)[0]) <= MOST_CLASSES
    tasks = ["classification", "regression"] if few else ["regression", "classification"]
    return cast(list[Task], [*tasks, "multilabel"] if binary else tasks)


def _is_whole(values: np.ndarray) -> bool:
    return bool((values == np.floor(values)).all() and (np.abs(values) < 2**53).all())


def _check_classes(target: Target) -> None:
    present = np.flatnonzero(np.bincount(target.values))
    if len(present) < 2:
        name = (target.classes or ())[int(present[0])]
        raise DataError(
            f"target {_named(target)}: every row has the class {name!r}; a classifier needs at least two classes"
        )


def _named(target: Target) -> str:
    return ", ".join(repr(name) for name in target.names)


def _described(target: Target) -> str:
    """What the target holds: `3 classes`, `6 whole numbers`, `numbers`, `2 columns of numbers`."""
    if target.classes is not None:
        return f"{len(target.classes)} classes"
    if target.values.shape[1] > 1:
        return f"{target.values.shape[1]} columns of {'0 and 1' if _possible(target)[0] == 'multilabel' else 'numbers'}"
    return (
        f"{len(distinct(target.values)[0])} whole numbers"
        if _is_whole(target.values)
        else "numbers"
    )
