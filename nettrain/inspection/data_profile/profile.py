"""`profile_data`: the columns of a run's data, and what about them is suspicious."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.divide import load_data
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.data.pipeline import Pipeline
from nettrain.inspection.data_profile.column_summary import ColumnSummary, summarize_columns
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.suspicion import SEVERITIES, Suspicion
from nettrain.inspection.data_profile.unused_columns import unused_suspicions
from nettrain.training.build import data_seed, target_requirements

_FAMILIES: tuple[Callable[[ProfiledRows], Iterator[Suspicion]], ...] = (unused_suspicions,)


@dataclass(frozen=True)
class DataProfile:
    """What a data set looks like.

    Attributes:
        columns: The target first, then the features.
        suspicions: The worst first.
        rows: Of all parts.
        sampled: Those that were looked at; fewer than `rows` where there are many.
    """

    columns: tuple[ColumnSummary, ...]
    suspicions: tuple[Suspicion, ...]
    rows: int
    sampled: int


def profile_data(
    config: RunConfig, *, pipeline: Pipeline | None = None, loader: Loader | None = None
) -> DataProfile:
    """Look at the data of a configuration, at its parts as they are divided.

    Args:
        config: Of the run.
        pipeline: The fitted transforms, which tell how many inputs a column becomes.
        loader: Remembers sources that were read before.

    Raises:
        ConfigError: Keys contradict each other, or do not fit the data.
        DataError: The data cannot be read.
    """
    with in_use(config.plugins):
        loaded = load_data(
            config.dataset,
            data_seed(config),
            requirements=target_requirements(config.loss),
            loader=loader,
        )
    return profile_rows(loaded, pipeline)


def profile_rows(loaded: LoadedData, pipeline: Pipeline | None = None) -> DataProfile:
    """Look at rows that are loaded and divided; of very many at a sample of fixed seed.

    Args:
        loaded: The raw rows.
        pipeline: The fitted transforms, which tell how many inputs a column becomes.
    """
    rows = ProfiledRows.of(loaded)
    found = [suspicion for family in _FAMILIES for suspicion in family(rows)]
    found.sort(key=lambda suspicion: SEVERITIES.index(suspicion.severity))
    columns = summarize_columns(rows, pipeline)
    return DataProfile(tuple(columns), tuple(found), rows.total, len(rows))
