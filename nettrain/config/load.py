"""From a file, a mapping or a RunConfig to a validated RunConfig: read, overridden, checked, every problem told at once."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from nettrain.component import adapter, to_mapping
from nettrain.config import messages
from nettrain.config.checks import problems
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.config.extends import inherit
from nettrain.config.key_path import KeyPath, join, parse
from nettrain.config.overrides import override
from nettrain.config.plugins import Plugin, in_use, listed, settled
from nettrain.config.run_config import DatasetConfig, RunConfig
from nettrain.config.yaml_text import Document, read
from nettrain.data.source import Source
from nettrain.errors import ConfigError, nearest

R = TypeVar("R", bound=RunConfig)


def load(
    config: str | os.PathLike[str] | Mapping[str, object] | RunConfig,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
) -> RunConfig:
    """A complete, valid RunConfig. `sets` are overrides as `--set` takes them: "optimizer.lr=0.01".

    Paths in it become absolute: relative ones count from the folder of the file they stand in, in a mapping and in `sets` from the current
    one. A name that is absent is the file's stem, or "run". Raises one ConfigError that lists every problem.
    allow_plugins  whether the Python files under `plugins` may be imported; the result's components may then be used inside `in_use` only
    """
    return _loaded(config, RunConfig, sets, allow_plugins)


def load_ensemble(
    config: str | os.PathLike[str] | Mapping[str, object] | EnsembleRun,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
) -> EnsembleRun:
    """`load` of a configuration that may have the key `ensemble`."""
    return _loaded(config, EnsembleRun, sets, allow_plugins)


def _loaded(
    config: str | os.PathLike[str] | Mapping[str, object] | RunConfig,
    record: type[R],
    sets: Sequence[str],
    allow_plugins: bool,
) -> R:
    if isinstance(config, RunConfig | Mapping):
        # A dataclass built in Python has not been validated.
        document = inherit(Document(plain(config), {(): ""}), Path.cwd(), document_at)
        return _validated(document, record, sets, Path.cwd(), "run", allow_plugins)
    path = Path(config)
    return _validated(_whole(path), record, sets, path.absolute().parent, path.stem, allow_plugins)


def load_document(
    document: Document,
    folder: Path,
    default_name: str,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
) -> RunConfig:
    """`load` of what has been read already, such as a part of another file; `folder` is where relative paths without a file count from."""
    return _validated(
        inherit(document, folder, document_at), RunConfig, sets, folder, default_name, allow_plugins
    )


@contextmanager
def located(path: Path, sets: Sequence[str]) -> Iterator[None]:
    """Inside, a ConfigError of what comes after loading (`model: layer 2 does not fit`) gets the line where that key stands."""
    try:
        yield
    except ConfigError as error:
        document = _whole(path)
        override(document, EnsembleRun, sets)
        raise ConfigError(
            [_located(problem, document.places) for problem in error.problems]
        ) from None


def _located(problem: str, places: Mapping[KeyPath, str]) -> str:
    path = parse(problem.partition(": ")[0])
    if path is None or path[0] not in {field.name for field in dataclasses.fields(EnsembleRun)}:
        return problem
    return f"{messages.place_of(path, places)}: {problem}"


def plain(value: object) -> object:
    """Python values as YAML would give them: components as mappings, paths as texts, NumPy numbers as numbers."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(to_mapping(value)) if dataclasses.is_dataclass(value) else value


def _whole(path: Path) -> Document:
    """A file with all that it extends."""
    return inherit(document_at(path), path.parent, document_at, (path.resolve(),))


def document_at(path: Path) -> Document:
    """A file's values and places, not yet validated. Raises ConfigError where it holds no mapping."""
    document = read(_text(path), lambda line: f"{path}:{line}")
    document.folders[str(path)] = path.absolute().parent
    if document.value is None and not document.problems:
        raise ConfigError(
            f"{path}: is empty; a configuration has at least the keys dataset and model"
        )
    if not isinstance(document.value, dict):
        raise ConfigError(
            f"{path}: expected a mapping with keys such as dataset and model, got {messages.show(document.value)}"
        )
    return document


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{path}: does not exist{_nearby(path)}") from None
    except IsADirectoryError:
        inside = path / "config.yaml"
        raise ConfigError(
            f"{path}: is a folder, not a YAML file{f'; did you mean {str(inside)!r}?' if inside.is_file() else ''}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    except ValueError as error:  # a path with a NUL character
        raise ConfigError(f"{str(path)!r}: {error}") from None


def _nearby(path: Path) -> str:
    """The YAML file with the nearest name in the same folder, or that the folder itself is absent."""
    folder = path.parent
    if not folder.is_dir():
        return f"; nor does the folder {str(folder)!r}"
    known = {
        file.name: str(folder / file.name)
        for file in folder.iterdir()
        if file.suffix in (".yaml", ".yml")
    }
    hint = nearest(path.name, known) or nearest(f"{path.name}.yaml", known)
    for name, full in known.items():
        hint = hint.replace(repr(name), repr(full))
    return hint


def _validated(
    document: Document,
    record: type[R],
    sets: Sequence[str],
    folder: Path,
    default_name: str,
    allow_plugins: bool,
) -> R:
    override(document, record, sets)
    if record is RunConfig and isinstance(document.value, dict) and "ensemble" in document.value:
        del document.value["ensemble"]
        message = "this configuration is of several networks: run it with `nettrain ensemble`, or leave this key out"
        document.problems.append(
            join(messages.place_of(("ensemble",), document.places), ("ensemble",), message)
        )
    folder_of = partial(_folder_of, document, folder)
    plugins = _plugins(document, folder_of, allow_plugins)
    with in_use(plugins):
        config = _checked(document, record)
    dataset = _absolute(config.dataset, lambda path: folder_of(("dataset", *path)))
    initial = config.initialize_from and config.initialize_from.absolute(
        folder_of(("initialize_from", "run"))
    )
    return dataclasses.replace(
        config,
        name=config.name or default_name,
        plugins=plugins,
        dataset=dataset,
        initialize_from=initial,
    )


def plugins_of(path: Path, *, allow_plugins: bool) -> tuple[Plugin, ...]:
    """The plugins that a file names, imported, whatever else stands in it."""
    document = _whole(path)
    return _plugins(document, partial(_folder_of, document, path.absolute().parent), allow_plugins)


def _folder_of(document: Document, folder: Path, path: KeyPath) -> Path:
    """Where a relative path that stands at a key path counts from: the folder of its file, or the one in which `--set` was typed."""
    place = messages.place_of(path, document.places)
    file, _, _ = place.rpartition(":")
    return document.folders.get(place) or document.folders.get(file, folder)


def _plugins(
    document: Document, folder_of: Callable[[KeyPath], Path], allow_plugins: bool
) -> tuple[Plugin, ...]:
    try:
        return settled(
            listed(document.value),
            lambda place: folder_of(("plugins", place)),
            allowed=allow_plugins,
        )
    except ConfigError as error:
        raise ConfigError(
            document.problems + [_located(problem, document.places) for problem in error.problems]
        ) from None


def _checked(document: Document, record: type[R]) -> R:
    try:
        config: R = adapter(record).validate_python(document.value)  # type: ignore[arg-type]  # a class is hashable
    except ValidationError as error:
        raise ConfigError(
            document.problems + messages.lines(error, record, document.value, document.places)
        ) from None
    found = [
        join(messages.place_of(path, document.places), path, message)
        for path, message in problems(config)
    ]
    if document.problems or found:
        raise ConfigError(document.problems + found)
    return config


def _absolute(dataset: DatasetConfig, folder_of: Callable[[KeyPath], Path]) -> DatasetConfig:
    def absolute(key: str) -> Source | None:
        """Each of the source's paths counts from the file that says it, which need not be the same for all."""
        source: Source | None = getattr(dataset, key)
        if source is None:
            return None
        folders = {field.name: folder_of((key, field.name)) for field in dataclasses.fields(source)}  # type: ignore[arg-type]
        found = {folder: source.absolute(folder) for folder in folders.values()}
        return source.replace(
            **{name: getattr(found[folder], name) for name, folder in folders.items()}
        )

    sources = {key: absolute(key) for key in ("source", "validation_source", "test_source")}
    weights = dataset.weights and str(folder_of(("weights",)) / Path(dataset.weights).expanduser())
    split = dataset.split.absolute(lambda key: folder_of(("split", key)))
    return dataclasses.replace(dataset, weights=weights, split=split, **sources)  # type: ignore[arg-type]
