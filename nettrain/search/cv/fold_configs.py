"""The run configurations of folds: each is complete, and `nettrain fit` takes it too."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.run_config import RunConfig
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.loader import Loader
from nettrain.data.split import Rows, Split
from nettrain.data.split_rows import split_rows
from nettrain.errors import ConfigError, DataError
from nettrain.files import read_bytes
from nettrain.search.cv.folds import assign
from nettrain.search.rows import rows_of_config
from nettrain.training.artifacts.files import write_atomically
from nettrain.training.build import data_seed


@dataclass(frozen=True)
class Fold:
    """One of k parts of the rows, and the run that is scored on it.

    Attributes:
        repeat, fold: Counted from 1.
        rows: train; validation where the configuration has such a part; as `test` the scored fold.
    """

    repeat: int
    fold: int
    rows: Rows


@dataclass(frozen=True)
class Folds:
    """A configuration's rows divided again and again.

    Attributes:
        pool: The rows that are divided: all that `fit` trains on or validates with.
        test: The rows of the test part, which no fold uses; None where there is none.
        validation: The rows of `validation_source`, which every fold uses for validation; None
            where validation rows come from the pool.
        dataset: All rows of the source.
        fingerprint: Of the data.
    """

    config: RunConfig
    folds: tuple[Fold, ...]
    repeats: int
    group: str | None
    pool: np.ndarray
    test: np.ndarray | None
    validation: np.ndarray | None
    dataset: Dataset
    fingerprint: str

    def name(self, fold: Fold) -> str:
        """The name of the fold's run directory."""
        return (
            f"fold-{fold.fold}" if self.repeats == 1 else f"repeat-{fold.repeat}-fold-{fold.fold}"
        )

    @property
    def test_share(self) -> float:
        """n_test / n_train of a fold, with validation rows counted as training rows."""
        return 1 / (len(self.folds) // self.repeats - 1)

    @property
    def chooses_epochs(self) -> bool:
        """Whether the folds choose their best epoch: by validation rows, or by early stopping."""
        return self.config.early_stopping is not None or "validation" in self.folds[0].rows

    def run_config(self, fold: Fold, folder: Path) -> dict[str, Any]:
        """The configuration of the fold's run; its rows are written into `folder`."""
        path = write_rows(folder / f"{self.name(fold)}.npz", fold.rows)
        config = replace(self.config, dataset=replace(self.config.dataset, test_source=None))
        return run_on_rows(config, path, group=self.group, seed=self.config.seed + fold.repeat - 1)


def divide_into_folds(
    config: RunConfig,
    *,
    folds: int,
    repeats: int = 1,
    stratify: bool | None = None,
    group: str | None = None,
    loader: Loader | None = None,
) -> Folds:
    """The folds of a configuration; they depend on the data and its seed alone.

    Its test part stays apart; its validation part is divided with the rest. Inside a fold,
    validation rows (for early stopping and the best epoch) come from the rows that the fold trains
    on: the same fraction of them as `fit` would take of the pool.

    Args:
        config: A complete configuration.
        folds: How many.
        repeats: How many times.
        stratify: Keep the class proportions; None: where there are classes and no groups.
        group: Group column: rows of one group stay in one part; None: `dataset.split.group`.
        loader: Remembers data that is loaded already.

    Raises:
        ConfigError, DataError: The rows cannot be divided so.
    """
    split = config.dataset.split
    if split.time is not None:
        raise ConfigError(
            f"dataset.split.time: folds are drawn at random, and would train on rows later than "
            f"those they score; leave {split.time!r} out of the split to cross-validate so"
        )
    if group is not None and split.group not in (None, group):
        raise ConfigError(
            f"--group {group}: dataset.split.group is {split.group!r}, and groups can be of one "
            "column only; leave one out"
        )
    group = group or split.group
    loaded = rows_of_config(config, loader or Loader(), group)
    rows, seed = loaded.rows, data_seed(config)
    own = [
        rows[part]
        for part in ("train", "validation")
        if part in rows and part not in loaded.separate_parts
    ]
    pool = np.sort(np.concatenate(own))
    if (np.diff(pool) == 0).any():
        raise DataError(
            f"{split.file}: a row occurs twice in it, and could be trained on and scored in the "
            "same fold; cross-validate rows that occur once"
        )
    share = 1 - len(own[0]) / len(pool)
    light = Dataset(
        Features(np.empty((len(loaded.dataset), 0))),
        loaded.dataset.target,
        origin=loaded.dataset.origin,
        lines=loaded.dataset.lines,
        extra_columns=loaded.dataset.extra_columns,
    )
    inner = Split(
        validation=share,
        test=0.0,
        stratify=bool(loaded.split.stratify) and group is None,
        group=group if share else None,
    )
    validation = rows["validation"] if "validation" in loaded.separate_parts else None
    found = []
    for repeat in range(repeats):
        home = assign(light, pool, folds, stratify=stratify, group=group, seed=seed, repeat=repeat)
        for fold in range(folds):
            parts = _inside(light, pool[home != fold], inner, seed) | {"test": pool[home == fold]}
            if validation is not None:
                parts["validation"] = validation
            found.append(Fold(repeat + 1, fold + 1, parts))
    return Folds(
        config,
        tuple(found),
        repeats,
        group,
        pool,
        rows.get("test"),
        validation,
        loaded.dataset,
        loaded.fingerprint,
    )


def run_on_rows(
    config: RunConfig, path: Path, *, group: str | None = None, seed: int | None = None
) -> dict[str, Any]:
    """The same run on the rows that a file names, as a mapping; `seed` does not change the data."""
    dataset = config.dataset
    divided = dataset.split
    split = Split(
        file=str(path), column=divided.column, group=group or divided.group, time=divided.time
    )
    dataset = replace(dataset, seed=data_seed(config), split=split, limit=None)
    found = to_mapping(replace(config, seed=config.seed if seed is None else seed, dataset=dataset))
    return dict(found)  # type: ignore[call-overload]


def write_rows(path: Path, rows: Rows) -> Path:
    """Write the rows of each part as npz, unless they are there; returns the absolute path."""
    path = path.absolute()
    content = io.BytesIO()
    np.savez(content, **rows)  # type: ignore[arg-type]
    if not path.is_file() or read_bytes(path) != content.getvalue():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.getvalue())
    return path


def _inside(dataset: Dataset, rows: np.ndarray, split: Split, seed: int) -> Rows:
    """The rows that a fold trains on, divided into training and validation."""
    return {
        part: rows[found] for part, found in split_rows(dataset.take(rows), split, seed).items()
    }
