"""From raw rows to what training needs: transforms fitted on the training part, parts as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nettrain.data.automatic import automatic_transforms, notes_on_unique_columns
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.features import Features
from nettrain.data.fitted import Fitted
from nettrain.data.in_memory import Data
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.data.mapped_table import mapped
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.data.rows.mapped import fit_transform, map_lazily
from nettrain.data.schema import Schema
from nettrain.data.split import Rows
from nettrain.data.target import Target
from nettrain.data.task import TargetRequirements
from nettrain.data.transform import OutsideDomain, Transform
from nettrain.data.untrained_classes import untrained_classes
from nettrain.data.weights import settle_class_weights
from nettrain.errors import ConfigError, DataError

ClassWeighting = Literal["balanced"] | Mapping[str, float] | None


@dataclass(frozen=True)
class PreparedData:
    """What training needs, and what the run directory records of the data.

    Attributes:
        parts: The rows of each part as the network takes them.
        rows: The indices of each part's rows in its source.
        pipeline: What made them, and turns predictions into original units.
        fingerprint: A digest of the raw rows.
        notes: What was assumed or decided for the user, a sentence each.
        class_weights: Of every class by name; None where classes have none.
    """

    parts: dict[str, Part]
    rows: Rows
    pipeline: Pipeline
    fingerprint: str
    notes: list[str]
    class_weights: dict[str, float] | None = None


def prepare(
    config: DatasetConfig,
    seed: int = 0,
    *,
    data: Data | None = None,
    dtype: str = "float32",
    requirements: TargetRequirements | None = None,
    class_weights: ClassWeighting = None,
    loader: Loader | None = None,
    target_transforms: Sequence[str] = ("standardize",),
) -> PreparedData:
    """Load, divide and transform the rows of a run. Depends on the data and the seed alone.

    Args:
        config: The `dataset` section.
        seed: Of the split, of `limit`, and of generated rows.
        data: (x, y) or (x, y, row weights), arrays or DataFrames, in place of `config.source`.
        dtype: float32 or float64, of the network's inputs and targets.
        requirements: What the loss requires of the target; None: anything is fine.
        class_weights: The key `training.class_weights`.
        loader: Remembers the sources that other runs have loaded.
        target_transforms: Of numbers, where the section names none.

    Raises:
        ConfigError: Keys contradict each other, or do not fit the data.
        DataError: The data cannot be read or used.
    """
    loaded = load_data(config, seed, data=data, requirements=requirements, loader=loader)
    schema, train = loaded.schema, loaded.part("train")
    notes = [*loaded.notes, *untrained_classes(loaded)]
    transforms = config.transforms
    if transforms is None:
        transforms = automatic_transforms(
            train.features,
            (loaded.part(name).features for name in loaded.rows),
            has_target=train.target is not None and not schema.autoencoder,
            of_numbers=config.number_transforms,
            of_categories=config.category_transforms,
        )
        named = ", ".join(map(_described, transforms)) or "none needed"
        notes.append(f"transforms: {named} (chosen for this data; `dataset.transforms` overrides)")
    of_targets = _target_transforms(config, schema, requirements, target_transforms)
    notes += notes_on_unique_columns(train.features, transforms)
    validation = loaded.part("validation") if "validation" in loaded.rows else None
    try:
        pipeline = _fit(train, validation, schema, transforms, of_targets)
    except OutsideDomain as error:
        raise DataError(f"{train.place(error.row)}: {error}") from None
    if schema.autoencoder:
        if pipeline.cardinalities:
            raise ConfigError(
                "dataset.transforms: ordinal: with `target: self` the transformed inputs are the "
                "targets, and codes of categories are no numbers; use one_hot"
            )
        pipeline = replace(pipeline, schema=replace(schema, targets=_input_names(pipeline)))
    weights = None if class_weights is None else settle_class_weights(class_weights, train)
    if weights is not None and class_weights == "balanced":
        listed = ", ".join(f"{name} {weight:.4g}" for name, weight in weights.items())
        notes.append(f"class weights, balanced: {listed}")
    notes += _clamped(pipeline)
    # Each part is copied, transformed and let go: raw rows are in memory twice at most.
    del train, validation
    parts = {
        name: pipeline.part(loaded.part(name), dtype, weights, training=name == "train")
        for name in loaded.rows
    }
    if schema.autoencoder and requirements is not None:
        _check_inputs_as_targets(parts, loaded, requirements)
    return PreparedData(parts, loaded.rows, pipeline, loaded.fingerprint, notes, weights)


def _target_transforms(
    config: DatasetConfig,
    schema: Schema,
    requirements: TargetRequirements | None,
    default: Sequence[str],
) -> Sequence[Transform]:
    """Those of the configuration, or the default ones of regression."""
    chosen = config.target_transforms
    reason = None
    if schema.task != "regression":
        reason = f"only regression scales targets, this is {schema.task}"
    elif schema.autoencoder:
        reason = "with `target: self` the targets are the transformed inputs"
    elif requirements is not None and requirements.raw_targets:
        reason = f"the loss {requirements.loss} takes targets as they are"
    if reason is not None:
        if chosen:
            raise ConfigError(f"dataset.target_transforms: {reason}; leave it out")
        return ()
    if chosen is None:
        return tuple(map(Transform.parse, default))
    for transform in chosen:
        if not transform.invertible:
            raise ConfigError(
                f"dataset.target_transforms: {transform.name()} cannot be inverted, as predictions "
                "need; leave it out"
            )
    return chosen


def _check_inputs_as_targets(
    parts: dict[str, Part], loaded: LoadedData, requirements: TargetRequirements
) -> None:
    for name, part in parts.items():
        problem = None if part.y is None else requirements.validate_targets(part.y)
        if problem is not None:
            row, reason = problem
            raise DataError(
                f"{loaded.part(name).place(row)}: with `target: self` the transformed inputs are "
                f"the targets: {reason}, as the loss {requirements.loss} needs; use `loss: mse`, "
                "or other transforms"
            )


def _input_names(pipeline: Pipeline) -> tuple[str, ...]:
    """A name for each of the network's inputs: its column, or the indices of its pixel."""
    return pipeline.names or tuple(
        "pixel_" + "_".join(map(str, index)) for index in np.ndindex(pipeline.shape)
    )


def _fit(
    train: Dataset,
    validation: Dataset | None,
    schema: Schema,
    transforms: Sequence[Transform],
    target_transforms: Sequence[Transform],
) -> Pipeline:
    chain = _fit_chain(transforms, train.features, train.target)
    # One row is enough to see the shape of the inputs; all rows would be one more copy.
    one = train.features.take(np.arange(1)).in_memory()
    for fitted in chain:
        one = fitted.transform.apply(one, fitted.state)
    target_chain: tuple[Fitted, ...] = ()
    if train.target is not None and target_transforms:
        target_chain = _fit_target_chain(target_transforms, train.target, validation)
    return Pipeline.of(schema, chain, target_chain, one)


def _fit_chain(
    transforms: Sequence[Transform], features: Features, target: Target | None
) -> tuple[Fitted, ...]:
    """Fit each transform to what those before it make of the features."""
    chain: list[Fitted] = []
    for transform in transforms:
        if chain:
            features = _applied(chain[-1], features, target)
        chain.append(Fitted(transform, fit_transform(transform, features, target)))
    return tuple(chain)


def _applied(fitted: Fitted, features: Features, target: Target | None) -> Features:
    """The training rows transformed; rows in a file and images in bytes when they are taken."""
    transform, state, numbers = fitted.transform, fitted.state, features.numbers
    lazy = not isinstance(numbers, np.ndarray)
    if numbers.ndim <= 2:
        if lazy:
            return mapped(features, transform, state, target)
    elif lazy or numbers.dtype == np.uint8:
        return map_lazily(features, transform, state)
    return transform.apply_in_training(features, state, target)


def _fit_target_chain(
    transforms: Sequence[Transform], train: Target, validation: Dataset | None
) -> tuple[Fitted, ...]:
    """Fit each transform of the target to what those before it make of it.

    The validation rows are looked at only where a transform learns from them too.
    """
    of_train = Features(train.values, train.names)
    of_validation: Features | None = None
    looked_at = any(transform.learns_from_validation for transform in transforms)
    if looked_at and validation is not None and validation.target is not None:
        of_validation = Features(validation.target.values, train.names)
    chain: list[Fitted] = []
    for transform in transforms:
        rows = of_train
        if transform.learns_from_validation and of_validation is not None:
            rows = replace(rows, numbers=np.concatenate([rows.array, of_validation.array]))
        fitted = Fitted(transform, fit_transform(transform, rows, None))
        chain.append(fitted)
        of_train = transform.apply_to_targets(of_train, fitted.state)
        if of_validation is not None and validation is not None:
            try:
                of_validation = transform.apply_to_targets(of_validation, fitted.state)
            except OutsideDomain as error:
                raise DataError(f"{validation.place(error.row)}: {error}") from None
    return tuple(chain)


def _clamped(pipeline: Pipeline) -> list[str]:
    """What predictions are clamped to, in original units."""
    if not any(fitted.transform.learns_from_validation for fitted in pipeline.target_transforms):
        return []
    targets = pipeline.schema.targets
    infinite = np.full((1, len(targets)), np.inf)
    low, high = (pipeline.restore(values)[0] for values in (-infinite, infinite))
    return [
        f"predictions of {name!r} are clamped to [{low[i]:.6g}, {high[i]:.6g}], the range of the "
        "target in the training and validation rows"
        for i, name in enumerate(targets)
        if np.isfinite([low[i], high[i]]).all()
    ]


def _described(transform: Transform) -> str:
    """Returns `standardize`, or `scale (divide_by 16)`: fields at their default are left out."""
    changed = [
        f"{name} {value:g}" if isinstance(value, float) else ", ".join(value)
        for name, value in vars(transform).items()
        if isinstance(value, float | tuple) and value != getattr(type(transform), name, None)
    ]
    return f"{transform.name()} ({', '.join(changed)})" if changed else transform.name()
