"""`profile_data`: the columns of a run's data, and what about them is suspicious."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.column_override import named
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.in_memory import Data
from nettrain.data.loader import Loader
from nettrain.data.pipeline import Pipeline
from nettrain.data.split import Split
from nettrain.data.table_source import TableSource
from nettrain.inspection.data_profile.categories import category_suspicions
from nettrain.inspection.data_profile.column_summary import ColumnSummary, summarize_columns
from nettrain.inspection.data_profile.few_rows import few_row_suspicions
from nettrain.inspection.data_profile.image_contents import image_suspicions
from nettrain.inspection.data_profile.leakage import leak_suspicions
from nettrain.inspection.data_profile.merged import merged, without_repetition
from nettrain.inspection.data_profile.missing_values import missing_suspicions
from nettrain.inspection.data_profile.number_ranges import range_suspicions
from nettrain.inspection.data_profile.part_differences import difference_suspicions
from nettrain.inspection.data_profile.profiled_rows import MOST_COLUMNS, Divider, ProfiledRows
from nettrain.inspection.data_profile.repeated_columns import repeated_column_suspicions
from nettrain.inspection.data_profile.repeated_rows import repeated_row_suspicions
from nettrain.inspection.data_profile.suspicion import SEVERITIES, Suspicion
from nettrain.inspection.data_profile.target_values import target_suspicions
from nettrain.inspection.data_profile.torn_groups import group_suspicions, names_groups
from nettrain.inspection.data_profile.unused_columns import TELLS_NOTHING, unused_suspicions
from nettrain.inspection.data_profile.written_values import writing_suspicions
from nettrain.training.build import data_seed, target_requirements
from nettrain.training.engine.blas import one_blas_thread

_FAMILIES: tuple[Callable[[ProfiledRows], Iterator[Suspicion]], ...] = (
    missing_suspicions,
    range_suspicions,
    writing_suspicions,
    category_suspicions,
    repeated_column_suspicions,
    repeated_row_suspicions,
    target_suspicions,
    few_row_suspicions,
    leak_suspicions,
    group_suspicions,
    difference_suspicions,
    image_suspicions,
)


@dataclass(frozen=True)
class DataProfile:
    """What a data set looks like.

    Attributes:
        columns: The target first, then the features.
        suspicions: The worst first.
        rows: Of all parts.
        sampled: Those that were looked at; fewer than `rows` where there are many.
        has_lines: Whether the lines of a suspicion are lines of a file, not row numbers from 0.
    """

    columns: tuple[ColumnSummary, ...]
    suspicions: tuple[Suspicion, ...]
    rows: int
    sampled: int
    has_lines: bool


def profile_data(
    config: RunConfig,
    *,
    data: Data | None = None,
    pipeline: Pipeline | None = None,
    loader: Loader | None = None,
) -> DataProfile:
    """Look at the data of a configuration, at its parts as they are divided.

    Args:
        config: Of the run.
        data: Rows in memory instead of `dataset.source`.
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
            data=data,
            requirements=target_requirements(config.loss),
            loader=loader,
            group=_ignored_group(config.dataset),
        )
    transforms = config.dataset.transforms
    if transforms is None and pipeline is not None:
        transforms = tuple(fitted.transform for fitted in pipeline.transforms)
    rows = replace(
        ProfiledRows.of(loaded),
        transforms=transforms,
        divided_by=_dividers(config.dataset.split),
        weighted=config.training.class_weights is not None,
        has_keys=isinstance(config.dataset.source, TableSource),
    )
    return profile_rows(rows, pipeline)


def profile_rows(rows: ProfiledRows, pipeline: Pipeline | None = None) -> DataProfile:
    """Look at rows that are loaded and divided.

    Args:
        rows: Of all parts, or a sample of them.
        pipeline: The fitted transforms, which tell how many inputs a column becomes.
    """
    found = list(unused_suspicions(rows))
    told = {name for one in found if one.name in TELLS_NOTHING for name in one.columns}
    rest = rows.without(told)
    rest = rest.without(_beyond(rest.columns))
    with (
        one_blas_thread(),
        np.errstate(all="ignore"),
    ):  # enormous numbers overflow, and are named by themselves
        found += [suspicion for family in _FAMILIES for suspicion in family(rest)]
    found = merged(without_repetition(found))
    found.sort(key=lambda suspicion: SEVERITIES.index(suspicion.severity))
    columns = summarize_columns(rows, pipeline)
    return DataProfile(tuple(columns), tuple(found), rows.total, len(rows), rows.has_lines)


def _dividers(split: Split) -> dict[Divider, str]:
    named: dict[Divider, str | None] = {
        "part": split.column,
        "group": split.group,
        "time": split.time,
    }
    return {kind: name for kind, name in named.items() if name is not None}


def _beyond(columns: Sequence[str]) -> set[str]:
    """The columns of very many that are not searched: those between 1,000 evenly spread ones."""
    searched = columns[:: -(-len(columns) // MOST_COLUMNS) or 1]
    return {*columns} - {*searched}


def _ignored_group(dataset: DatasetConfig) -> str | None:
    """A column that the configuration leaves out, and whose name is that of groups."""
    source = dataset.source
    if dataset.split.group is not None or not isinstance(source, TableSource):
        return None
    ignored = (*source.ignore, *named(source.columns, "ignore"))
    return next((name for name in ignored if isinstance(name, str) and names_groups(name)), None)
