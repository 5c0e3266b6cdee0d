"""YAML text to plain values and the place of every key, bounded in size and depth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

import yaml

from nettrain.config.core_schema import INT, CoreSchema, scalar
from nettrain.config.key_path import KeyPath, join
from nettrain.config.yaml_errors import explain, line_of
from nettrain.errors import ConfigError

MAX_CHARACTERS = 256 * 1024
MAX_VALUES = 100_000  # an alias bomb of 400 bytes would unfold to billions
MAX_DEPTH = 50


@dataclass
class Document:
    """The plain values of a YAML file, and where they stand.

    Attributes:
        value: what the file holds.
        places: where each key path stands, as `configs/a.yaml:12`.
        problems: what is wrong already (duplicate keys ...), as complete lines.
        folders: of the files that took part, by their names in `places`; relative paths in a value
            count from its own file.
        incomplete: paths whose value could not be read as a whole, which `problems` says.
    """

    value: object
    places: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    incomplete: set[KeyPath] = field(default_factory=set)


def forget(document: Document, path: KeyPath) -> None:
    """Remove the places below a path whose value is gone."""
    for known in list(document.places):
        if known[: len(path)] == path and len(known) > len(path):
            del document.places[known]


def read(text: str, place: Callable[[int], str], root: KeyPath = ()) -> Document:
    """Read the one document in `text`.

    Args:
        text: YAML.
        place: what to call a line, counted from 1.
        root: where the value belongs in the whole configuration.

    Raises:
        ConfigError: text that does not parse, several documents, too large, too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(
            f"{place(1)}: {len(text):,} characters are too many for a configuration "
            f"(at most {MAX_CHARACTERS:,})"
        )
    try:
        node = CoreSchema(text).get_single_node()
    except yaml.YAMLError as error:
        raise ConfigError(f"{place(line_of(error, text))}: {explain(error)}") from None
    except RecursionError:
        raise ConfigError(f"{place(1)}: nested too deeply (at most {MAX_DEPTH} levels)") from None
    if node is None:
        return Document(None)
    return _Builder(place).document(node, root)


class _Builder:
    """Walks the nodes once, unfolding aliases up to a bound."""

    def __init__(self, place: Callable[[int], str]) -> None:
        self._place = place
        self._document = Document(None)
        self._count = 0
        self._open: list[int] = []

    def document(self, node: yaml.Node, root: KeyPath) -> Document:
        self._document.places[root] = self._at(node)
        self._document.value = self._value(node, root)
        return self._document

    def _at(self, node: yaml.Node) -> str:
        return self._place(node.start_mark.line + 1)

    def _value(self, node: yaml.Node, path: KeyPath) -> object:
        self._count += 1
        if self._count > MAX_VALUES:
            message = f"aliases unfold to more than {MAX_VALUES} values; write fewer of them"
            raise ConfigError(join(self._at(node), path, message))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            message = "an alias stands inside the very value that it repeats"
            raise ConfigError(join(self._at(node), path, message))
        if len(self._open) >= MAX_DEPTH:
            raise ConfigError(f"{self._at(node)}: nested too deeply (at most {MAX_DEPTH} levels)")
        self._open.append(id(node))
        value = (
            self._mapping(node, path)
            if isinstance(node, yaml.MappingNode)
            else self._sequence(node, path)
        )
        self._open.pop()
        return value

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        try:
            return scalar(node)
        except ValueError as error:
            self._report(node, path, str(error))
            self._document.incomplete.add(path)
            return None

    def _sequence(self, node: yaml.Node, path: KeyPath) -> list[object]:
        self._refuse_tag(node, "seq", path)
        values = []
        for index, item in enumerate(node.value):
            self._document.places[(*path, index)] = self._at(item)
            values.append(self._value(item, (*path, index)))
        return values

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        self._refuse_tag(node, "map", path)
        places = self._document.places
        values: dict[str, object] = {}
        last: yaml.Node | None = None
        for key_node, value_node in node.value:
            if last is not None and _is_decimal_comma(node, last, key_node, value_node):
                before, decimals = list(values)[-1], key_node.value
                number = f"{values[before]},{decimals}"
                remedy = f"write {values[before]}.{decimals}, with a decimal point"
                message = f"expected a value, got {number}; {remedy}"
                self._report(key_node, (*path, before), message)
                self._document.incomplete |= {path, (*path, before)}
                continue
            key = self._key(key_node, path)
            last = value_node
            if key is None:
                self._document.incomplete.add(path)
                continue
            if key in values:
                first = places[(*path, key)]
                message = f"duplicate key; the first is at {first}"
                self._report(key_node, (*path, key), message)
                continue
            places[(*path, key)] = self._at(key_node)
            values[key] = self._value(value_node, (*path, key))
        return values

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        """The key's text; None, and a problem noted, where it is no string."""
        if isinstance(node, yaml.ScalarNode) and node.value == "<<" and node.style is None:
            problem = "the merge key '<<' is not part of YAML 1.2; write the keys out"
        elif _is_text(node):
            return node.value
        else:
            got = repr(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"
            reason = "a number or Boolean that is meant as a name needs quotes"
            problem = f"expected a name as key, got {got}; {reason}"
        self._report(node, path, problem)
        return None

    def _refuse_tag(self, node: yaml.Node, usual: str, path: KeyPath) -> None:
        if node.tag != f"tag:yaml.org,2002:{usual}":
            self._report(node, path, f"the tag {node.tag!r} means nothing here; remove it")

    def _report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self._document.problems.append(join(self._at(node), path, message))


def _is_text(node: yaml.Node) -> TypeGuard[yaml.ScalarNode]:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str"


def _is_decimal_comma(
    mapping: yaml.MappingNode, last: yaml.Node, key: yaml.Node, value: yaml.Node
) -> bool:
    """Whether a pair is what follows a decimal comma: `{validation: 0,2}` has a key 2, no value."""
    return (
        bool(mapping.flow_style)
        and (last.tag, key.tag) == (INT, INT)
        and isinstance(value, yaml.ScalarNode)
        and value.value == ""
    )
