"""From a file, a mapping or a RunConfig to a validated one; all problems are reported at once."""

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
from nettrain.config.file import document_at, refuse_sweep, whole
from nettrain.config.key_path import KeyPath, join, parse
from nettrain.config.model_settings import with_model_settings
from nettrain.config.overrides import Override, apply, current_folder, override, parsed
from nettrain.config.plugins import Plugin, in_use, listed, settled
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.source import Source
from nettrain.errors import ConfigError
from nettrain.files import absolute_path

R = TypeVar("R", bound=RunConfig)


def load(
    config: str | os.PathLike[str] | Mapping[str, object] | RunConfig,
    sets: Sequence[str | Override] = (),
    *,
    allow_plugins: bool = False,
) -> RunConfig:
    """Return a complete, valid RunConfig.

    Its paths are absolute: relative ones count from the folder of the file they stand in, in a
    mapping and in `sets` from the current directory. A missing name is the file's stem, or "run".

    Args:
        config: a YAML file, a mapping of the same form, or a RunConfig.
        sets: overrides as `--set` takes them, "optimizer.lr=0.01", or as Python values.
        allow_plugins: whether the Python files under `plugins` may be imported; the components of
            the result may then be used inside `in_use` only.

    Raises:
        ConfigError: one error that lists every problem.
    """
    return _loaded(config, RunConfig, sets, allow_plugins)


def load_ensemble(
    config: str | os.PathLike[str] | Mapping[str, object] | EnsembleRun,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
) -> EnsembleRun:
    """Do the same for a configuration that may have the key `ensemble`."""
    return _loaded(config, EnsembleRun, sets, allow_plugins)


def _loaded(
    config: str | os.PathLike[str] | Mapping[str, object] | RunConfig,
    record: type[R],
    sets: Sequence[str | Override],
    allow_plugins: bool,
) -> R:
    if isinstance(config, RunConfig | Mapping):
        # A dataclass built in Python has not been validated.
        folder = current_folder() or Path("/")
        document = inherit(Document(plain(config), {(): ""}), folder, document_at)
        refuse_sweep(document, None)
        return _validated(document, record, sets, folder, "run", allow_plugins)
    path = Path(config)
    document = whole(path)
    refuse_sweep(document, path)
    name = path.stem.encode(errors="surrogateescape").decode(errors="replace")
    return _validated(document, record, sets, path.absolute().parent, name, allow_plugins)


def load_document(
    document: Document,
    folder: Path,
    default_name: str,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
) -> RunConfig:
    """Do the same for what has been read already, such as a part of another file.

    Args:
        document: the values and their places.
        folder: where relative paths count from that stand in no file.
        default_name: of a run without a name.
        sets: overrides.
        allow_plugins: as in `load`.
    """
    return _validated(
        inherit(document, folder, document_at), RunConfig, sets, folder, default_name, allow_plugins
    )


@contextmanager
def located(path: Path | Mapping[str, object], sets: Sequence[str]) -> Iterator[None]:
    """Inside, a ConfigError from after loading gets the line where its key stands in a file."""
    try:
        yield
    except ConfigError as error:
        if not isinstance(path, Path):
            raise
        document = whole(path)
        override(document, EnsembleRun, sets)
        raise ConfigError(
            [_located(problem, document.places) for problem in error.problems]
        ) from None


def _located(problem: str, places: Mapping[KeyPath, str]) -> str:
    path = parse(problem.partition(": ")[0])
    if path is None or path[0] not in {field.name for field in dataclasses.fields(EnsembleRun)}:
        return problem
    place = messages.place_of(path, places)
    return f"{place}: {problem}" if place else problem


def plain(value: object) -> object:
    """Python values as YAML has them: components as mappings, paths as strings."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(to_mapping(value)) if dataclasses.is_dataclass(value) else value


def _validated(
    document: Document,
    record: type[R],
    sets: Sequence[str | Override],
    folder: Path,
    default_name: str,
    allow_plugins: bool,
) -> R:
    changes = parsed(document, sets)
    document = with_model_settings(document, record, changes)
    apply(document, record, changes)
    if record is RunConfig and isinstance(document.value, dict) and "ensemble" in document.value:
        del document.value["ensemble"]
        message = (
            "this is the configuration of an ensemble: run it with `nettrain ensemble`, "
            "or leave this key out"
        )
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
    document = whole(path)
    return _plugins(document, partial(_folder_of, document, path.absolute().parent), allow_plugins)


def _folder_of(document: Document, folder: Path, path: KeyPath) -> Path:
    """Where a relative path counts from: the folder of its file, or where `--set` was typed."""
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
        config: R = adapter(record).validate_python(document.value)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigError(
            document.problems
            + messages.lines(error, record, document.value, document.places, document.incomplete)
        ) from None
    contradictions = [
        join(messages.place_of(path, document.places), path, message)
        for path, message in problems(config)
    ]
    if document.problems or contradictions:
        raise ConfigError(document.problems + contradictions)
    return config


def _absolute(dataset: DatasetConfig, folder_of: Callable[[KeyPath], Path]) -> DatasetConfig:
    def absolute(key: str) -> Source | None:
        """A source whose paths each count from the file that they stand in."""
        source: Source | None = getattr(dataset, key)
        if source is None:
            return None
        folders = {field.name: folder_of((key, field.name)) for field in dataclasses.fields(source)}  # type: ignore[arg-type]
        by_folder = {folder: source.absolute(folder) for folder in folders.values()}
        return source.replace(
            **{name: getattr(by_folder[folder], name) for name, folder in folders.items()}
        )

    sources = {key: absolute(key) for key in ("source", "validation_source", "test_source")}
    weights = dataset.weights and str(absolute_path(dataset.weights, folder_of(("weights",))))
    split = dataset.split.absolute(lambda key: folder_of(("split", key)))
    return dataclasses.replace(dataset, weights=weights, split=split, **sources)  # type: ignore[arg-type]
