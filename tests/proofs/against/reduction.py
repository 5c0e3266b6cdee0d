"""Makes a failing case as small as possible: keys, elements and numbers are taken away while it fails."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 60.0  # for one case
KEPT = {"type", "kind", "task", "dtype"}


def smallest(case: Any, fails: Callable[[Any], bool], seconds: float = SECONDS) -> Any:
    """A case that still fails, from which nothing more can be taken, or the best within the time.

    Args:
        case: JSON values.
        fails: Whether a case fails; False for one that is not valid.
        seconds: How long to try.
    """
    end = time.monotonic() + seconds
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _smaller(case):
            if time.monotonic() > end:
                return case
            if fails(candidate):
                case, is_smaller = candidate, True
                break
    return case


def _smaller(case: Any) -> Iterator[Any]:
    """The case with one thing taken away or made simpler, the largest things first."""
    for path, value in sorted(_paths(case), key=lambda found: -len(repr(found[1]))):
        for replacement in _replacements(value):
            found = copy.deepcopy(case)
            parent = found
            for key in path[:-1]:
                parent = parent[key]
            if replacement is _REMOVED:
                if path[-1] in KEPT:
                    continue
                del parent[path[-1]]
            else:
                parent[path[-1]] = replacement
            yield found


_REMOVED = object()


def _paths(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for key, item in items:
        yield from _paths(item, (*path, key))


def _replacements(value: Any) -> Iterator[Any]:
    yield _REMOVED
    match value:
        case {"layers": [*inner]} | {"branches": [[*inner], *_]}:
            yield from inner
        case {"type": name, **more} if more:
            yield name
        case bool():
            pass
        case int() if value > 1:
            yield 1
            yield value // 2
        case float() if value not in (0.5, 1.0):
            yield 1.0
            yield 0.5
