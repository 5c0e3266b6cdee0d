"""Notes what a run of nettrain does: every step's rows, loss, gradient, rate and weights."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nettrain import Callback
from nettrain.training.engine.blocks import Block
from nettrain.training.engine.closure_update import ClosureUpdate


@dataclass
class RecordedStep:
    """One step of the optimizer.

    Attributes:
        rows: Of each micro-batch.
        losses: The weighted sum of the loss of each micro-batch, as it was computed first.
        lr: The learning rate.
        before, after: All parameters, in one vector.
        gradient: Of the mean loss, before clipping and penalties; None for closure optimizers.
        average: The averaged weights after the step, if an average is kept.
        state: The layers' state after the step.
        slots: The optimizer's state after it.
    """

    rows: list[np.ndarray] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    lr: float = 0.0
    before: np.ndarray | None = None
    after: np.ndarray | None = None
    gradient: np.ndarray | None = None
    average: np.ndarray | None = None
    state: dict[str, np.ndarray] = field(default_factory=dict)
    slots: dict[str, np.ndarray] = field(default_factory=dict)


class Recorder(Callback):
    """Observes a run through its public hooks.

    Attributes:
        images: The training rows before the transforms, where augmentations change them.
        run: The run, when it has ended.
        steps: What was done.
        epochs: The row of metrics of each epoch.
        ended: Whether the run ended by itself.
        outputs, averaged: The outputs of the network in evaluation mode for all training rows, by
            the last weights, and by those that are evaluated, with their state.
    """

    def __init__(self, images: np.ndarray | None = None) -> None:
        self.images = images
        self.steps: list[RecordedStep] = []
        self.epochs: list[dict[str, Any]] = []
        self.run: Any = None
        self.initial_state: dict[str, np.ndarray] = {}
        self.ended = False

    def begin(self, run: Any) -> None:
        self.run = run
        self.initial_state = copied(run.network.state)
        run.step.instrument(self._wrap)

    def _wrap(self, name: str, phase: Callable[..., Any]) -> Callable[..., Any]:
        return {"gather": self._gather, "compute": self._compute, "update": self._update}[name](
            phase
        )

    def _gather(self, phase: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(rows: np.ndarray, step: int, micro_batch: int) -> None:
            if micro_batch == 0:
                self.steps.append(RecordedStep())
            self.steps[-1].rows.append(np.array(rows))
            phase(rows, step, micro_batch)

        return wrapped

    def _compute(self, phase: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **more: Any) -> float:
            value: float = phase(*arguments, **more)
            step = self.steps[-1]
            if len(step.losses) < len(step.rows):
                step.losses.append(value)
            return value

        return wrapped

    def _update(self, phase: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(lr: float, given: Callable[..., Any] | None = None) -> None:
            step, vector, update = self.steps[-1], self.run.network.vector, self.run.update
            step.lr, step.before = lr, vector.values.copy()
            closure = isinstance(update, ClosureUpdate)
            if not closure:
                step.gradient = vector.gradient.copy()
            phase(lr, given if closure or given is None else _noted(given, vector, step.gradient))
            step.after = vector.values.copy()
            step.average = None if update.average is None else update.average.values.copy()
            step.state, step.slots = copied(self.run.network.state), copied(update.slots)

        return wrapped

    def epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        self.epochs.append(dict(row))

    def end(self, run: Any) -> None:
        self.ended = True
        rows = run.parts["train"].x
        self.outputs = run.network.outputs(rows, run.tasks.run)
        with run.evaluated_weights():
            self.averaged = run.network.outputs(rows, run.tasks.run)
            self.evaluated_weights = run.network.vector.values.copy()
            self.evaluated_state = copied(run.network.state)


def _noted(complete: Callable[[Block], None], vector: Any, gradient: Any) -> Callable[[Block], None]:  # fmt: skip
    """Completes the gradient of a block, and copies it."""

    def noted(block: Block) -> None:
        complete(block)
        gradient[block.part] = vector.gradient[block.part]

    return noted


def copied(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in state.items()}
