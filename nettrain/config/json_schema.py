"""The JSON Schema (draft 2020-12) of YAML files, made from the classes themselves."""

import dataclasses
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError

from nettrain.component import KIND_KEY, Component, Record, adapter, find, names, to_mapping
from nettrain.config.docstring import Docstring
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.fields import default_of
from nettrain.config.kinds import KINDS
from nettrain.config.run_config import RunConfig

Schema = dict[str, Any]

EXTENDS: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}},
    ],
    "description": "YAML file(s), relative to this one, from which missing values are taken",
}


def json_schema(sweep: type[Record] | None = None) -> Schema:
    """The schema of run and ensemble configurations, and of sweeps where their class is given.

    A definition for each kind lists its components, and each component has its own; they refer to
    each other, so nesting has no end. A schema cannot say what depends on two keys at once (elite
    below population), nor that 30.0 is no integer. In a file that extends another, keys of a
    component need its `type` beside them to please the schema, though not to be loaded.
    """
    definitions: Schema = {}
    for kind in KINDS:
        definitions[kind.kind] = _kind(kind)
        for name in names(kind):
            definitions[_key(kind, name)] = _component(find(kind, name), definitions)
    run = _record(EnsembleRun, definitions)
    run["description"] = Docstring.of(RunConfig).summary
    run["properties"] = {"extends": EXTENDS} | run["properties"]
    run = _complete_unless_extended(run, definitions)
    whole = run if sweep is None else _run_or_sweep(run, sweep, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nettrain",
        **whole,
        "$defs": definitions,
    }


def _run_or_sweep(run: Schema, sweep: type[Record], definitions: Schema) -> Schema:
    """A file with keys that only a sweep has is a sweep, whose `base` may hold a whole run."""
    definitions["run"] = run
    definitions["sweep"] = schema = _record(sweep, definitions)
    base = schema["properties"]["base"]
    base["anyOf"] = [
        {"$ref": "#/$defs/run"} if option["type"] == "object" else option
        for option in base["anyOf"]
    ]
    own_keys = [key for key in schema["properties"] if key not in run["properties"]]
    return {
        "if": {"anyOf": [{"required": [key]} for key in own_keys]},
        "then": {"$ref": "#/$defs/sweep"},
        "else": {"$ref": "#/$defs/run"},
    }


def _kind(kind: type[Component]) -> Schema:
    """A bare name where nothing else is required, or a mapping with `type`."""
    bare = [{"const": name, "description": doc} for name, doc in bare_names(kind).items()]
    return {"anyOf": [*bare, *({"$ref": f"#/$defs/{_key(kind, name)}"} for name in names(kind))]}


def bare_names(kind: type[Component]) -> dict[str, str]:
    """The bare names that stand for a component of this kind, each with its first line."""
    bare: dict[str, str] = {}
    for home, name in [(one, name) for one in (kind, *kind.shorthands()) for name in names(one)]:
        try:
            kind.parse(name)
        except (ValidationError, PydanticCustomError):
            continue  # it has a field without default
        bare.setdefault(name, Docstring.of(find(home, name)).summary)
    return bare


def _component(cls: type[Component], definitions: Schema) -> Schema:
    schema = _record(cls, definitions)
    schema["properties"] = {
        "type": {"const": cls.name(), "description": schema["description"]}
    } | schema.get("properties", {})
    schema["required"] = ["type", *schema.get("required", [])]
    return schema


def _record(cls: type[Record], definitions: Schema) -> Schema:
    """The schema of one class; those of the records inside it go to the definitions."""
    schema = adapter(cls).json_schema(schema_generator=_Generator)  # type: ignore[arg-type]
    inner = schema.pop("$defs", {})
    own = schema.pop("$ref", "").removeprefix("#/$defs/")
    schema = inner.pop(own) if own else schema
    _tidy(schema, definitions)
    for name, definition in inner.items():
        _tidy(definition, definitions)
        if definitions.setdefault(name, definition) != definition:
            raise ValueError(f"two different records are named {name}")
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if field.name not in schema.get("required", []):
            schema["properties"][field.name]["default"] = to_mapping(default_of(cls, field.name))
    schema["description"] = Docstring.of(cls).summary
    return schema


class _Generator(GenerateJsonSchema):
    """pydantic's, with defaults as YAML has them."""

    def encode_default(self, dft: Any) -> Any:
        """A component as a mapping with `type`."""
        return to_mapping(dft)


def _tidy(schema: Any, definitions: Schema) -> None:
    """Without pydantic's titles, which repeat the key; with references to the kinds."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item, definitions)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if KIND_KEY in schema:
        schema["$ref"] = f"#/$defs/{schema.pop(KIND_KEY)}"
    for value in schema.values():
        _tidy(value, definitions)


def _complete_unless_extended(run: Schema, definitions: Schema) -> Schema:
    """Require keys only in a file that extends no other, where they might stand."""
    required: list[str] = run.pop("required")
    sections = {}
    for key in required:
        section = definitions.get(
            run["properties"][key].get("$ref", "").removeprefix("#/$defs/"), {}
        )
        if "required" in section:
            sections[key] = {"required": section.pop("required")}
    return run | {
        "if": {"required": ["extends"]},
        "else": {"required": required, "properties": sections},
    }


def _key(kind: type[Component], name: str) -> str:
    return f"{kind.kind}.{name}"
