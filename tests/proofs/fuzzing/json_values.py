"""JSON values with one thing in them changed: taken away, or put in place of another."""

import copy
from collections.abc import Iterator
from typing import Any

from fuzzing.pick import pick
from hypothesis import strategies as st

DEEP = "<deep>"  # stands for lists in lists, too many to be written by what writes JSON
VALUES = [
    None, True, -1, 0, 1, 3, 2**53, 2**63, 10**30, 10**400, 0.5, float("nan"), float("inf"), 1e308, "", "x", "0", [], [1], [[]], ["x"], {}, {"x": 1},
    {"x": {"y": []}}, "<script>", "x" * 70_000, "../../x", "\0", DEEP,
]  # fmt: skip
Path = tuple[Any, ...]


def deepened(text: str) -> bytes:
    """JSON or YAML, with the lists that DEEP stands for."""
    for mark in (f'"{DEEP}"', f"'{DEEP}'", DEEP):
        text = text.replace(mark, "[" * 5000 + "]" * 5000)
    return text.encode()


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, (*path, key))


def changed(content: Any, path: Path, value: Any, *, delete: bool) -> Any:
    """A copy with the value at a path taken away, or another in its place."""
    content = copy.deepcopy(content)
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    if delete:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return content


@st.composite
def mutations(draw: st.DrawFn, content: Any) -> Any:
    """The value with up to three changes."""
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in paths(content) if path]
        if not places:
            return pick(draw, VALUES)
        path = pick(draw, places)
        content = changed(content, path, pick(draw, VALUES), delete=draw(st.booleans()))
    return content
