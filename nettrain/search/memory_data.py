"""Rows in memory as the data of a search: kept in its directory for all its processes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from nettrain.component import adapter
from nettrain.config.run_config import RunConfig
from nettrain.data.dataset_file import write_dataset
from nettrain.data.in_memory import Data, dataset_in_memory
from nettrain.data.source import Source
from nettrain.search.directory import NewDirectory

FILE = "data.npz"
IN_MEMORY = "dataset.source=memory"  # an override, for configurations that name no source

R = TypeVar("R", bound=RunConfig)


def data_overrides(data: Data | None) -> Sequence[str]:
    """What is set in a configuration that is loaded for such data."""
    return () if data is None else (IN_MEMORY,)


def with_data(config: R, data: Data | None, directory: NewDirectory) -> R:
    """The configuration with rows in memory as its source, written into the directory.

    Args:
        config: A configuration.
        data: Arrays or DataFrames as `nettrain.train` takes them; None: its own source.
        directory: That of the search.

    Raises:
        DataError: The data is not what `nettrain.train` takes.
    """
    if data is None:
        return config
    path = directory.path / FILE
    write_dataset(path, dataset_in_memory(data, autoencoder=config.dataset.target == "self"))
    source = adapter(Source).validate_python({"type": "memory", "path": str(path)})
    return replace(config, dataset=replace(config.dataset, source=source))
