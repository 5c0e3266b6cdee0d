"""From sources to raw rows whose task is known; a loader remembers what it has read."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nettrain.component import to_mapping
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.features import Features
from nettrain.data.fingerprint import fingerprint
from nettrain.data.images import largest_pixel, notes_on_axes
from nettrain.data.in_memory import Data, dataset_in_memory, with_extra_columns
from nettrain.data.loaded_data import LoadedData
from nettrain.data.missing_target import with_complete_target
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.task import TargetRequirements, check_repeated_classes, check_values, resolve
from nettrain.errors import ConfigError, DataError, nearest
from nettrain.streams import generator

KEPT = 4  # datasets that a loader remembers, so that a search over sources does not fill the memory


class Loader:
    """Loads a source when it is first asked for, and remembers its rows.

    Rows are found again by all that decides them: the keys of their source, the seed, and the extra
    columns. A process that makes many runs keeps one loader for its life. If a file changes
    meanwhile, the loader does not notice.

    Args:
        many_runs: Whether the process makes further runs, so that loading compiled kernels pays.

    Attributes:
        about_to_load: Called before anything is read.
        keep: Takes rows that were loaded, and returns those that are remembered.
    """

    def __init__(self, *, many_runs: bool = True) -> None:
        self.many_runs = many_runs
        self.about_to_load: Callable[[], None] = lambda: None
        self.keep: Callable[[Dataset], Dataset] = lambda dataset: dataset
        self._kept: OrderedDict[str, tuple[Dataset, dict[str, LoadedData]]] = OrderedDict()

    def load(
        self,
        config: DatasetConfig,
        seed: int,
        *,
        data: Data | None = None,
        requirements: TargetRequirements | None = None,
        extra_columns: tuple[str, ...] = (),
    ) -> LoadedData:
        """Load all rows of a run. Until they are divided, all are rows to train on.

        Args:
            config: The `dataset` section.
            seed: Of generated rows.
            data: (x, y) or (x, y, row weights), arrays or DataFrames, in place of `config.source`.
                They are not remembered.
            requirements: What the loss requires of the target; None: anything is fine.
            extra_columns: Columns to keep that are neither feature nor target.

        Raises:
            ConfigError: The loss does not fit the target.
            DataError: The data cannot be read or used.
        """
        if data is not None:
            dataset = dataset_in_memory(data, autoencoder=config.target == "self")
            dataset = with_extra_columns(dataset, extra_columns)
            loaded = _settle(dataset, config, seed, requirements)
        else:
            loaded = self._remembered(config, seed, requirements, extra_columns)
        if requirements is not None and loaded.schema.task == "regression":
            for dataset in (loaded.dataset, *loaded.separate_parts.values()):
                check_values(dataset, requirements)
        return loaded

    def _remembered(
        self,
        config: DatasetConfig,
        seed: int,
        requirements: TargetRequirements | None,
        extra_columns: tuple[str, ...],
    ) -> LoadedData:
        """Losses that require different tasks of the same rows share the rows, not the task."""
        source, autoencoder = config.source, config.target == "self"
        rows = _key(source, seed, extra_columns, autoencoder)
        if rows not in self._kept:
            self.about_to_load()
            load = source.load_inputs if autoencoder else source.load
            self._kept[rows] = (self.keep(load(seed, extra_columns)), {})
        self._kept.move_to_end(rows)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        dataset, settled = self._kept[rows]
        separate = _separate_sources(config)
        required = None if requirements is None else (requirements.loss, requirements.tasks)
        key = _key(separate, required, config.missing_target, config.positive)
        if key not in settled:
            if separate:
                self.about_to_load()
            settled[key] = _settle(dataset, config, seed, requirements)
        return settled[key]


def _key(*decides: object) -> str:
    return json.dumps(to_mapping(decides))


def _separate_sources(config: DatasetConfig) -> dict[str, Source]:
    sources = {"validation": config.validation_source, "test": config.test_source}
    return {part: source for part, source in sources.items() if source is not None}


def _settle(
    dataset: Dataset, config: DatasetConfig, seed: int, requirements: TargetRequirements | None
) -> LoadedData:
    """Decide the task, and load the parts that have a source of their own in the same form."""
    if config.target == "self":
        schema = _autoencoder_schema(dataset, requirements)
        notes = ["target: the inputs themselves, after the transforms (autoencoder)"]
    else:
        dataset = with_complete_target(dataset, config.missing_target)
        dataset, schema, notes = _with_task(dataset, requirements)
        positive, said = _positive(dataset, schema, config.positive)
        schema, notes = replace(schema, positive=positive), [*notes, *said]
    separate = {}
    for part, source in _separate_sources(config).items():
        # A seed of its own: a generated validation part must not repeat the training rows.
        own_seed = int(generator(seed, "separate", PARTS.index(part)).integers(2**31))
        own = source.load_for(schema, with_target=not schema.autoencoder, seed=own_seed)
        separate[part] = with_complete_target(own, config.missing_target)
    notes = [*notes_on_axes(dataset.features), *notes]
    datasets = (dataset, *separate.values())
    read = dict.fromkeys(note for dataset in datasets for note in dataset.notes)
    rows = {"train": np.arange(len(dataset))}
    rows |= {part: np.arange(len(own)) for part, own in separate.items()}
    digest = fingerprint(datasets)
    return LoadedData(dataset, separate, rows, schema, digest, (*read, *notes))


def _with_task(
    dataset: Dataset, requirements: TargetRequirements | None
) -> tuple[Dataset, Schema, list[str]]:
    """The dataset with its target in the form of its task, its schema, and what was decided."""
    if dataset.target is None:
        raise DataError(f"{dataset.origin}: there is no target in it to train on")
    task, target, notes = resolve(dataset.target, requirements)
    dataset = replace(dataset, target=target)
    check_repeated_classes(dataset)
    features = dataset.features
    schema = Schema(
        features.numbers.shape[1:],
        features.names,
        tuple(features.categories),
        task,
        target.names,
        target.classes,
        label_type=target.label_type or "string",
        largest=_largest(features),
        formats=dataset.formats,
    )
    return dataset, schema, notes


def _positive(
    dataset: Dataset, schema: Schema, named: str | int | bool | None
) -> tuple[str | None, list[str]]:
    """The positive of two classes, and why: the named one, or the rarer. None: there are not two.

    Raises:
        ConfigError: There are not two classes, or none of this name.
    """
    two = schema.task == "classification" and len(schema.classes or ()) == 2
    if named is None:
        if not two or dataset.target is None:
            return None, []
        counts = np.bincount(dataset.target.values[dataset.target.values >= 0], minlength=2)
        code = int(counts[1] <= counts[0])
        positive = (schema.classes or ())[code]
        why = "the rarer" if counts[0] != counts[1] else "the second, both being equally frequent"
        note = (
            f"positive class: {positive!r}, {why} ({counts[code]:,} of {counts.sum():,} rows); set "
            "`dataset.positive` to name the other"
        )
        return positive, [note]
    if not two:
        what = schema.task if schema.classes is None else f"{len(schema.classes)} classes"
        raise ConfigError(
            f"dataset.positive: one of two classes can be the positive one, here is {what}; leave "
            "it out"
        )
    classes = schema.classes or ()
    text = str(int(named)) if isinstance(named, bool) and str(named) not in classes else str(named)
    if text not in classes:
        raise ConfigError(
            f"dataset.positive: no class {text!r}{nearest(text, classes)} (there are: "
            f"{', '.join(classes)})"
        )
    return text, [f"positive class: {text!r} (dataset.positive)"]


def _autoencoder_schema(dataset: Dataset, requirements: TargetRequirements | None) -> Schema:
    """The columns; the targets are named once the transforms have made the inputs."""
    features = dataset.features
    if requirements is not None and "regression" not in requirements.tasks:
        raise ConfigError(
            f"loss: {requirements.loss} is for {' or '.join(requirements.tasks)}, but with "
            "`target: self` the targets are numbers, the inputs; use `loss: mse`"
        )
    return Schema(
        features.numbers.shape[1:],
        features.names,
        tuple(features.categories),
        "regression",
        (),
        None,
        autoencoder=True,
        largest=_largest(features),
        formats=dataset.formats,
    )


def _largest(features: Features) -> float | None:
    return largest_pixel(features.numbers) if features.numbers.ndim > 2 else None
