"""Arrays and DataFrames handed in from Python as raw rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nettrain.data.align import check_names
from nettrain.data.arrays import features_from, target_from, weights_from
from nettrain.data.cells import column_of
from nettrain.data.data_frame import DataFrame
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.readers.number_text import text_column_note
from nettrain.data.schema import Schema
from nettrain.data.target import Target
from nettrain.errors import ConfigError, DataError

Data = Any  # (x, y), (x, y, weights), a Dataset or, with the name of the target, a DataFrame
Columns = str | int | Sequence[str | int]


def with_target(data: Data | None, target: Columns | None) -> Data | None:
    """A DataFrame that holds its target as (x, y); other data as it is.

    Args:
        data: (x, y), (x, y, weights), or a DataFrame.
        target: The names of the target columns of the DataFrame.

    Raises:
        ConfigError: There is a name and no DataFrame in which it could stand.
        DataError: There is no such column.
    """
    if target is None:
        return data
    frame = None if isinstance(data, tuple) else DataFrame.of(data, "data")
    if frame is None:
        raise ConfigError(
            "target: names columns of a DataFrame (data=frame, target='price'); without one, give "
            "the targets in data=(x, y)"
        )
    listed = [target] if isinstance(target, str | int) else target
    names = [str(name) for name in listed]
    frame.require("target", names)
    return frame.without(names), frame.select(names)


def dataset_in_memory(data: Data, *, autoencoder: bool) -> Dataset:
    """The raw rows.

    Args:
        data: (x, y), (x, y, weights) or a Dataset; for an autoencoder x alone will do.
        autoencoder: Whether the target is not needed.

    Raises:
        DataError: The shapes do not fit, or x or y is nothing that can be learned from.
    """
    if isinstance(data, Dataset):
        return replace(data, target=None) if autoencoder else data
    if autoencoder:
        return Dataset(
            features_in_memory(data[0] if isinstance(data, tuple | list) else data), None
        )
    if not isinstance(data, tuple | list):
        raise DataError(
            "data: expected (x, y) or (x, y, weights); with a DataFrame that holds the target, "
            "name it: target='price'"
        )
    if len(data) not in (2, 3):
        raise DataError(f"data: expected (x, y) or (x, y, weights), got {len(data)} arrays")
    features, target = features_in_memory(data[0]), target_in_memory(data[1])
    if len(features) != len(target):
        raise DataError(f"data: x has {len(features)} rows and y has {len(target)}")
    weights = weights_from(data[2], len(features)) if len(data) == 3 else None
    twice = [name for name in target.names if name in (*features.names, *features.categories)]
    if twice:
        raise DataError(
            f"data: the target {twice[0]!r} is a column of x too, which would give it away; leave "
            f"it out of x, or give data=frame, target={twice[0]!r}"
        )
    noted = (
        text_column_note(name, one, from_file=False) for name, one in features.categories.items()
    )
    notes = tuple(note for note in noted if note is not None)
    return Dataset(features, target, weights=weights, notes=notes)


def features_in_memory(x: object, origin: str = "x") -> Features:
    """The features of an array as `features_from` takes it, or of all columns of a DataFrame."""
    frame = DataFrame.of(x, origin)
    return features_from(x, origin) if frame is None else frame.features()


def features_for(x: object, schema: Schema, origin: str = "x") -> Features:
    """The features that a trained model takes.

    Args:
        x: An array with the columns of training in their order, or a DataFrame: its columns are
            found by name, and others are passed over. Where training had no names, the columns
            of a DataFrame are taken in their order.
        schema: Of the model.
        origin: What x is, for messages.

    Raises:
        DataError: Columns are missing or of another kind, or x cannot be learned from.
    """
    frame = DataFrame.of(x, origin)
    if frame is None:
        if schema.texts:
            raise DataError(
                f"the model needs the strings of the columns {', '.join(schema.texts)}: give it a "
                "DataFrame, or a file (nettrain predict)"
            )
        return _named(features_from(x, origin), schema)
    columns = dict.fromkeys(schema.numbers, True) | dict.fromkeys(schema.texts, False)
    unnamed = tuple(f"column_{index}" for index in range(len(columns)))
    if tuple(columns) == unnamed and not {*unnamed} <= frame.columns.keys():
        frame = frame.without(schema.targets)
        return _named(frame.features(dict.fromkeys(frame.columns, True)), schema)
    check_names(origin, schema, tuple(frame.columns))
    return frame.select(list(columns)).features(columns)


def _named(features: Features, schema: Schema) -> Features:
    """Rows without names: those of the right width have the columns of training."""
    if features.numbers.ndim == 2 and features.numbers.shape[1] == len(schema.numbers):
        return replace(features, names=schema.numbers)
    return features


def target_in_memory(y: object, origin: str = "y") -> Target:
    """The target of an array, a list, a series or a DataFrame, in the type it has."""
    frame = y if isinstance(y, DataFrame) else DataFrame.of(y, origin)
    return target_from(y, origin) if frame is None else frame.target()


def with_extra_columns(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The dataset with some columns set aside that are neither feature nor target.

    Columns that are not there stay absent: who needs them says so.
    """
    features = dataset.features
    extra = {name: features.categories[name] for name in names if name in features.categories}
    for name in names:
        if name in features.names:
            column = features.array[:, features.names.index(name)]
            made, _ = column_of(column, name, numeric=False)
            assert isinstance(made, Category)
            extra[name] = made
    if not extra:
        return dataset
    kept = [index for index, name in enumerate(features.names) if name not in extra]
    rest = Features(
        features.array[:, kept],
        tuple(features.names[index] for index in kept),
        {name: one for name, one in features.categories.items() if name not in extra},
    )
    return replace(dataset, features=rest, extra_columns=dataset.extra_columns | extra)
