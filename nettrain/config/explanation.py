"""What can be explained of a configuration: kinds, their components, sections and keys; every word comes from the classes themselves."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic.fields import FieldInfo

from nettrain.component import Component, Record, find, names, to_mapping
from nettrain.config.docstring import Docstring
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.example import component_example, key_example, section_example
from nettrain.config.expectation import describe
from nettrain.config.fields import Annotation, default_of, hints, is_kind, without_null
from nettrain.config.kinds import KINDS


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a component or a section; `default` counts only where the key is not required."""

    name: str
    expects: str
    required: bool
    default: object
    description: str


@dataclasses.dataclass(frozen=True)
class Explanation:
    """One thing that has a name.

    name     in full: `optimizer.adam`, `dataset.split`
    what     kind, component, section, key or operation
    summary  its equation, or what it is; details: shapes, units, errors, source, where others differ
    members  of a kind: its components and their summaries
    example  YAML, in its place in a configuration
    """

    name: str
    what: str
    summary: str
    details: str = ""
    keys: tuple[Key, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    example: str = ""


Catalogue = dict[str, Callable[[], Explanation]]


def catalogue() -> Catalogue:
    """Everything that can be explained, by its full name; each is made, and its class imported, when it is called."""
    found: Catalogue = {}
    for kind in KINDS:
        found[kind.kind] = partial(_kind, kind)
        found |= {f"{kind.kind}.{name}": partial(_component, kind, name) for name in names(kind)}
    return found | {
        name: make
        for name, make in _section_entries(EnsembleRun, (), required=True).items()
        if name not in found
    }


def matching(name: str, known: Catalogue) -> list[str]:
    """The full names that a name can mean: itself, and those that end with it: `step` is schedule.step and activation.step."""
    return [full for full in known if full == name or full.endswith(f".{name}")]


def _kind(kind: type[Component]) -> Explanation:
    described = Docstring.of(kind)
    members = tuple((name, Docstring.of(find(kind, name)).summary) for name in names(kind))
    return Explanation(kind.kind, "kind", described.summary, described.details, members=members)


def _component(kind: type[Component], name: str) -> Explanation:
    cls = find(kind, name)
    described = Docstring.of(cls)
    example = component_example(kind, name)
    return Explanation(
        f"{kind.kind}.{name}",
        "component",
        described.summary,
        described.details,
        _keys(cls),
        example=example,
    )


def _section_entries(record: type[Record], path: tuple[str, ...], *, required: bool) -> Catalogue:
    """The keys below a section, and the sections among them with theirs. required: whether the section always is there."""
    found: Catalogue = {}
    for field in dataclasses.fields(record):  # type: ignore[arg-type]
        here = (*path, field.name)
        cls = without_null(hints(record)[field.name])  # type: ignore[arg-type]
        if isinstance(cls, type) and issubclass(cls, Record) and not is_kind(cls):
            found[".".join(here)] = partial(_section, cls, here)
            found |= _section_entries(cls, here, required=required and _is_required(field))
        else:
            found[".".join(here)] = partial(_key_alone, record, here, required)
    return found


def _section(record: type[Record], path: tuple[str, ...]) -> Explanation:
    described = Docstring.of(record)
    return Explanation(
        ".".join(path),
        "section",
        described.summary,
        described.details,
        _keys(record),
        example=section_example(record, path),
    )


def _key_alone(record: type[Record], path: tuple[str, ...], required: bool) -> Explanation:
    key = next(key for key in _keys(record) if key.name == path[-1])
    example = key_example(record, path, alone=required)
    return Explanation(".".join(path), "key", key.description, keys=(key,), example=example)


def _keys(record: type[Record]) -> tuple[Key, ...]:
    annotations = hints(record)  # type: ignore[arg-type]
    return tuple(
        _key(record, field, annotations[field.name]) for field in dataclasses.fields(record)
    )  # type: ignore[arg-type]


def _key(record: type[Record], field: "dataclasses.Field[Any]", annotation: Annotation) -> Key:
    cls = without_null(annotation)
    own = Docstring.of(cls).summary if isinstance(cls, type) and issubclass(cls, Record) else ""
    default = to_mapping(default_of(record, field.name))
    return Key(
        field.name,
        describe(annotation),
        _is_required(field),
        default,
        _description(annotation) or own,
    )


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _description(annotation: Annotation) -> str:
    infos = [
        item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, FieldInfo)
    ]
    return next((info.description for info in reversed(infos) if info.description), "")
