"""`extends: base.yaml`: a configuration that says only how it differs from other files."""

import os
from collections.abc import Callable
from pathlib import Path

from nettrain.config.fields import annotation_at, is_kind, without_null
from nettrain.config.key_path import KeyPath
from nettrain.config.messages import place_of, show
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document, forget
from nettrain.errors import ConfigError
from nettrain.files import absolute_path, is_path

Read = Callable[[Path], Document]
MAX_FILES = 100  # two names per file would else make a million reads of twenty small files


def inherit(document: Document, folder: Path, read: Read, chain: tuple[Path, ...] = ()) -> Document:
    """Return the document with what it extends filled in.

    Mappings are merged, everything else is replaced, lists too. A component that changes its `type`
    loses its old keys, and a mapping over a bare name (`optimizer: adam`) adds keys to that
    component. Of several files the later wins. Every value keeps its own place.

    Args:
        document: what was read.
        folder: where its relative paths count from.
        read: reads another file.
        chain: the files that led here.

    Raises:
        ConfigError: a file that cannot be read, or that extends itself; too many files.
    """
    return _inherit(document, folder, _Counted(read), chain)


class _Counted:
    """Reads files, and counts them."""

    def __init__(self, read: Read) -> None:
        self._read, self._count = read, 0

    def __call__(self, path: Path) -> Document:
        self._count += 1
        if self._count > MAX_FILES:
            raise ConfigError(
                f"{path}: `extends` leads to more than {MAX_FILES} files; extend fewer"
            )
        return self._read(path)


def _inherit(document: Document, folder: Path, read: Read, chain: tuple[Path, ...]) -> Document:
    if not isinstance(document.value, dict) or "extends" not in document.value:
        return document
    names = document.value.pop("extends")
    merged = Document({})
    for index, name in enumerate(names if isinstance(names, list) else [names]):
        where = f"{place_of(('extends', index), document.places)}: extends: ".removeprefix(": ")
        if not isinstance(name, str) or not name or not is_path(name):
            raise ConfigError(f"{where}expected a YAML file or a list of them, got {show(name)}")
        path = absolute_path(name, folder)
        real = Path(os.path.realpath(path))  # Path.resolve fails where links go in circles
        if real in chain:
            circle = " -> ".join(file.name for file in (*chain, path))
            raise ConfigError(
                f"{where}circular `extends` ({circle}); a configuration cannot extend itself"
            )
        try:
            base = read(path)
        except ConfigError as error:  # a problem without a line gets the line of this key
            no_line = f"{path}: "
            raise ConfigError(
                [where + line if line.startswith(no_line) else line for line in error.problems]
            ) from None
        merged = over(merged, _inherit(base, path.parent, read, (*chain, real)))
    return over(merged, document)


def over(base: Document, document: Document) -> Document:
    """Return one document over another, merged as `inherit` says; the base is used up."""
    places = dict(base.places)
    merged = Document(
        base.value,
        places,
        base.problems + document.problems,
        base.folders | document.folders,
        base.incomplete | document.incomplete,
    )
    merged.value = _merge(merged, base.value, document.value, ())
    places |= {path: place for path, place in document.places.items() if path[:1] != ("extends",)}
    return merged


def _merge(merged: Document, old: object, new: object, path: KeyPath) -> object:
    if isinstance(old, str) and isinstance(new, dict):
        old = _expanded(merged, old, path)
    if (
        not isinstance(old, dict)
        or not isinstance(new, dict)
        or ("type" in new and new["type"] != old.get("type", new["type"]))
    ):
        forget(merged, path)
        return new
    for key, value in new.items():
        old[key] = _merge(merged, old[key], value, (*path, key)) if key in old else value
    return old


def _expanded(merged: Document, name: str, path: KeyPath) -> object:
    """The mapping that a bare name stands for."""
    field = annotation_at(RunConfig, merged.value, path)
    cls = without_null(field.annotation) if field and field.path == path else None
    return cls.expand_shorthand(name) if cls is not None and is_kind(cls) else name
