"""The settings that a sweep can try: its parameters, those that others depend on first."""

from collections.abc import Iterator, Mapping, Set
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from nettrain.config.messages import show
from nettrain.errors import nearest
from nettrain.search.sweep.parameter import Parameter, Value
from nettrain.streams import generator

Setting = dict[str, Value]


class Space:
    """Parameters by key path; a setting holds a value of those whose conditions it meets."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters

    @cached_property
    def order(self) -> list[str]:
        """The paths in the order of the file, but conditions before what depends on them.

        Raises:
            CycleError: The conditions are circular.
        """
        graph = {
            path: [name for name in parameter.when if name in self.parameters]
            for path, parameter in self.parameters.items()
        }
        return list(TopologicalSorter(graph).static_order())

    def wanted(self, path: str, setting: Setting) -> bool:
        """Whether a setting (of all that comes before `path`) has this parameter too."""
        conditions = self.parameters[path].when
        return all(
            name in setting and setting[name] in allowed(value, self.parameters[name])
            for name, value in conditions.items()
        )

    def drawn(self, seed: int, index: int) -> Setting:
        """The setting of a random trial; a value depends on seed, index and its path alone."""
        setting: Setting = {}
        for path in self.order:
            if self.wanted(path, setting):
                setting[path] = self.parameters[path].draw(
                    float(generator(seed, f"sweep {path}", index).random())
                )
        return self.arranged(setting)

    def grid(self) -> Iterator[Setting]:
        """Every setting, the last parameter changing fastest; every parameter has a `count`."""
        yield from map(self.arranged, self._below({}, self.order))

    def _below(self, setting: Setting, paths: list[str]) -> Iterator[Setting]:
        if not paths:
            yield setting
        elif not self.wanted(paths[0], setting):
            yield from self._below(setting, paths[1:])
        else:
            parameter = self.parameters[paths[0]]
            for place in range(parameter.count or 0):
                yield from self._below({**setting, paths[0]: parameter.value(place)}, paths[1:])

    def arranged(self, setting: Setting) -> Setting:
        """In the order of the file."""
        return {path: setting[path] for path in self.parameters if path in setting}

    def problems(self, skipped: Set[str] = frozenset()) -> Iterator[tuple[str, str]]:
        """What is wrong with the conditions: the path of the parameter, and what to do.

        Args:
            skipped: Parameters that are known to be wrong; no condition on them is judged.
        """
        for path, parameter in self.parameters.items():
            for name, wanted in parameter.when.items():
                if path in skipped or name in skipped:
                    continue
                if name not in self.parameters:
                    yield (
                        path,
                        f"when: {name!r} is no parameter of this sweep"
                        f"{nearest(name, set(self.parameters) - {path})}",
                    )
                    continue
                other = self.parameters[name]
                if other.count is None:
                    yield (
                        path,
                        f"when: {name} is a range, which hardly ever has one certain value; "
                        "give it values or a step",
                    )
                    continue
                for value in allowed(wanted, other):
                    if not other.holds(value):
                        choices = [other.value(place) for place in range(min(other.count, 20))]
                        hint = (
                            nearest(str(value), map(str, choices))
                            or f"; it is one of {show(choices)}"
                        )
                        yield path, f"when: {name} is never {show(value)}{hint}"
        try:
            _ = self.order
        except CycleError as error:
            yield (
                error.args[1][0],
                f"when: the conditions are circular ({' -> '.join(error.args[1])})",
            )


def allowed(wanted: Value, parameter: Parameter) -> list[Value]:
    """The values that meet a condition: each of a list, unless the list is a value itself."""
    return wanted if isinstance(wanted, list) and not parameter.holds(wanted) else [wanted]
