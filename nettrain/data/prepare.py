"""From a source to what training needs: load, settle the task, divide the rows, fit the transforms on the training part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from nettrain.data.arrays import weights_from
from nettrain.data.automatic import automatic_transforms
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.features import MISSING, Features
from nettrain.data.fingerprint import fingerprint
from nettrain.data.loader import Loader, Whole
from nettrain.data.part import Part
from nettrain.data.pipeline import Fitted, Pipeline
from nettrain.data.readers.arrays import read_npy
from nettrain.data.readers.number_text import formatted_numbers
from nettrain.data.rows.mapped import apply_lazily, fit_transform
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.split import Rows, Split, check_split, limit_rows, split_rows
from nettrain.data.split_file import rows_in_file
from nettrain.data.target import Target
from nettrain.data.task import MOST_CLASSES, Wanted
from nettrain.data.transform import OutsideDomain, Transform
from nettrain.data.weights import settle_class_weights
from nettrain.errors import ConfigError, DataError

ALL_TRAIN = Split()


@dataclass(frozen=True)
class Loaded:
    """Raw rows, divided.

    datasets  the raw rows of each part
    rows      the indices of those rows in their source (a part with a source of its own counts there)
    notes     what was decided for the user, a sentence each
    """

    datasets: dict[str, Dataset]
    rows: Rows
    schema: Schema
    fingerprint: str
    notes: list[str]


@dataclass(frozen=True)
class Prepared:
    """What training needs: the parts as arrays, the pipeline that made them, and the facts that the run directory records.

    class_weights  of every class by name; None where classes have none
    """

    parts: dict[str, Part]
    rows: Rows
    pipeline: Pipeline
    fingerprint: str
    notes: list[str]
    class_weights: dict[str, float] | None = None


def prepare(
    source: Source | None = None,
    *,
    data: Sequence[object] | None = None,
    validation_source: Source | None = None,
    test_source: Source | None = None,
    target: Literal["self"] | None = None,
    weights: str | None = None,
    split: Split = ALL_TRAIN,
    transforms: Sequence[Transform] | None = None,
    target_transforms: Sequence[Transform] | None = None,
    limit: int | None = None,
    seed: int = 0,
    dtype: str = "float32",
    wanted: Wanted | None = None,
    class_weights: Literal["balanced"] | Mapping[str, float] | None = None,
    loader: Loader | None = None,
) -> Prepared:
    """All parts, ready for training; the arguments are the keys of `dataset:`. Depends on the data and the seed alone.

    data           arrays (x, y) or (x, y, row weights) in memory instead of a source
    target         "self": an autoencoder, whose targets are its inputs after the transforms; figures and predictions are in their units
    wanted         what the loss wants of the target, None to let the target decide
    class_weights  `training.class_weights`
    loader         what remembers sources that other runs have loaded
    """
    loaded = load_parts(
        source,
        data=data,
        validation_source=validation_source,
        test_source=test_source,
        target=target,
        weights=weights,
        split=split,
        limit=limit,
        seed=seed,
        wanted=wanted,
        loader=loader,
    )
    return prepare_parts(
        loaded,
        transforms=transforms,
        target_transforms=target_transforms,
        dtype=dtype,
        wanted=wanted,
        class_weights=class_weights,
    )


def load_parts(
    source: Source | None = None,
    *,
    data: Sequence[object] | None = None,
    validation_source: Source | None = None,
    test_source: Source | None = None,
    target: Literal["self"] | None = None,
    weights: str | None = None,
    split: Split = ALL_TRAIN,
    limit: int | None = None,
    seed: int = 0,
    wanted: Wanted | None = None,
    loader: Loader | None = None,
) -> Loaded:
    """The raw rows of every part. The arguments are those of `prepare`."""
    check_split(
        split,
        tuple(
            part
            for part, given in (("validation", validation_source), ("test", test_source))
            if given is not None
        ),
    )
    extra_columns = tuple(name for name in (split.column, split.group) if name is not None)
    whole = (loader or Loader()).whole(
        source,
        data=data,
        validation_source=validation_source,
        test_source=test_source,
        target=target,
        extra_columns=extra_columns,
        seed=seed,
        wanted=wanted,
    )
    return divide(
        whole if weights is None else weighted(whole, weights), split=split, limit=limit, seed=seed
    )


def weighted(whole: Whole, path: str) -> Whole:
    """The rows with the weights that an npy file gives them, times their own; the fingerprint is another, as for any other data."""
    dataset = whole.dataset
    found = weights_from(read_npy(Path(path)), len(dataset), path)
    dataset = replace(
        dataset, weights=found if dataset.weights is None else found * dataset.weights
    )
    return replace(
        whole, dataset=dataset, fingerprint=fingerprint((dataset, *whole.separate.values()))
    )


def divide(
    whole: Whole, *, split: Split = ALL_TRAIN, limit: int | None = None, seed: int = 0
) -> Loaded:
    """The rows of each part."""
    dataset, notes = whole.dataset, list(whole.notes)
    if split.file is not None:
        rows = rows_in_file(split.file, dataset, whole.separate)
    else:
        rows = split_rows(dataset, split, seed)
        for part, own in whole.separate.items():
            if part in rows:
                raise ConfigError(
                    f"dataset.{part}_source: {dataset.origin} has an official {part} part, which is used; leave this key out"
                )
            rows[part] = np.arange(len(own))
    if limit is not None:
        rows = limit_rows(rows, limit, seed)
    rows = {part: rows[part] for part in PARTS if part in rows}
    datasets = {part: whole.separate.get(part, dataset).take(found) for part, found in rows.items()}
    if split.group is not None:
        notes.append(_counted_groups(datasets, split.group))
    notes.append("rows: " + ", ".join(f"{part} {len(found)}" for part, found in rows.items()))
    return Loaded(datasets, rows, whole.schema, whole.fingerprint, notes)


def _counted_groups(datasets: dict[str, Dataset], column: str) -> str:
    counts = {
        part: len(np.unique(dataset.extra_columns[column].codes))
        for part, dataset in datasets.items()
        if column in dataset.extra_columns
    }
    return f"groups of {column!r}: " + ", ".join(
        f"{part} {count}" for part, count in counts.items()
    )


def prepare_parts(
    loaded: Loaded,
    *,
    transforms: Sequence[Transform] | None = None,
    target_transforms: Sequence[Transform] | None = None,
    dtype: str = "float32",
    wanted: Wanted | None = None,
    class_weights: Literal["balanced"] | Mapping[str, float] | None = None,
) -> Prepared:
    """Fit the transforms on the training part, and send every part through them."""
    notes = list(loaded.notes)
    train = loaded.datasets["train"]
    if transforms is None:
        transforms = automatic_transforms(
            train.features, [part.features for part in loaded.datasets.values()]
        )
        named = ", ".join(map(_described, transforms)) or "none needed"
        notes.append(f"transforms: {named} (chosen for this data; `dataset.transforms` overrides)")
    if loaded.schema.task != "regression" and target_transforms:
        raise ConfigError(
            f"dataset.target_transforms: only regression scales targets, this is {loaded.schema.task}; leave it out"
        )
    if loaded.schema.autoencoder:
        if target_transforms:
            raise ConfigError(
                "dataset.target_transforms: with `target: self` the targets are the transformed inputs; leave it out"
            )
        target_transforms = []
    if wanted is not None and wanted.raw:
        if target_transforms:
            raise ConfigError(
                f"dataset.target_transforms: the loss {wanted.loss} takes targets as they are; leave it out"
            )
        target_transforms = []
    if target_transforms is None:
        target_transforms = (
            [Transform.parse("standardize")] if loaded.schema.task == "regression" else []
        )
    for transform in target_transforms:
        if not transform.invertible:
            raise ConfigError(
                f"dataset.target_transforms: {transform.name()} cannot be inverted, as predictions need; leave it out"
            )
    notes += _names_among_categories(train)
    try:
        pipeline = _fit(train, loaded.schema, transforms, target_transforms)
    except OutsideDomain as error:
        raise DataError(f"{train.place(error.row)}: {error}") from None
    if loaded.schema.autoencoder:
        pipeline = replace(pipeline, schema=replace(loaded.schema, targets=_input_names(pipeline)))
    settled = None if class_weights is None else settle_class_weights(class_weights, train)
    if settled is not None and class_weights == "balanced":
        notes.append(
            "class weights, balanced: "
            + ", ".join(f"{name} {weight:.4g}" for name, weight in settled.items())
        )
    parts = {
        part: pipeline.part(dataset, dtype, settled) for part, dataset in loaded.datasets.items()
    }
    if loaded.schema.autoencoder and wanted is not None:
        _check_inputs_as_targets(parts, loaded.datasets, wanted)
    return Prepared(parts, loaded.rows, pipeline, loaded.fingerprint, notes, settled)


def _check_inputs_as_targets(
    parts: dict[str, Part], datasets: dict[str, Dataset], wanted: Wanted
) -> None:
    for name, part in parts.items():
        found = None if part.y is None else wanted.validate_targets(part.y)
        if found is not None:
            raise DataError(
                f"{datasets[name].place(found[0])}: with `target: self` the transformed inputs are the targets: {found[1]}, as "
                f"the loss {wanted.loss} needs; use `loss: mse`, or other transforms"
            )


def _input_names(pipeline: Pipeline) -> tuple[str, ...]:
    """One for each of the network's inputs: its column, or the place of its pixel."""
    return pipeline.names or tuple(
        "pixel_" + "_".join(map(str, index)) for index in np.ndindex(pipeline.shape)
    )


def _fit(
    train: Dataset,
    schema: Schema,
    transforms: Sequence[Transform],
    target_transforms: Sequence[Transform],
) -> Pipeline:
    features, chain = train.features, []
    for transform in transforms:
        chain.append(Fitted(transform, fit_transform(transform, features)))
        if transform is not transforms[-1]:
            features = apply_lazily(transform, chain[-1].state, features)
    # One row is enough to see the shape; the last transform of all rows would be a copy for nothing.
    one = features.take(np.arange(1))
    if chain:
        one = chain[-1].transform.apply(one, chain[-1].state)
    return Pipeline(
        schema,
        tuple(chain),
        _fit_target(train.target, target_transforms),
        one.numbers.shape[1:],
        one.names,
    )


def _fit_target(target: Target | None, transforms: Sequence[Transform]) -> tuple[Fitted, ...]:
    if target is None:
        return ()
    features, chain = Features(target.values, target.names), []
    for transform in transforms:
        chain.append(Fitted(transform, fit_transform(transform, features)))
        features = transform.apply(features, chain[-1].state)
    return tuple(chain)


def _names_among_categories(train: Dataset) -> list[str]:
    """A text column whose values hardly repeat names its rows; nothing can be learned from it."""
    found = []
    for name, column in train.features.categories.items():
        different = len(np.unique(column.codes[column.codes != MISSING]))
        if different > max(MOST_CLASSES, len(train) // 2) and formatted_numbers(column) is None:
            counted = f"column {name!r}: {different} different texts in {len(train)} training rows"
            found.append(f"{counted}; list it under `ignore` if it names rows")
    return found


def _described(transform: Transform) -> str:
    """`standardize`, or `scale (divide_by 16)`: the name and the fields that are not at their default."""
    numbers = {name: value for name, value in vars(transform).items() if isinstance(value, float)}
    changed = [
        f"{name} {value:g}"
        for name, value in numbers.items()
        if value != getattr(type(transform), name)
    ]
    return f"{transform.name()} ({', '.join(changed)})" if changed else transform.name()
