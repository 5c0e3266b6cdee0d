"""Data for a trained model: columns in the model's order, labels as the model's codes."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.distinct import distinct
from nettrain.data.features import MISSING, Features
from nettrain.data.images import fit_images
from nettrain.data.readers.number_text import has_leading_zero
from nettrain.data.rows.columns import take_columns
from nettrain.data.schema import Schema
from nettrain.data.target import Target
from nettrain.data.task import is_one_hot
from nettrain.errors import DataError, nearest


def align(dataset: Dataset, schema: Schema, *, with_target: bool) -> Dataset:
    """The dataset as a trained model wants it.

    Raises:
        DataError: Columns are missing, shapes differ, or a label occurs that training did not have.
    """
    target = None
    if with_target and not schema.autoencoder:
        target = align_target(dataset, schema)
    notes: list[str] = []
    if schema.numbers or schema.texts:
        features = _columns(dataset, schema)
    else:
        features, notes = fit_images(dataset.features, schema, dataset.origin)
    return replace(dataset, features=features, target=target, notes=(*dataset.notes, *notes))


def _columns(dataset: Dataset, schema: Schema) -> Features:
    features = dataset.features
    if features.numbers.ndim > 2:
        raise DataError(
            f"{dataset.origin}: the model was trained on a table of "
            f"{len(schema.numbers) + len(schema.texts)} columns, these rows have the shape "
            f"{features.numbers.shape[1:]}"
        )
    check_names(dataset.origin, schema, (*features.names, *features.categories))
    mistyped = [
        f"{name!r} holds texts, the model was trained on numbers"
        for name in schema.numbers
        if name not in features.names
    ]
    mistyped += [
        f"{name!r} holds numbers, the model was trained on texts"
        for name in schema.texts
        if name not in features.categories
    ]
    if mistyped:
        raise DataError(
            f"{dataset.origin}: columns differ from those of training: {'; '.join(mistyped)}"
        )
    places = np.array([features.names.index(name) for name in schema.numbers], np.int64)
    return Features(
        take_columns(features.numbers, places),
        schema.numbers,
        {name: features.categories[name] for name in schema.texts},
    )


def check_names(origin: str, schema: Schema, there: tuple[str, ...]) -> None:
    """Check that all of the model's columns are there.

    Raises:
        DataError: Naming the columns that are missing, and those that the model does not know.
    """
    missing = [name for name in (*schema.numbers, *schema.texts) if name not in there]
    if missing:
        new = [
            name for name in there if name not in (*schema.numbers, *schema.texts, *schema.targets)
        ]
        raise DataError(
            f"{origin}: columns differ from those of training: missing {_listed(missing)}"
            + nearest(missing[0], new)
            + (f"; not known to the model: {_listed(new)}" if new else "")
        )


def align_target(dataset: Dataset, schema: Schema) -> Target:
    """The target as the model's codes, or its numbers, with names and order of the schema.

    Rows without a target keep none.

    Raises:
        DataError: The target is of another kind, or has a class that training did not have.
    """
    target = dataset.target
    if target is None:
        raise DataError(f"{dataset.origin}: there is no target in it to evaluate against")
    if target.classes is None and target.values.shape[1] != len(schema.targets):
        raise DataError(
            f"{dataset.origin}: {target.values.shape[1]} target columns, the model was trained on "
            f"{len(schema.targets)}"
        )
    if schema.classes is None:
        if target.classes is not None:
            raise DataError(
                f"{dataset.origin}: the target holds texts such as {target.classes[0]!r}; the "
                "model was trained on numbers"
            )
        return Target(target.values, schema.targets, missing_hint=target.missing_hint)
    present = np.flatnonzero(~target.missing)
    codes = np.full(len(target), MISSING, np.int64)
    codes[present] = _codes(target.take(present), schema, lambda row: dataset.place(present[row]))
    return Target(codes, schema.targets, schema.classes, missing_hint=target.missing_hint)


def _codes(target: Target, schema: Schema, place: Callable[[int], str]) -> np.ndarray:
    """Codes (n,) into the model's classes, of a target without missing values."""
    if target.classes is None and target.values.shape[1] > 1:
        if len(target) and not is_one_hot(target.values):
            row = int(np.flatnonzero((target.values == 1).sum(axis=1) != 1)[0])
            raise DataError(
                f"{place(row)}: the target columns are {target.values[row].tolist()}; the model "
                "was trained on one-hot columns, a single 1 in each row"
            )
        return target.values.argmax(axis=1)
    classes = schema.classes or ()
    texts, codes = _as_texts(target)
    lookup = label_codes(texts, classes)
    unknown = np.flatnonzero(lookup[codes] < 0)
    if unknown.size:
        text = texts[codes[unknown[0]]]
        raise DataError(
            f"{place(int(unknown[0]))}: target {schema.targets[0]!r} holds {text!r}, a class that "
            f"training did not have (it had: {_listed(classes)})"
        )
    return lookup[codes]


def label_codes(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """The code of each label (k,), `MISSING` if it is none of the classes; 3.0 is the class 3."""
    known = {name: code for code, name in enumerate(classes)}
    codes = [known.get(label, known.get(_as_whole(label), MISSING)) for label in labels]
    return np.array(codes, dtype=np.int64)


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
