"""An example of a component or section in its place, made from its fields."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from nettrain.component import Component, Record, find, names, to_mapping
from nettrain.config.dump import as_yaml
from nettrain.config.fields import (
    Annotation,
    default_of,
    hints,
    is_kind,
    is_required,
    origin,
    without_null,
)
from nettrain.config.run_config import RunConfig
from nettrain.metrics import Metric

Wrap = Callable[[object], dict[str, object]]


def component_example(kind: type[Component], name: str) -> str:
    """A component of a kind, with its keys, where it stands in a configuration."""
    if kind is Metric:  # named by a text, with its part
        return as_yaml({"training": {"monitor": f"validation_{name}"}})
    cls = find(kind, name)
    keys = _keys(cls, required_only=False)
    return as_yaml(
        {**_place(kind)({"type": name} | keys if keys else name), **cls.required_settings}
    )


def section_example(record: type[Record], path: tuple[str, ...]) -> str:
    """A section with its keys."""
    return as_yaml(_nested(path, _keys(record, required_only=False)))


def key_example(record: type[Record], path: tuple[str, ...], *, alone: bool) -> str:
    """One key of a section, alone or beside those that the section requires."""
    annotation = hints(record)[path[-1]]  # type: ignore[arg-type]
    default = default_of(record, path[-1])
    is_telling = default is not None and default != () and not _given(annotation)
    value = _short(default) if is_telling else _sample(annotation)
    others = {} if alone else _keys(record, required_only=True)
    return as_yaml(_nested(path[:-1], others | {path[-1]: value}))


def _nested(path: tuple[str, ...], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _keys(record: type[Record], *, required_only: bool) -> dict[str, object]:
    """The keys that must be there, and those whose default, or example, says something."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(record):  # type: ignore[arg-type]
        annotation = hints(record)[field.name]  # type: ignore[arg-type]
        default = default_of(record, field.name)
        if is_required(field):
            found[field.name] = _sample(annotation)
        elif required_only:
            continue
        elif given := _given(annotation):
            found[field.name] = given[0]
        elif default is not None and default != ():
            found[field.name] = _short(default)
    return found


def _short(value: object) -> object:
    """A default as a user would write it: a bare name where that is enough."""
    if isinstance(value, Component):
        kind: Any = next(base for base in type(value).__mro__ if is_kind(base))
        try:
            return value.name() if kind.parse(value.name()) == value else to_mapping(value)
        except (ValidationError, PydanticCustomError):
            return to_mapping(value)
    return (
        _keys(type(value), required_only=False) if isinstance(value, Record) else to_mapping(value)
    )


def _given(annotation: Annotation) -> list[object]:
    """The examples in a field's own metadata."""
    infos = [
        item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, FieldInfo)
    ]
    return next((list(info.examples) for info in reversed(infos) if info.examples), [])


def _sample(annotation: Annotation) -> object:
    """A value that a field takes: its own example, or one that its type and bounds allow."""
    if given := _given(annotation):
        return given[0]
    bounds: dict[str, float] = {}
    while origin(annotation) in (
        Annotated,
        Union,
        UnionType,
    ):  # down to the first type that is not null
        bounds |= dict(_bounds(annotation))
        annotation = next(member for member in get_args(annotation) if member is not NoneType)
    if is_kind(annotation):
        return _first(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return _keys(annotation, required_only=True)
    if annotation in (int, float):
        return _number(annotation, bounds)
    if annotation is bool:
        return True
    members = get_args(annotation)
    if origin(annotation) is Literal:
        return members[0]
    return [_sample(member) for member in members if member is not Ellipsis] if members else "name"


def _number(wanted: type, bounds: dict[str, float]) -> object:
    low = bounds.get("ge", bounds.get("gt", 0))
    high = bounds.get("le", bounds.get("lt"))
    if wanted is int:
        return low if "ge" in bounds else low + 1
    return low + 1.0 if high is None else (low + high) / 2


def _bounds(annotation: Annotation) -> Iterator[tuple[str, Any]]:
    for item in getattr(annotation, "__metadata__", ()):
        for bound in item.metadata if isinstance(item, FieldInfo) else [item]:
            yield from (
                (name, getattr(bound, name))
                for name in ("gt", "ge", "lt", "le")
                if getattr(bound, name, None) is not None
            )


@cache
def _first(kind: type[Component]) -> str:
    """The first component that needs no keys."""
    for name in names(kind):
        try:
            kind.parse(name)
        except (ValidationError, PydanticCustomError):
            continue
        return name
    return names(kind)[0]


@cache
def _place(kind: type[Component]) -> Wrap:
    """A function that puts a component of a kind where it can stand, at the shallowest level."""
    waiting: list[tuple[type[Record], Wrap]] = [
        (RunConfig, lambda value: value)  # type: ignore[list-item,return-value]
    ]
    seen: set[type] = set()
    for record, outer in waiting:  # grows meanwhile: the shallowest place is found first
        for field in dataclasses.fields(record):  # type: ignore[arg-type]
            inner = without_null(hints(record)[field.name])  # type: ignore[arg-type]
            many = origin(inner) in (tuple, list)
            cls = without_null(get_args(inner)[0]) if many else inner
            if not isinstance(cls, type) or not issubclass(cls, Record) or cls in seen:
                continue
            wrap = _inside(record, field.name, many, outer)
            if cls is kind:
                return wrap
            seen.add(cls)
            classes = [find(cls, name) for name in names(cls)] if is_kind(cls) else [cls]  # type: ignore[arg-type]
            waiting += [(inner_class, wrap) for inner_class in classes]
    raise LookupError(f"no configuration can hold a {kind.kind}")


def _inside(record: type[Record], key: str, many: bool, outer: Wrap) -> Wrap:
    """What puts a value under a key of a record, whose other required keys are filled in."""

    def wrap(value: object) -> dict[str, object]:
        named = {"type": record.name()} if issubclass(record, Component) else {}
        others = {} if record is RunConfig or not named else _keys(record, required_only=True)
        return outer(named | others | {key: [value] if many else value})

    return wrap
