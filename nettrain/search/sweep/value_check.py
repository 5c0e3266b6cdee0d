"""The value check: each value of a sweep is tried in a configuration before the first run."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from nettrain.component import to_mapping
from nettrain.config.fields import annotation_at, without_null
from nettrain.config.key_path import KeyPath, parse
from nettrain.config.run_config import RunConfig
from nettrain.errors import ConfigError
from nettrain.search.sweep.parameter import Parameter, Value
from nettrain.search.sweep.space import Setting, allowed

MOST_VALUES = 1000  # of a parameter that are tried
LAST = 1.0 - 2.0**-53


class ValueCheck:
    """Checks values.

    A value is tried beside what its conditions ask for; where it does not fit there, beside every
    value of the other parameters in turn: `optimizer.beta` is no mistake if one of the optimizers
    that are tried has it.

    Args:
        parameters: By path.
        configure: Makes the configuration of a setting, or raises ConfigError.
    """

    def __init__(
        self, parameters: Mapping[str, Parameter], configure: Callable[[Setting], RunConfig]
    ) -> None:
        self.parameters = parameters
        self.configure = configure

    def takes_integers(self, path: str) -> bool:
        """Whether the key of a parameter takes integers only, where it exists."""
        keys = parse(path) or ()
        for setting in self._beside(path):
            try:
                value = to_mapping(self.configure(setting))
            except ConfigError:
                continue
            found = annotation_at(RunConfig, value, keys)
            if found is not None and found.path == keys:
                return without_null(found.annotation) is int
        return False

    def problems(self, path: str) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with a parameter's values: the key below it, and the message.

        Where all values are wrong there is one message.
        """
        found = {
            key: problem
            for key, value in self._values(path)
            if (problem := self._problem(path, value)) is not None
        }
        if len(found) == len(list(self._values(path))):
            yield (), next(iter(found.values()))
        else:
            yield from found.items()

    def absolute(self, path: str) -> Parameter:
        """The parameter, a valid one, with absolute paths of the files among its values."""
        parameter = self.parameters[path]
        if parameter.values is None or not any(_texts(value) for value in parameter.values):
            return parameter
        return replace(
            parameter, values=tuple(self._absolute(path, value) for value in parameter.values)
        )

    def _absolute(self, path: str, value: Value) -> Value:
        for beside in self._beside(path):
            try:
                config = to_mapping(self.configure({**beside, path: value}))
            except ConfigError:
                continue
            for part in parse(path) or ():
                config = config[part]  # type: ignore[index]
            return _with_paths(value, config)
        return value

    def _values(self, path: str) -> Iterator[tuple[KeyPath, Value]]:
        parameter = self.parameters[path]
        if parameter.values is not None:
            yield from (
                (("values", place), value)
                for place, value in enumerate(parameter.values[:MOST_VALUES])
            )
        else:
            yield ("min",), parameter.draw(0.0)
            yield ("max",), parameter.draw(LAST)

    def _problem(self, path: str, value: Value) -> str | None:
        """Why the value fits nowhere; None where it does."""
        first: str | None = None
        for setting in self._beside(path):
            try:
                self.configure({**setting, path: value})
                return None
            except ConfigError as error:
                message = (
                    error.problems[0].removeprefix(f"parameters.{path}: ").removeprefix(f"{path}: ")
                )
                first = first or message
        return first

    def _beside(self, path: str) -> Iterator[Setting]:
        """What a value is tried beside."""
        needed = self._needed(path)
        yield needed
        for other, parameter in self.parameters.items():
            if other not in needed and other != path and parameter.values is not None:
                for value in parameter.values[:MOST_VALUES]:
                    if value not in allowed(
                        self.parameters[path].when.get(other, value), parameter
                    ):
                        continue
                    yield {**self._needed(other), other: value, **needed}

    def _needed(self, path: str, seen: tuple[str, ...] = ()) -> Setting:
        """The first values that meet a parameter's conditions, and the conditions of those."""
        setting: Setting = {}
        for name, wanted in self.parameters[path].when.items():
            if name in self.parameters and name not in seen:
                setting |= self._needed(name, (*seen, path))
                setting[name] = next(iter(allowed(wanted, self.parameters[name])), None)
        return setting


def _texts(value: Value) -> bool:
    """Whether there may be a file's name in it."""
    if isinstance(value, dict | list):
        return any(map(_texts, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str)


def _with_paths(given: Value, resolved: Value) -> Value:
    """What was given, with the files' names as they were resolved."""
    if isinstance(given, str) and isinstance(resolved, str):
        return resolved if os.path.isabs(resolved) else given
    if isinstance(given, dict) and isinstance(resolved, dict):
        return {key: _with_paths(value, resolved.get(key)) for key, value in given.items()}
    if isinstance(given, list) and isinstance(resolved, list) and len(given) == len(resolved):
        return [_with_paths(*both) for both in zip(given, resolved, strict=True)]
    return given
