"""Which field of the typed configuration a key path names, and its annotation."""

import dataclasses
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_type_hints
from typing import get_origin as _get_origin

from pydantic_core import PydanticCustomError

from nettrain.component import Component, Record, find
from nettrain.config.key_path import KeyPath

Annotation = Any


class Found(NamedTuple):
    """The annotation at a path, and the part of the path that leads to it (not into unions)."""

    annotation: Annotation
    path: KeyPath


def annotation_at(record: type[Record], value: object, path: KeyPath) -> Found | None:
    """What stands at `path` below a record; None where the path names nothing that exists."""
    annotation: Annotation = record
    for depth, part in enumerate(path):
        bare = without_null(annotation)
        if origin(bare) in (Union, UnionType):
            sections = [one for one in get_args(bare) if record_of(one, value) is one]
            if len(sections) != 1 or not isinstance(value, dict):
                return Found(annotation, path[:depth])
            bare = sections[0]  # a mapping can only be meant for this one
        annotation = _enter(bare, value, part)
        if annotation is None:
            return None
        value = _item(bare, value, part)
    return Found(annotation, path)


def record_of(annotation: Annotation, value: object) -> type[Record] | None:
    """The class whose fields are the keys of `value`: a section, or the component it names."""
    cls = without_null(annotation)
    if not isinstance(cls, type) or not issubclass(cls, Record):
        return None
    if not issubclass(cls, Component) or not is_kind(cls):
        return cls
    mapping = cls.expand_shorthand(value)
    if not isinstance(mapping, dict) or not isinstance(mapping.get("type"), str):
        return None
    try:
        return find(cls, mapping["type"])
    except PydanticCustomError:
        return None


def default_of(record: type[Record], name: str) -> object:
    """What a field holds when its key is absent; None where the key is required."""
    for field in dataclasses.fields(record):  # type: ignore[arg-type]
        if field.name == name:
            return (
                field.default_factory()
                if field.default_factory is not dataclasses.MISSING
                else _or_none(field.default)
            )
    return None


def is_required(field: "dataclasses.Field[Any]") -> bool:
    """Whether a field has no default, so that its key must be there."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def is_kind(annotation: Annotation) -> bool:
    """Whether this is the base of a kind of component: `Optimizer`, not `Adam`."""
    return (
        isinstance(annotation, type)
        and issubclass(annotation, Component)
        and "kind" in annotation.__dict__
    )


def without_null(annotation: Annotation) -> Annotation:
    """The annotation without its metadata and without `| None`."""
    while origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return without_null(members[0]) if len(members) == 1 else annotation
    return annotation


def origin(annotation: Annotation) -> Any:
    """`tuple` for tuple[int, ...], None for what is no generic."""
    return _get_origin(annotation)


@cache
def hints(record: type) -> dict[str, Annotation]:
    """The annotations of a record's fields, bounds included."""
    return get_type_hints(record, include_extras=True)


def _enter(annotation: Annotation, value: object, part: str | int) -> Annotation | None:
    record = record_of(annotation, value)
    if record is not None:
        return hints(record).get(str(part))  # type: ignore[arg-type]
    members = get_args(annotation)
    if origin(annotation) in (tuple, list) and isinstance(part, int):
        if members[-1] is Ellipsis or len(members) == 1:
            return members[0]
        return members[part] if part < len(members) else None
    return members[1] if origin(annotation) is dict else None


def _item(annotation: Annotation, value: object, part: str | int) -> object:
    if is_kind(annotation):
        value = annotation.expand_shorthand(value)
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _or_none(default: object) -> object:
    return None if default is dataclasses.MISSING else default
