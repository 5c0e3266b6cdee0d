"""The Optuna space: parameters as Optuna's distributions, settings as Optuna's values."""

import json
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from nettrain.search.sweep.parameter import Parameter, Value
from nettrain.search.sweep.space import Setting, Space


def distribution(parameter: Parameter) -> BaseDistribution:
    """Listed values become choices; numbers keep their bounds, scale and step.

    The last step ends at the last value, which is `max` or below it.
    """
    if parameter.values is not None:
        return CategoricalDistribution(tuple(_labels(parameter).values()))
    step = parameter.step
    high = parameter.max if step is None else parameter.value((parameter.count or 1) - 1)
    if parameter.whole:
        return IntDistribution(
            int(parameter.min or 0), int(high or 0), log=parameter.logarithmic, step=int(step or 1)
        )
    return FloatDistribution(
        float(parameter.min or 0), float(high or 0), log=parameter.logarithmic, step=step
    )


def to_optuna(setting: Setting, space: Space) -> dict[str, Any]:
    """A setting in Optuna's values."""
    return {path: _to_optuna(space.parameters[path], value) for path, value in setting.items()}


def _to_optuna(parameter: Parameter, value: Value) -> Any:
    if parameter.values is not None:
        return _labels(parameter)[json.dumps(value)]
    if parameter.step is None or parameter.whole:
        return value
    # Bit for bit what Optuna draws, which does not round 0.30000000000000004.
    low = parameter.min or 0.0
    return min(
        low + round((value - low) / parameter.step) * parameter.step, distribution(parameter).high
    )


def suggested(trial: Trial, space: Space) -> Setting:
    """The setting that a trial proposes; a parameter only where its conditions are met."""
    setting: Setting = {}
    for path in space.order:
        if space.wanted(path, setting):
            setting[path] = _suggested(trial, path, space.parameters[path])
    return space.arranged(setting)


def _suggested(trial: Trial, path: str, parameter: Parameter) -> Value:
    found = distribution(parameter)
    if parameter.values is not None:
        label = trial.suggest_categorical(path, found.choices)
        return next(
            value for value in parameter.values if _labels(parameter)[json.dumps(value)] == label
        )
    suggest = trial.suggest_int if parameter.whole else trial.suggest_float
    drawn = suggest(path, found.low, found.high, step=found.step, log=found.log)
    if parameter.step is None:
        return drawn
    return parameter.value(round((drawn - found.low) / parameter.step))


def _labels(parameter: Parameter) -> dict[str, Any]:
    """The choice that stands for each listed value, by its JSON.

    It is the value itself, or its JSON where there are lists, or where two would be equal.
    """
    values = {json.dumps(value): value for value in parameter.values or ()}
    plain = all(
        value is None or isinstance(value, bool | int | float | str) for value in values.values()
    )
    return (
        values
        if plain and len(set(values.values())) == len(values)
        else {text: text for text in values}
    )


def distributions(space: Space) -> Mapping[str, BaseDistribution]:
    """Of all parameters, by path."""
    return {path: distribution(parameter) for path, parameter in space.parameters.items()}
