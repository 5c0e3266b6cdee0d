"""`--set a.b[0].c=VALUE`, or a sweep's parameter: one value changed before validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nettrain.component import Component, Record
from nettrain.config.fields import annotation_at, default_of, is_kind, record_of, without_null
from nettrain.config.key_path import KeyPath, dotted, parse
from nettrain.config.messages import show
from nettrain.config.yaml_text import Document, forget, read
from nettrain.errors import ConfigError


@dataclass(frozen=True)
class Override:
    """One parsed `--set`.

    Attributes:
        path: the key to change.
        document: the new value, with its own places.
        label: its name in messages.
        folder: where relative paths in it count from; None: the current directory, as in a shell.
    """

    path: KeyPath
    document: Document
    label: str
    folder: Path | None = None

    @property
    def depth(self) -> int:
        """How specific it is; a `type` counts as the component that it names."""
        return len(self.path) - (self.path[-1] == "type")


def current_folder() -> Path | None:
    """The current directory; None where it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def override(document: Document, record: type[Record], sets: Sequence[str | Override]) -> None:
    """Change a document in place.

    Where two changes overlap, the more specific wins, whatever their order; of equal ones the last.
    A component that changes its `type` loses its old keys; a bare name (`optimizer: adam`) becomes
    a mapping when a key below it is set.
    """
    apply(document, record, parsed(document, sets))


def parsed(document: Document, sets: Sequence[str | Override]) -> list[Override]:
    """Return the changes; the document notes the problems of those that cannot be read."""
    changes = []
    for text in sets:
        try:
            changes.append(text if isinstance(text, Override) else _parse(text))
        except ConfigError as error:
            document.problems += error.problems
    return changes


def apply(document: Document, record: type[Record], changes: Sequence[Override]) -> None:
    """Apply changes that are parsed already; see `override`."""
    for change in sorted(changes, key=lambda change: change.depth):
        try:
            _apply(document, record, change)
        except ConfigError as error:
            document.problems += [f"{change.label}: {problem}" for problem in error.problems]


def _parse(text: str) -> Override:
    label = f"--set {text}" if len(text) <= 80 else f"--set {text[:77]}..."
    key, equals, value = text.partition("=")
    path = parse(key.strip())
    if not equals or path is None:
        raise ConfigError(
            f"{label}: expected KEY.PATH=VALUE, such as optimizer.lr=0.01 or model.hidden[0]=64"
        )
    return Override(path, read(value, lambda line: label, path), label)


def _apply(document: Document, record: type[Record], change: Override) -> None:
    document.problems += change.document.problems
    document.incomplete |= change.document.incomplete
    if folder := change.folder or current_folder():
        document.folders[change.label] = folder
    holder = document.value
    for depth in range(1, len(change.path)):
        parent, part = change.path[:depth], change.path[depth - 1]
        child = _opened(document, record, parent)
        _put(holder, parent[:-1], part, child)
        document.places.setdefault(parent, change.label)
        holder = child
    last = change.path[-1]
    if (
        last == "type"
        and isinstance(holder, dict)
        and "type" in holder
        and holder["type"] != change.document.value
    ):
        holder.clear()
        forget(document, change.path[:-1])
    _put(holder, change.path[:-1], last, change.document.value)
    forget(document, change.path)
    document.places |= change.document.places or {change.path: change.label}


def _opened(document: Document, record: type[Record], path: KeyPath) -> object:
    """The mapping or list at a path, made from a shorthand, null or nothing where there is none."""
    current = _get(document.value, path)
    if isinstance(current, dict | list):
        return current
    field = annotation_at(record, document.value, path)
    cls = without_null(field.annotation) if field and field.path == path else None
    if cls is not None and is_kind(cls):
        current = cls.expand_shorthand(current or _default_name(document, record, path))
    elif isinstance(cls, type) and issubclass(cls, Record):
        current = cls.expand_shorthand(current)
    if current is None:
        return {}
    if not isinstance(current, dict):
        raise ConfigError(f"{dotted(path)} is {show(current)}, which has no keys")
    return current


def _default_name(document: Document, record: type[Record], path: KeyPath) -> str | None:
    """The name of the component that stands at a path by default."""
    parent = annotation_at(record, document.value, path[:-1])
    section = record_of(parent.annotation, _get(document.value, path[:-1])) if parent else None
    default = default_of(section, str(path[-1])) if section else None
    return default.name() if isinstance(default, Component) else None


def _get(value: object, path: KeyPath) -> object:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _put(holder: object, path: KeyPath, part: str | int, value: object) -> None:
    if isinstance(holder, dict) and isinstance(part, str):
        holder[part] = value
    elif isinstance(holder, list) and isinstance(part, int):
        if part >= len(holder):
            raise ConfigError(
                f"{dotted(path)} has {len(holder)} items, counted from 0: there is no [{part}]"
            )
        holder[part] = value
    elif isinstance(holder, list):
        raise ConfigError(
            f"{dotted(path)} is a list: name an item, such as {dotted((*path, 0))}, not {part!r}"
        )
    else:
        raise ConfigError(f"{dotted(path)} is no list: [{part}] does not exist")
