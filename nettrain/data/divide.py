"""Raw rows divided into the parts that train, validate and test."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from nettrain.data.arrays import weights_from
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.default_split import settle_split
from nettrain.data.fingerprint import fingerprint
from nettrain.data.in_memory import Data
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.data.readers.arrays import read_npy
from nettrain.data.split import Rows, check_split
from nettrain.data.split_file import rows_in_file
from nettrain.data.split_rows import limit_rows, split_rows
from nettrain.data.task import TargetRequirements
from nettrain.errors import ConfigError


def load_data(
    config: DatasetConfig,
    seed: int,
    *,
    data: Data | None = None,
    requirements: TargetRequirements | None = None,
    loader: Loader | None = None,
    group: str | None = None,
) -> LoadedData:
    """Load the raw rows of a run and divide them into parts, as its configuration and seed say.

    Args:
        config: The `dataset` section.
        seed: Of the split, of `limit`, and of generated rows.
        data: (x, y) or (x, y, row weights), arrays or DataFrames, in place of `config.source`.
        requirements: What the loss requires of the target; None: anything is fine.
        loader: Remembers the sources that other runs have loaded.
        group: A group column in place of `config.split.group`. It is kept, and divides nothing.

    Raises:
        ConfigError: Keys contradict each other, or do not fit the data.
        DataError: The data cannot be read or used.
    """
    split = config.split
    separate = {"validation": config.validation_source, "test": config.test_source}
    check_split(split, tuple(part for part, source in separate.items() if source is not None))
    named = dict.fromkeys((*split.columns, group))
    loaded = (loader or Loader()).load(
        config,
        seed,
        data=data,
        requirements=requirements,
        extra_columns=tuple(name for name in named if name is not None),
    )
    if config.weights is not None:
        loaded = _weighted(loaded, config.weights)
    return _divided(loaded, config, seed)


def _weighted(loaded: LoadedData, path: str) -> LoadedData:
    """The rows with the weights of an npy file, times their own; their fingerprint is another."""
    dataset = loaded.dataset
    weights = weights_from(read_npy(Path(path)), len(dataset), path)
    if dataset.weights is not None:
        weights = weights * dataset.weights
    dataset = replace(dataset, weights=weights)
    digest = fingerprint((dataset, *loaded.separate_parts.values()))
    return replace(loaded, dataset=dataset, fingerprint=digest)


def _divided(loaded: LoadedData, config: DatasetConfig, seed: int) -> LoadedData:
    dataset, separate = loaded.dataset, loaded.separate_parts
    split, note = settle_split(config.split, dataset, separate)
    if split.file is not None:
        rows = rows_in_file(split.file, dataset, separate)
    else:
        rows = split_rows(dataset, split, seed)
        for part, own in separate.items():
            if part in rows:
                raise ConfigError(
                    f"dataset.{part}_source: {dataset.origin} has a predefined {part} part, which "
                    "is used; leave this key out"
                )
            rows[part] = np.arange(len(own))
    if config.limit is not None:
        rows = limit_rows(rows, config.limit, seed)
    rows = {part: rows[part] for part in PARTS if part in rows}
    notes = [*loaded.notes, *([note] if note else [])]
    if split.group is not None:
        shared = {part: chosen for part, chosen in rows.items() if part not in separate}
        notes.append(_counted_groups(dataset, shared, split.group))
    notes.append("rows: " + ", ".join(f"{part} {len(chosen)}" for part, chosen in rows.items()))
    return replace(loaded, split=split, rows=rows, notes=tuple(notes))


def _counted_groups(dataset: Dataset, rows: Rows, column: str) -> str:
    codes = dataset.extra_columns[column].codes
    counts = {part: len(np.unique(codes[chosen])) for part, chosen in rows.items()}
    listed = ", ".join(f"{part} {count}" for part, count in counts.items())
    return f"groups of {column!r}: {listed}"
