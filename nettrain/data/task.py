"""Which task a target makes: classification, regression or multilabel.

The target decides, unless the loss requires another task that fits as well. What was decided is
always said.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.distinct import distinct
from nettrain.data.target import Target, Task
from nettrain.errors import ConfigError, DataError

MOST_CLASSES = 20  # integers with so many distinct values are taken as classes, more as numbers
DEFAULT_LOSS = {
    "classification": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "mse",
}

_OUTCOMES = {
    "classification": "classes",
    "multilabel": "independent labels",
    "regression": "numbers",
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
    """Check that the loss can take every number of the target.

    Raises:
        DataError: It cannot; the first such row is named.
    """
    target = dataset.target
    if target is None or target.classes is not None:
        return
    problem = requirements.validate_targets(target.values)
    if problem is not None:
        row, reason = problem
        raise DataError(
            f"{dataset.place(row)}: target {_named(target)}: {reason}, as the loss "
            f"{requirements.loss} needs; correct it, or use `loss: mse`"
        )


def resolve(
    target: Target, requirements: TargetRequirements | None
) -> tuple[Task, Target, list[str]]:
    """Decide the task.

    Args:
        target: As its source gave it, without missing values.
        requirements: What the loss requires; None lets the target decide.

    Returns:
        The task, the target in its form (codes for classes), and a sentence on what was decided.

    Raises:
        ConfigError: The loss takes no task that the target can serve; the loss that does is named.
        DataError: All rows are of one class.
    """
    possible = sorted(_possible(target), key=lambda task: task != target.task)
    fitting = [task for task in possible if requirements is None or task in requirements.tasks]
    if not fitting:
        loss, tasks = ("", ()) if requirements is None else (requirements.loss, requirements.tasks)
        raise ConfigError(
            f"loss: {loss} is for {' or '.join(tasks)}, but the target {_named(target)} holds "
            f"{_described(target)}; use `loss: {DEFAULT_LOSS[possible[0]]}`"
        )
    task = fitting[0]
    note = _note(target, task, fitting[1:], requirements)
    if task == "classification":
        stated = target.task == task
        target = to_classes(target)
        if not stated:  # who says that they are classes may bring rows of a single one
            _check_classes(target)
    return task, target, [note]


def _note(
    target: Target, task: Task, others: list[Task], requirements: TargetRequirements | None
) -> str:
    """What was decided, and the key that decides otherwise where the target allows it."""
    note = f"target {_named(target)}: {_described(target)}, taken as {_OUTCOMES[task]}"
    if others:
        return f"{note}; set `loss: {DEFAULT_LOSS[others[0]]}` to predict {_OUTCOMES[others[0]]}"
    return note if requirements is None else f"{note} (loss: {requirements.loss})"


def to_classes(target: Target) -> Target:
    """The target as codes into the names of its classes.

    A column of integers is named as its numbers are written: 3, 4, 5. One-hot columns are the
    classes themselves, named by their columns, or counted from 0 where the columns have no names.
    """
    if target.classes is not None:
        return target
    if target.values.shape[1] > 1:
        codes = target.values.argmax(axis=1)
        named = all(name != f"target_{index}" for index, name in enumerate(target.names))
        names = target.names if named else tuple(map(str, range(len(target.names))))
        return Target(codes, target.names, names, label_type="string" if named else "integer")
    values, codes = distinct(target.values[:, 0])
    names = tuple(str(int(value)) for value in values)
    label_type = target.label_type or "integer"
    return Target(codes.astype(np.int64), target.names, names, label_type=label_type)


def is_one_hot(values: np.ndarray) -> bool:
    """Whether each row (n, k) is a single 1 among zeros."""
    binary = bool(((values == 0) | (values == 1)).all())
    return binary and values.shape[1] > 1 and bool((values.sum(axis=1) == 1).all())


def _possible(target: Target) -> list[Task]:
    """The tasks that the target can serve, the most natural first."""
    if target.classes is not None:
        return ["classification"]
    values = target.values
    binary = bool(((values == 0) | (values == 1)).all())
    if values.shape[1] > 1:
        one_hot: list[Task] = ["classification"] if is_one_hot(values) else []
        labels: list[Task] = ["multilabel"] if binary else []
        return [*one_hot, *labels, "regression"]
    if not _is_whole(values):
        return ["regression"]
    few = len(distinct(values)[0]) <= MOST_CLASSES
    tasks: list[Task] = (
        ["classification", "regression"] if few else ["regression", "classification"]
    )
    return [*tasks, "multilabel"] if binary else tasks


def _is_whole(values: np.ndarray) -> bool:
    return bool((values == np.floor(values)).all() and (np.abs(values) < 2**53).all())


def _check_classes(target: Target) -> None:
    present = np.flatnonzero(np.bincount(target.values))
    if len(present) < 2:
        name = (target.classes or ())[int(present[0])]
        raise DataError(
            f"target {_named(target)}: every row has the class {name!r}; a classifier needs at "
            "least two classes"
        )


def check_repeated_classes(dataset: Dataset) -> None:
    """Check that some class has two rows.

    Raises:
        DataError: Each row has a class of its own, as an ID has, so nothing can be learned. Where
            the source says that they are classes, this is not doubted.
    """
    target = dataset.target
    if target is None or target.classes is None or len(target) <= 2 or target.task is not None:
        return
    if np.bincount(target.values).max() == 1:
        remedy = (
            "name another column as the target"
            if target.label_type in (None, "string")
            else "name another column as the target, or set `loss: mse` to predict numbers"
        )
        raise DataError(
            f"{dataset.origin}: target {_named(target)}: each of the {len(target):,} rows has a "
            f"class of its own ({target.classes[0]!r}, {target.classes[1]!r} ...), so no class can "
            f"be learned; {remedy}"
        )


def _named(target: Target) -> str:
    return ", ".join(repr(name) for name in target.names)


def _described(target: Target) -> str:
    """Returns `strings with 3 distinct values`, `numbers`, `2 columns of numbers`."""
    if target.classes is not None:
        kind = {"integer": "integers", "float": "numbers", "boolean": "booleans"}
        held = kind.get(target.label_type or "string", "strings")
        return f"{held} with {len(target.classes)} distinct values"
    columns = target.values.shape[1]
    if columns > 1:
        if is_one_hot(target.values):
            return f"{columns} one-hot columns (a single 1 in each row)"
        binary = ((target.values == 0) | (target.values == 1)).all()
        return f"{columns} columns of {'0 and 1' if binary else 'numbers'}"
    if not _is_whole(target.values):
        return "numbers"
    kind_of_number = "booleans" if target.label_type == "boolean" else "integers"
    return f"{kind_of_number} with {len(distinct(target.values)[0])} distinct values"
