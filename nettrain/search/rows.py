"""The rows of a configuration, before they are divided again: into folds, or bootstrap samples."""

from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.divide import load_data
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.training.build import data_seed, target_requirements


def rows_of_config(config: RunConfig, loader: Loader, group: str | None = None) -> LoadedData:
    """All rows, and those of each part as `fit` would have them.

    Args:
        config: The configuration of a run.
        loader: Remembers what other runs have loaded.
        group: A group column to keep in place of `dataset.split.group`.

    Raises:
        ConfigError: Keys contradict each other, or do not fit the data.
        DataError: The data cannot be read or used.
    """
    with in_use(config.plugins):
        return load_data(
            config.dataset,
            data_seed(config),
            requirements=target_requirements(config.loss),
            loader=loader,
            group=group,
        )
