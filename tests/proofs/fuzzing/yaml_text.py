"""YAML as people, programs and attackers write it, around values that a grammar has made."""

import functools
from typing import Any

import yaml
from hypothesis import strategies as st

PIECES = [
    "&a ", "*a", "<<: *a", "!!python/object/apply:os.system ['touch mark']", "!!python/name:os.system ", "!!binary ", "!!set ", "!x ",
    "---\n", "...\n", "%YAML 1.1\n", "? ", "- ", ": ", "|\n", ">-\n", "'", '"', "{", "}", "[", "]", ",", "#", "\t", "\n", "\r\n", "\r", "  ",
    "\x00", "\ufeff", "\u2028", "\x85", "é", "\U0001f600", "0x1F", "0o17", "1e400", "-.inf", ".nan", "1_000", "12:30:45", "2020-01-01",
    "null", "~", "yes", "no", "on", "=", "=1+1", "1,5", "9" * 400, "a: a: a", "extends: a.yaml\n", "extends: [b.yaml, b.yaml]\n", "plugins: [p.py]\n",
    "seed: 0\nseed: 1\n", "${HOME}", "~nobody/x", "[" * 60, "&a [*a]",
]  # fmt: skip


class _Plain:
    """Plain values, without anchors that safe_dump would make of equal lists."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Dumper(_Plain, yaml.SafeDumper):
    """Writes every text."""


class _FastDumper(_Plain, getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    """Ten times faster, for texts that can be encoded."""


def written(value: Any, *, flow: bool = False) -> str:
    """A value as YAML 1.2 that nettrain reads back as the same value."""
    style = {"default_flow_style": flow, "sort_keys": False, "width": 10**6}
    try:
        return yaml.dump(value, Dumper=_FastDumper, **style)
    except UnicodeEncodeError:
        return yaml.dump(value, Dumper=_Dumper, **style)


def _represent_float(dumper: _Dumper | _FastDumper, value: float) -> yaml.Node:
    text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(value), repr(value))
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


for _dumper in (_Dumper, _FastDumper):
    _dumper.add_representer(float, _represent_float)


@functools.cache
def _edits() -> st.SearchStrategy[list[tuple[int, int, str]]]:
    place = st.integers(0, 10**6)
    return st.lists(
        st.tuples(place, st.sampled_from([0, 0, 1, 3, 50]), st.sampled_from(PIECES)), max_size=3
    )


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> str:
    """The text of a file: half of the time as it should be, else with a few changes to the text."""
    text = written(draw(values), flow=draw(st.booleans()))
    return edited(draw, text) if draw(st.booleans()) else text


def edited(draw: st.DrawFn, text: str) -> str:
    """The text with some pieces put in, in place of none or some of its characters."""
    for place, removed, piece in draw(_edits()):
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + removed :]
    return text
