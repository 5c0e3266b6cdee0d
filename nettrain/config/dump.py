"""A RunConfig as YAML: complete, in the order of its fields, and read back as an equal one."""

import dataclasses
import math
from typing import Any

import yaml

from nettrain.component import Component, to_mapping
from nettrain.config.core_schema import FLOAT, INT, PATTERNS, STR
from nettrain.config.run_config import RunConfig
from nettrain.nn.layer import Layer


def dump(config: RunConfig) -> str:
    """The resolved configuration as text; `load` of it gives `config` again."""
    return as_yaml(to_mapping(config))


def as_yaml(value: object) -> str:
    """Plain values as a YAML document."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def brief(value: object) -> object:
    """The shortest plain value that parses back: without defaults, a bare name if none is left."""
    if isinstance(value, list | tuple):
        return [brief(item) for item in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    found = {
        field.name: brief(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if not _is_default(value, field)
    }
    if not isinstance(value, Component):
        return found
    if (
        isinstance(value, Layer)
        and value.name() == "activation"
        and isinstance(found["function"], str)
    ):
        return found["function"]
    return {"type": value.name()} | found if found else value.name()


def _is_default(value: object, field: "dataclasses.Field[Any]") -> bool:
    return bool(getattr(value, field.name) == field.default)


def as_brief_yaml(value: object) -> str:
    """The same document with a line for each mapping that holds no mappings in lists."""
    text: str = yaml.dump(
        value, Dumper=_BriefDumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text


def as_flow(value: object) -> str:
    """A value on one line: `{type: adam, lr: 0.001}`, `[64, 32]`, `'no'`."""
    text: str = yaml.dump(
        value, Dumper=_FlowDumper, sort_keys=False, allow_unicode=True, width=10**9
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Quotes every string that YAML 1.1 or 1.2 would take for something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Always: a value that occurs twice is written twice."""
        return True


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    """repr gives the shortest text that reads back as the same bits: 0.0001, 1e-05, 1e+16."""
    text = (
        repr(value)
        if math.isfinite(value)
        else {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), ".nan")
    )
    return dumper.represent_scalar(FLOAT, text)


def _list(dumper: yaml.SafeDumper, values: list[object]) -> yaml.Node:
    """On one line where all items are scalars."""
    nested = any(isinstance(value, list | dict) for value in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=not nested)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    """Use double quotes for rare line breaks, which PyYAML would write as spaces."""
    return dumper.represent_scalar(
        STR, value, style='"' if set(value) & set("\x85\u2028\u2029") else None
    )


_Dumper.add_representer(float, _float)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
for _tag in (INT, FLOAT):
    _Dumper.add_implicit_resolver(_tag, *PATTERNS[_tag])


class _BriefDumper(_Dumper):
    """Writes mappings on one line unless they hold mappings in lists."""


def _mapping(dumper: yaml.SafeDumper, value: dict[str, object]) -> yaml.Node:
    return dumper.represent_mapping(
        "tag:yaml.org,2002:map", value.items(), flow_style=_fits_a_line(value)
    )


def _fits_a_line(value: object) -> bool:
    if isinstance(value, dict):
        return all(_fits_a_line(item) for item in value.values())
    return not isinstance(value, list) or not any(isinstance(item, dict | list) for item in value)


_BriefDumper.add_representer(dict, _mapping)


class _FlowDumper(_Dumper):
    """Writes everything on one line."""


def _flow_mapping(dumper: yaml.SafeDumper, value: dict[str, object]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)


def _flow_list(dumper: yaml.SafeDumper, value: list[object]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)


_FlowDumper.add_representer(dict, _flow_mapping)
_FlowDumper.add_representer(list, _flow_list)
