"""The columns that a model was trained on: what a file must hold to be evaluated or predicted."""

from dataclasses import dataclass

from nettrain.data.target import Task


@dataclass(frozen=True)
class Schema:
    """Names, order and shape of the raw columns, before any transform.

    shape     of one row's numbers: (d,) or (h, w, c)
    numbers   names of the d numeric columns; empty for images
    texts     names of the categorical columns
    itself    the model is an autoencoder: its targets are its own inputs, after the transforms
    """

    shape: tuple[int, ...]
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    itself: bool = False
