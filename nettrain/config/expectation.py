"""A field's annotation in plain words: `Annotated[int, Field(ge=1)]` is "a positive integer"."""

import dataclasses
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args

from pydantic.fields import FieldInfo

from nettrain.component import MAX_COUNT, Record, names
from nettrain.config.fields import Annotation, is_kind, origin

_NOUNS = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "true or false",
    NoneType: "null",
}
_BOUNDS = {"gt": "above {}", "ge": "of {} or more", "lt": "below {}", "le": "of at most {}"}


def describe(annotation: Annotation) -> str:
    """Say what a field expects."""
    metadata: tuple[Any, ...] = ()
    while origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = (*more, *metadata)
    form, members = origin(annotation), get_args(annotation)
    if form in (Union, UnionType):
        return " or ".join(describe(member) for member in members)
    if form is Literal:
        return ("one of " if len(members) > 1 else "") + ", ".join(map(repr, members))
    if form in (tuple, list):
        return _list(members)
    if isinstance(annotation, type) and annotation not in _NOUNS:
        return _class(annotation)
    return _bounded(_NOUNS.get(annotation, "a mapping"), dict(_bounds(metadata)))


def _list(members: tuple[Annotation, ...]) -> str:
    if len(members) == 1 or members[1] is Ellipsis:
        return f"a list, each item {describe(members[0])}"
    return f"a list of {len(members)}: {', '.join(map(describe, members))}"


def _class(cls: type) -> str:
    if is_kind(cls):
        kind = cls.kind  # type: ignore[attr-defined]
        known = ", ".join(names(cls)) or "there is none yet"
        article = "an" if kind[0] in "aeiou" else "a"
        return f"the name of {article} {kind} ({known}) or a mapping with 'type'"
    if dataclasses.is_dataclass(cls):
        shorthand = cls.shorthand if issubclass(cls, Record) else None
        word = "" if shorthand is None else f" or {shorthand}"
        return (
            f"a mapping (keys: {', '.join(field.name for field in dataclasses.fields(cls))}){word}"
        )
    return "a mapping"


def _bounds(metadata: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for item in metadata:
        for bound in item.metadata if isinstance(item, FieldInfo) else [item]:
            for name in (*_BOUNDS, "min_length"):
                if getattr(bound, name, None) is not None:
                    yield name, getattr(bound, name)


def _bounded(noun: str, bounds: dict[str, Any]) -> str:
    if bounds.get("le") == MAX_COUNT:  # as good as none
        del bounds["le"]
    if noun == "an integer" and bounds == {"ge": 1}:
        return "a positive integer"
    if noun == "a string" and bounds.get("min_length"):
        return "a non-empty string"
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if low is not None and high is not None:
        if noun == "an integer" and "ge" in bounds and "le" in bounds:
            return f"an integer from {low} to {high}"
        opening, closing = "[" if "ge" in bounds else "(", "]" if "le" in bounds else ")"
        return f"{noun} in {opening}{low:g}, {high:g}{closing}"
    words = [form.format(bounds[name]) for name, form in _BOUNDS.items() if name in bounds]
    return " ".join([noun, *words])
