"""Data loaded once more for a trained model: its columns in the model's order, its labels as the model's codes."""

import dataclasses
import math

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.distinct import distinct
from nettrain.data.features import Features
from nettrain.data.readers.number_text import has_leading_zero
from nettrain.data.rows.stored import StoredRows
from nettrain.data.schema import Schema
from nettrain.data.target import Target
from nettrain.errors import DataError, nearest


def align(dataset: Dataset, schema: Schema, *, with_target: bool) -> Dataset:
    """Raises DataError naming every column that is missing, the shapes that differ, or the first label that training did not have."""
    target = None
    if with_target and not schema.autoencoder:
        if dataset.target is None:
            raise DataError(f"{dataset.origin}: there is no target in it to evaluate against")
        target = align_target(dataset, schema)
    return dataclasses.replace(dataset, features=_features(dataset, schema), target=target)


def _features(dataset: Dataset, schema: Schema) -> Features:
    found = dataset.features
    if (
        not schema.numbers and not schema.texts
    ):  # images: an array fits if it holds as many numbers a row
        if math.prod(found.numbers.shape[1:]) != math.prod(schema.shape) or found.categories:
            shape = found.numbers.shape[1:]
            raise DataError(
                f"{dataset.origin}: the model was trained on rows of shape {schema.shape}, these have {shape}"
            )
        if isinstance(found.numbers, StoredRows):
            return Features(found.numbers.reshaped(schema.shape))
        return Features(found.array.reshape(len(found), *schema.shape))
    if found.numbers.ndim > 2:
        raise DataError(
            f"{dataset.origin}: the model was trained on a table of {len(schema.numbers) + len(schema.texts)} columns, "
            f"these rows have the shape {found.numbers.shape[1:]}"
        )
    check_names(dataset.origin, schema, (*found.names, *found.categories))
    mistyped = [
        f"{name!r} holds texts, the model was trained on numbers"
        for name in schema.numbers
        if name not in found.names
    ]
    mistyped += [
        f"{name!r} holds numbers, the model was trained on texts"
        for name in schema.texts
        if name not in found.categories
    ]
    if mistyped:
        raise DataError(
            f"{dataset.origin}: columns differ from those of training: {'; '.join(mistyped)}"
        )
    places = [found.names.index(name) for name in schema.numbers]
    return Features(
        found.array[:, places],
        schema.numbers,
        {name: found.categories[name] for name in schema.texts},
    )


def check_names(origin: str, schema: Schema, there: tuple[str, ...]) -> None:
    """Raises DataError unless all of the model's columns are there; names what is missing and what is new."""
    missing = [name for name in (*schema.numbers, *schema.texts) if name not in there]
    if missing:
        new = [
            name for name in there if name not in (*schema.numbers, *schema.texts, *schema.targets)
        ]
        raise DataError(
            f"{origin}: columns differ from those of training: missing {_listed(missing)}{nearest(missing[0], new)}"
            + (f"; not known to the model: {_listed(new)}" if new else "")
        )


def align_target(dataset: Dataset, schema: Schema) -> Target:
    """The target as the model's codes, or its numbers, with names and order of the schema."""
    found = dataset.target
    if found is None:
        raise DataError(f"{dataset.origin}: there is no target in it to evaluate against")
    if found.classes is None and found.values.shape[1] != len(schema.targets):
        raise DataError(
            f"{dataset.origin}: {found.values.shape[1]} target columns, the model was trained on {len(schema.targets)}"
        )
    if schema.classes is None:
        if found.classes is not None:
            raise DataError(
                f"{dataset.origin}: the target holds texts such as {found.classes[0]!r}; the model was trained on numbers"
            )
        return Target(found.values, schema.targets)
    texts, codes = _as_texts(found)
    places = {name: code for code, name in enumerate(schema.classes)}
    lookup = np.array(
        [places.get(text, places.get(_as_whole(text), -1)) for text in texts], dtype=np.int64
    )
    mapped = lookup[codes]
    wrong = np.flatnonzero(mapped < 0)
    if wrong.size:
        raise DataError(
            f"{dataset.place(int(wrong[0]))}: target {schema.targets[0]!r} holds {texts[codes[wrong[0]]]!r}, a class that "
            f"training did not have (it had: {_listed(schema.classes)})"
        )
    return Target(mapped, schema.targets, schema.classes)


def _as_texts(target: Target) -> tuple[list[str], np.ndarray]:
    """Distinct labels as texts, whole numbers without a point, and the codes (n,) into them."""
    if target.classes is not None:
        return list(target.classes), target.values
    values, codes = distinct(target.values[:, 0])
    return [str(value) for value in values.tolist()], codes


def _as_whole(text: str) -> str:
    """`3` for `3.0`: classes that are whole numbers are named without a point; `1` for `true`."""
    if text.lower() in ("false", "true"):
        return str(int(text.lower() == "true"))
    if has_leading_zero(f"\n{text}"):  # a code, and another class than the number
        return text
    try:
        return str(int(float(text)))
    except (ValueError, OverflowError):
        return text


def _listed(names: list[str] | tuple[str, ...], most: int = 10) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
