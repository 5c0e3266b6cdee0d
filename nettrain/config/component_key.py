"""The explanation of a key of a component, as in `--set`: `optimizer.lr`, `model.hidden`."""

from collections.abc import Iterator
from typing import Any, get_args

from nettrain.component import Component, Record, find, names
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.example import component_example, section_example
from nettrain.config.explanation import Explanation, Key, keys_of
from nettrain.config.fields import hints, is_kind, origin, without_null
from nettrain.config.key_path import dotted, parse
from nettrain.config.kinds import KINDS

Owner = tuple[
    str, type[Record], str
]  # full name, class, and the example of the component around it


def explain_key(name: str) -> list[Explanation]:
    """Explain the key that a path names; components with the same key share one explanation."""
    path = parse(name)
    parts = [part for part in path or () if isinstance(part, str)]
    if len(parts) < 2:
        return []
    owners = list(_first_owners(parts[0]))
    for part in parts[1:-1]:
        owners = [inner for owner in owners for inner in _below(owner, part)]
    shared: dict[str, tuple[Key, list[Owner]]] = {}
    for owner in owners:
        for key in keys_of(owner[1]):
            if key.name == parts[-1]:
                shared.setdefault(repr(key), (key, []))[1].append(owner)
    return [_explanation(dotted(path or ()), key, owners) for key, owners in shared.values()]


def _explanation(name: str, key: Key, owners: list[Owner]) -> Explanation:
    details = f"A key of {', '.join(full for full, _, _ in owners)}."
    return Explanation(name, "key", key.description, details, (key,), example=owners[0][2])


def _first_owners(part: str) -> Iterator[Owner]:
    """What the first part of a path names: a key of the configuration, or a kind."""
    annotations = hints(EnsembleRun)
    if part in annotations:
        yield from _inside(annotations[part], part, "")
        return
    for kind in KINDS:
        if kind.kind == part:
            yield from _components(kind)


def _below(owner: Owner, part: str) -> Iterator[Owner]:
    """What a part of a path names below an owner: one of its keys, or the component that it is."""
    full, record, example = owner
    if full.endswith(f".{part}") and issubclass(record, Component):
        yield owner
    annotations = hints(record)  # type: ignore[arg-type]
    if part in annotations:
        yield from _inside(annotations[part], f"{full}.{part}", example)


def _inside(annotation: Any, full: str, example: str) -> Iterator[Owner]:
    inner = without_null(annotation)
    if origin(inner) in (tuple, list):
        inner = without_null(get_args(inner)[0])
    if is_kind(inner):
        yield from _components(inner)
    elif isinstance(inner, type) and issubclass(inner, Record):
        yield full, inner, example or section_example(inner, tuple(full.split(".")))


def _components(kind: type[Component]) -> Iterator[Owner]:
    for name in names(kind):
        yield f"{kind.kind}.{name}", find(kind, name), component_example(kind, name)
