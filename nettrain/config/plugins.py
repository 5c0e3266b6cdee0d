"""Components of a user's own: Python files that a configuration names, imported only if allowed.

The process keeps the imported module (in `sys.modules`, by path and content, so that a file is
imported once) and pydantic's validators of its classes, but not the names: a configuration finds
them inside `in_use` only.
"""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from nettrain.component import Component, Record, Text, built_in, plugged
from nettrain.errors import ConfigError, NettrainError, PluginError
from nettrain.files import absolute_path, read_bytes


@dataclass(frozen=True, kw_only=True)
class Plugin(Record):
    """A Python file that defines components: the classes in it that derive from a kind."""

    path: Annotated[Text, Field(description="Python file, relative to the config")]
    fingerprint: Annotated[
        Text | None, Field(description="of its content when the run began; null: taken now")
    ] = None


def _expand(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


Plugins = Annotated[
    tuple[Annotated[Plugin, BeforeValidator(_expand, json_schema_input_type=Text | Plugin)], ...],
    Field(
        description="Python files with components of your own; imported only with --allow-plugins",
        examples=[["my_layers.py"]],
    ),
]


def listed(value: object) -> tuple[Plugin, ...]:
    """The plugins of a configuration that is not validated yet; none if the list is wrong."""
    if not isinstance(value, dict) or not value.get("plugins"):
        return ()
    try:
        found: tuple[Plugin, ...] = TypeAdapter(Plugins).validate_python(value["plugins"])
    except ValidationError:
        return ()
    return found


def settled(
    plugins: Sequence[Plugin], folder_of: Callable[[int], Path], *, allowed: bool
) -> tuple[Plugin, ...]:
    """Import plugins; return them with absolute paths and fingerprints.

    Args:
        plugins: what the configuration names.
        folder_of: returns the folder that the path of each counts from.
        allowed: whether the user has allowed it.

    Raises:
        ConfigError: begins with the plugin's key path; without permission, or if a file is
            missing, fails, has changed, or defines no component or one that exists already.
    """
    if plugins and not allowed:
        files = ", ".join(plugin.path for plugin in plugins)
        raise ConfigError(
            f"plugins: {files}: this is Python code, and a configuration may not run code unless "
            "you say so: read it, then add --allow-plugins (from Python: allow_plugins=True)"
        )
    found: list[Plugin] = []
    names: dict[tuple[str, str], str] = {}
    for place, plugin in enumerate(plugins):
        try:
            found.append(_settled(plugin, folder_of(place)))
            _check_names(found[-1], names)
        except ConfigError as error:
            raise ConfigError(f"plugins[{place}]: {error}") from None
    return tuple(found)


@contextmanager
def in_use(plugins: Sequence[Plugin]) -> Iterator[None]:
    """Inside, these plugins' components have names and failures of their code are described."""
    with (
        plugged(
            cls for plugin in plugins for cls in _components(plugin.path, plugin.fingerprint or "")
        ),
        described_failures(plugins),
    ):
        yield


@contextmanager
def described_failures(plugins: Sequence[Plugin]) -> Iterator[None]:
    """Inside, an exception in the code of a plugin becomes a PluginError of a few lines."""
    try:
        yield
    except NettrainError:
        raise
    except Exception as error:
        for plugin in plugins:
            if described := _short(error, plugin.path):
                raise PluginError(described) from error
        raise


def _settled(plugin: Plugin, folder: Path) -> Plugin:
    path = absolute_path(plugin.path, folder).resolve()
    try:
        fingerprint = hashlib.blake2b(read_bytes(path), digest_size=16).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        ) from None
    if plugin.fingerprint not in (None, fingerprint):
        raise ConfigError(
            f"{path}: has changed since the run began (its fingerprint differs): "
            "put the old file back, or train again"
        )
    return replace(plugin, path=str(path), fingerprint=fingerprint)


def _check_names(plugin: Plugin, names: dict[tuple[str, str], str]) -> None:
    for cls in _components(plugin.path, plugin.fingerprint or ""):
        key = (cls.kind, cls.name())
        kind = next(base for base in cls.__mro__ if "kind" in base.__dict__)
        other = "nettrain's own" if cls.name() in built_in(kind) else names.get(key)
        if other:
            taken = f"the {cls.kind} {cls.name()!r} exists already ({other})"
            raise ConfigError(f"{plugin.path}: {taken}; give class {cls.__name__} another name")
        names[key] = plugin.path


@cache
def _components(path: str, fingerprint: str) -> tuple[type[Component], ...]:
    """The component classes of a file; a changed fingerprint means a new import."""
    module = _module(path, fingerprint)
    found = []
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Component)
            and value.__module__ == module.__name__
        ):
            if value.__name__.startswith("_") or "kind" in value.__dict__:
                continue
            _check_class(value, path)
            _check_renamed(value, path)
            found.append(value)
    if not found:
        raise ConfigError(
            f"{path}: defines no component: a class that derives from a kind, "
            "such as nettrain.Layer"
        )
    return tuple(found)


def _check_class(cls: type[Component], path: str) -> None:
    if (
        not is_dataclass(cls)
        or "__dataclass_fields__" not in cls.__dict__
        or not cls.__dataclass_params__.frozen
    ):
        raise ConfigError(
            f"{path}: class {cls.__name__}: put @dataclass(frozen=True, kw_only=True) above it"
        )
    if inspect.isabstract(cls):
        lacking = ", ".join(sorted(cls.__abstractmethods__))
        raise ConfigError(
            f"{path}: class {cls.__name__} lacks {lacking} "
            "(the name of a mere base class begins with an underscore)"
        )
    if any(field.name == "type" for field in fields(cls)):
        raise ConfigError(
            f"{path}: class {cls.__name__}: a field cannot be called 'type', "
            "which names the component"
        )


# Old names of the plugin API by kind, which nothing calls any more, and the new ones.
_RENAMED: dict[str, dict[str, str]] = {
    "layer": {
        "rows_apart": "independent_rows",
        "before": "with_next_activation",
        "least_rows": "min_batch_size",
        "field": "receptive_field",
        "ways": "bind_branches",
    },
    "loss": {"contains": "applies_activation", "flaw": "validate_targets"},
    "augmentation": {"flaw": "validate_size"},
    "optimizer": {"beside": "required_settings"},
    "transform": {"by_portions": "by_chunks"},
}


def _check_renamed(cls: type[Component], path: str) -> None:
    """Raises ConfigError for a method under an old name, which would never be called."""
    keys = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    own = {name for base in cls.__mro__ if base.__module__ == cls.__module__ for name in vars(base)}
    renamed = {
        old: new
        for old, new in _RENAMED.get(cls.kind, {}).items()
        if old in own and old not in keys
    }
    if renamed:
        changes = ", ".join(f"'{old}' is now called '{new}'" for old, new in renamed.items())
        raise ConfigError(f"{path}: class {cls.__name__}: {changes}; rename it in the plugin")


class _Loader(SourceLoader):
    """Imports text from a file without a bytecode cache, which could be older than the text."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        return read_bytes(self._path)


def _module(path: str, fingerprint: str) -> ModuleType:
    """The file as a module, kept in `sys.modules`, where dataclasses and pydantic look it up."""
    digest = hashlib.blake2b(f"{path} {fingerprint}".encode(), digest_size=8).hexdigest()
    name = f"nettrain_plugin_{digest}"
    spec = spec_from_loader(name, _Loader(path), origin=path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigError(
            _short(error, path) or f"{path}: {type(error).__name__}: {error}"
        ) from None
    return module


def _short(error: BaseException, path: str) -> str | None:
    """The error and the lines of the plugin that led to it; None if it comes from elsewhere."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path
    ]
    lines = [
        f"  {frame.filename}:{frame.lineno}, in {frame.name}: {frame.line}" for frame in frames[-5:]
    ]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines.append(f"  {path}:{error.lineno}: {(error.text or '').strip()}")
    if not lines:
        return None
    message = error.msg if isinstance(error, SyntaxError) else error
    return "\n".join(
        [
            f"{path}: {type(error).__name__}: {message}",
            *lines,
        ]
    )
