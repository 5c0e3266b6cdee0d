"""Which components, and which of their fields, the cases of a campaign have tried."""

import dataclasses
from collections import Counter, defaultdict
from typing import Any

from nettrain.component import Component, Record, find, names


class Coverage:
    """Counts components and the values of their fields.

    Args:
        kinds: Of component; every one of these kinds must be tried.
        records: Other dataclasses, every field of which must be tried.
        left_out: Components (`layer.probe`) and fields (`layer.probe.every`) that need not be, and
            why.
    """

    def __init__(
        self, kinds: list[type[Component]], records: list[type[Record]], left_out: dict[str, str]
    ) -> None:
        self._kinds, self._records, self._left_out = kinds, records, left_out
        self._values: dict[str, set[str]] = defaultdict(set)
        self.counts: Counter[str] = Counter()

    def add(self, *values: Any) -> None:
        """Count what configurations and layers hold."""
        seen = {name for value in values for name in self._walk(value)}
        self.counts.update(seen)

    def _walk(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            for item in value:
                yield from self._walk(item)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            name = _name(type(value))
            yield name
            for field in dataclasses.fields(value):
                own = getattr(value, field.name)
                self._values[f"{name}.{field.name}"].add(_shown(own))
                yield from self._walk(own)

    def missing(self) -> list[str]:
        """Components without a case, and fields that had one value in all of them."""
        wanted = [find(kind, name) for kind in self._kinds for name in names(kind)]
        found = []
        for cls in [*wanted, *self._records]:
            name = _name(cls)
            if name in self._left_out:
                continue
            if not self.counts[name]:
                found.append(name)
                continue
            for field in dataclasses.fields(cls):  # type: ignore[arg-type]
                key = f"{name}.{field.name}"
                if key not in self._left_out and len(self._values[key]) < 2:
                    found.append(key)
        return found


def _name(cls: Any) -> str:
    return f"{cls.kind}.{cls.name()}" if issubclass(cls, Component) else cls.__name__


def _shown(value: Any) -> str:
    return value.name() if isinstance(value, Component) else repr(value)[:80]
