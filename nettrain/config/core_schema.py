"""Which YAML scalars are numbers, Booleans or null: YAML 1.2.2, section 10.3.2.

PyYAML follows YAML 1.1, where `1e-3` is a string, `no` is false, `0777` octal and `12:30` 750.
"""

import re

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

NULL, BOOL, INT, FLOAT, STR = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")
)

PATTERNS = {
    NULL: (re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    BOOL: (re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    INT: (re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    FLOAT: (
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
}


class CoreSchema(Reader, Scanner, Parser, Composer, BaseResolver):
    """Text to nodes with the tags of the core schema. There is no constructor but `scalar`."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


for _tag, (_pattern, _first) in PATTERNS.items():
    CoreSchema.add_implicit_resolver(_tag, _pattern, _first)


def scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """The plain value of a node. Raises ValueError if its text does not fit its tag."""
    text: str = node.value
    if node.tag == STR:
        return text
    if node.tag not in PATTERNS:
        raise ValueError(f"the tag {node.tag!r} means nothing here; remove it")
    if not PATTERNS[node.tag][0].match(text):
        raise ValueError(f"{text!r} is no {node.tag.rpartition(':')[2]}, as its tag says")
    if node.tag == NULL:
        return None
    if node.tag == BOOL:
        return text.lower() == "true"
    if node.tag == INT:
        return _integer(text)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _integer(text: str) -> int:
    if (
        len(text) > 1000
    ):  # Python itself refuses above 4300 digits, with a message about its own limit
        raise ValueError(f"an integer of {len(text)} digits is too long")
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
