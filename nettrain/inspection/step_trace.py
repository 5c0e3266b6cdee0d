"""One training step on a few rows in numbers: clipping, penalties and the update."""

from dataclasses import dataclass

import numpy as np

from nettrain.errors import ConfigError
from nettrain.inspection.computation_graph import ComputationGraph
from nettrain.inspection.trace import Section, Speller
from nettrain.inspection.update_trace import Update, formula, spell_update
from nettrain.optim import Rule
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.update import Update as EngineUpdate
from nettrain.training.run import Run


@dataclass(frozen=True)
class StepTrace:
    """The update of every trained parameter.

    Attributes:
        optimizer: Its YAML name.
        formula: Its update rule; w is a weight, g its gradient.
        number: Of the step, from 1.
        lr: The learning rate of the step.
        notes: What happened to the gradient before the rule got it.
        sections: One per parameter.
    """

    optimizer: str
    formula: str
    number: int
    lr: float
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


def trace_step(run: Run, graph: ComputationGraph, speller: Speller) -> StepTrace:
    """Make one step of the run's optimizer with the gradients of a graph; changes the run.

    Raises:
        ConfigError: The optimizer evaluates the loss at points of its own.
    """
    rule, vector, update = run.config.optimizer, run.network.vector, run.update
    if not isinstance(rule, Rule) or not isinstance(update, EngineUpdate):
        raise ConfigError(
            f"optimizer: {rule.name()} evaluates the loss at points of its own, so there is no "
            "single step to show; leave out --step"
        )
    for name, gradient in vector.gradient_views.items():
        if name not in vector.frozen:
            recorded = graph.values.get(name)
            gradient[...] = 0 if recorded is None else recorded.gradient
    given, notes = _given(run, update)
    before = vector.values.copy()
    state_before = {name: array.copy() for name, array in update.slots.items()}
    lr = run.rate
    rule = rule.at(update.steps, run.plan.length)
    update(lr)
    named_before, named_given = vector.named(before), vector.named(given)
    flat_before = {name: _named(run, array) for name, array in state_before.items()}
    flat_after = {name: _named(run, array) for name, array in update.slots.items()}
    rates = _rates(run)
    sections = [
        spell_update(
            rule,
            Update(
                name,
                named_before[name],
                after,
                named_given[name],
                {slot: named[name] for slot, named in flat_before.items()},
                {slot: named[name] for slot, named in flat_after.items()},
                lr * rates[name],
                update.steps,
                decayed=_is_decayed(run, name),
            ),
            speller,
        )
        for name, after in vector.views.items()
        if name not in vector.frozen
    ]
    return StepTrace(rule.name(), formula(rule), update.steps, lr, notes, tuple(sections))


def _given(run: Run, update: EngineUpdate) -> tuple[np.ndarray, tuple[str, ...]]:
    """The gradient that the rule will be given, as a flat vector, and what was done to it."""
    vector, config = run.network.vector, run.config
    flat = vector.gradient.copy()
    trained, notes = flat[vector.trainable], []
    norm = float(np.linalg.norm(trained))
    update.clip(trained)
    clipped = float(np.linalg.norm(trained))
    if clipped != norm:
        notes.append(f"clipping: the gradient's norm is reduced from {norm:.6g} to {clipped:.6g}")
    penalty = Penalty(vector, config.regularization, length=run.plan.length)
    penalty.seek(update.steps)
    if penalty:
        decayed = vector.decayed
        weights = vector.values[decayed]
        penalty.add_gradient(weights, flat[decayed], np.empty_like(weights))
        notes.append(
            f"penalty: g of a weight w is its gradient + 2 * {penalty.l2:g} * w "
            f"+ {penalty.l1:g} * sign(w)"
        )
    return flat, tuple(notes)


def _named(run: Run, array: np.ndarray) -> dict[str, np.ndarray]:
    """A slot by parameter; a scalar is the same for all."""
    vector = run.network.vector
    if array.size == 1 and vector.trainable.stop != 1:
        return dict.fromkeys(vector.views, array)
    full = np.zeros(len(vector), array.dtype)
    full[vector.trainable] = array
    return vector.named(full)


def _rates(run: Run) -> dict[str, float]:
    """The factor of the learning rate of each parameter; of several members that of the first."""
    vector = run.network.vector
    full = np.ones(len(vector))
    for part, rate in vector.rates:
        full[part] = rate
    if vector.member_factors is not None:
        full[vector.trainable] *= vector.member_factors
    return {name: float(view.reshape(-1)[0]) for name, view in vector.named(full).items()}


def _is_decayed(run: Run, name: str) -> bool:
    vector = run.network.vector
    marks = np.zeros(len(vector))
    marks[vector.decayed] = 1
    return bool(vector.named(marks)[name].reshape(-1)[0])
