"""Explanations of kinds, components, sections and keys, made from the classes themselves."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_args

from pydantic.fields import FieldInfo

from nettrain.component import Component, Record, find, names, to_mapping
from nettrain.config.docstring import Docstring
from nettrain.config.dump import as_brief_yaml
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.example import component_example, key_example, section_example
from nettrain.config.expectation import describe
from nettrain.config.fields import (
    Annotation,
    default_of,
    hints,
    is_kind,
    is_required,
    origin,
    without_null,
)
from nettrain.config.kinds import IN_YAML, KindInYaml
from nettrain.nn.architecture import Architecture

# Sections of a docstring about the Python side of a component, which YAML does not see.
_FOR_PROGRAMMERS = ("Args", "Attributes", "Returns", "Yields")


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

    Attributes:
        name: in full, `optimizer.adam` or `dataset.split`.
        what: kind, component, section, key or operation.
        summary: its name and equation, or its description.
        details: shapes, units, errors, source, differences from other frameworks.
        keys: of a component or section.
        members: of a kind, its components and their summaries.
        example: YAML, in its place in a configuration.
    """

    name: str
    what: str
    summary: str
    details: str = ""
    keys: tuple[Key, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    example: str = ""


Catalogue = dict[str, Callable[[], Explanation]]


def catalogue(files: Mapping[str, type[Record]] | None = None) -> Catalogue:
    """Everything that can be explained, by full name; each is made when it is called.

    Args:
        files: further kinds of YAML file, by the name that their keys get: `sweep.trials`.
    """
    found: Catalogue = {}
    for entry in IN_YAML:
        kind = entry.kind
        found[kind.kind] = partial(_kind, entry)
        found |= {f"{kind.kind}.{name}": partial(_component, kind, name) for name in names(kind)}
    sections = _section_entries(EnsembleRun, (), required=True)
    for name, record in (files or {}).items():
        sections[name] = partial(_section, record, (name,), 1)
        sections |= _section_entries(record, (name,), required=True, outside=1)
    return found | {name: make for name, make in sections.items() if name not in found}


def matching(name: str, known: Catalogue) -> list[str]:
    """The full names that a name can mean: `step` is schedule.step and activation.step."""
    return [full for full in known if full == name or full.endswith(f".{name}")]


def details_of(described: Docstring) -> str:
    """The free text of a docstring and the sections that concern its YAML."""
    sections = [
        f"{heading}:\n{body}"
        for heading, body in described.sections.items()
        if heading not in _FOR_PROGRAMMERS
    ]
    return "\n\n".join(filter(None, [described.details, *sections]))


def keys_of(record: type[Record]) -> tuple[Key, ...]:
    """The keys of a component or section."""
    annotations = hints(record)  # type: ignore[arg-type]
    attributes = Docstring.of(record).entries("Attributes")
    return tuple(
        _key(record, field, annotations[field.name], attributes)
        for field in dataclasses.fields(record)  # type: ignore[arg-type]
    )


def _kind(entry: KindInYaml) -> Explanation:
    """A kind as YAML sees it."""
    kind = entry.kind
    members = tuple((name, Docstring.of(find(kind, name)).summary) for name in names(kind))
    return Explanation(
        kind.kind,
        "kind",
        entry.summary,
        "\n\n".join(
            filter(
                None,
                [entry.details, f"To write your own: nettrain explain --plugin {kind.kind}"],
            )
        ),
        members=members,
        example=component_example(kind, entry.shown),
    )


def _component(kind: type[Component], name: str) -> Explanation:
    cls = find(kind, name)
    described = Docstring.of(cls)
    return Explanation(
        f"{kind.kind}.{name}",
        "component",
        described.summary,
        "\n\n".join(filter(None, [details_of(described), _settings(cls)])),
        keys_of(cls),
        example=component_example(kind, name),
    )


def _settings(cls: type[Component]) -> str:
    """What an architecture brings, as YAML; empty for everything else."""
    if not issubclass(cls, Architecture) or not cls.settings:
        return ""
    return f"Settings (where the configuration has none):\n{as_brief_yaml(cls.settings).rstrip()}"


def _section_entries(
    record: type[Record], path: tuple[str, ...], *, required: bool, outside: int = 0
) -> Catalogue:
    """The keys below a section, and the sections among them with theirs.

    Args:
        record: the class of the section.
        path: its full name.
        required: whether the section always is there.
        outside: how many parts of the name do not stand in the YAML file.
    """
    found: Catalogue = {}
    for field in dataclasses.fields(record):  # type: ignore[arg-type]
        here = (*path, field.name)
        cls = without_null(hints(record)[field.name])  # type: ignore[arg-type]
        if isinstance(cls, type) and issubclass(cls, Record) and not is_kind(cls):
            found[".".join(here)] = partial(_section, cls, here, outside)
            inner_required = required and is_required(field)
            found |= _section_entries(cls, here, required=inner_required, outside=outside)
        else:
            found[".".join(here)] = partial(_key_alone, record, here, required, outside)
    return found


def _section(record: type[Record], path: tuple[str, ...], outside: int) -> Explanation:
    described = Docstring.of(record)
    return Explanation(
        ".".join(path),
        "section",
        described.summary,
        details_of(described),
        keys_of(record),
        example=section_example(record, path[outside:]),
    )


def _key_alone(
    record: type[Record], path: tuple[str, ...], required: bool, outside: int
) -> Explanation:
    key = next(key for key in keys_of(record) if key.name == path[-1])
    example = key_example(record, path[outside:], alone=required)
    details, inner = _values_of_mapping(hints(record)[path[-1]])  # type: ignore[arg-type]
    return Explanation(
        ".".join(path), "key", key.description, details, (key, *inner), example=example
    )


def _values_of_mapping(annotation: Annotation) -> tuple[str, tuple[Key, ...]]:
    """The details and keys of the sections that a mapping of free names holds, if it does."""
    bare = without_null(annotation)
    cls = without_null(get_args(bare)[1]) if origin(bare) is dict else None
    if not isinstance(cls, type) or not issubclass(cls, Record):
        return "", ()
    described = Docstring.of(cls)
    details = f"Each value of the mapping: {described.summary}\n{details_of(described)}"
    return details, tuple(dataclasses.replace(key, name=f"*.{key.name}") for key in keys_of(cls))


def _key(
    record: type[Record],
    field: "dataclasses.Field[Any]",
    annotation: Annotation,
    attributes: Mapping[str, str],
) -> Key:
    cls = without_null(annotation)
    own = Docstring.of(cls).summary if isinstance(cls, type) and issubclass(cls, Record) else ""
    return Key(
        field.name,
        describe(annotation),
        is_required(field),
        to_mapping(default_of(record, field.name)),
        _description(annotation) or attributes.get(field.name, "") or own,
    )


def _description(annotation: Annotation) -> str:
    infos = [
        item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, FieldInfo)
    ]
    return next((info.description for info in reversed(infos) if info.description), "")
