"""Targets that are hard to learn or not what they seem: rare classes, imbalance, codes."""

import re
from collections.abc import Iterator

import numpy as np

from nettrain.data.target import Target
from nettrain.inspection.data_profile.number_ranges import broken_numbers, skewed_columns
from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import listed, plural, quoted, share

_RARE = 2  # rows of a class: too few for training, validation and test
_IMBALANCED = 10  # times as many rows of the largest class as of the smallest
_FEW_ROWS = 5  # of a class on average
_MANY_CLASSES = 20
_MOST_CODES = 50  # distinct whole numbers
_ROWS_OF_A_CODE = 5
_GAPS = 3  # times as wide a range as consecutive codes would have
_CODE_NAME = re.compile(r"(^|[_\s.-])(code|class|type|category|label|kind|species)s?$", re.I)
_FEWEST = 20


def target_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """What is suspicious about the target."""
    target = rows.target
    if target is None or len(rows) < _FEWEST:
        return
    if rows.task == "classification" and target.classes is not None:
        yield from _of_classes(rows, target, target.classes)
    elif rows.task == "regression":
        yield from _of_numbers(rows, target)
    elif rows.task == "multilabel":
        yield from _of_labels(target)


def _of_classes(
    rows: ProfiledRows, target: Target, classes: tuple[str, ...]
) -> Iterator[Suspicion]:
    name = ", ".join(target.names)
    counts = np.bincount(target.values, minlength=len(classes))
    present = np.flatnonzero(counts)
    if len(present) > _MANY_CLASSES and len(rows) < _FEW_ROWS * len(present):
        yield Suspicion(
            "many_classes",
            "error" if 2 * len(present) > len(rows) else "warning",
            f"target {name!r}: {len(present):,} classes in {len(rows):,} rows, such as "
            f"{quoted(classes)}",
            "another `target` in the source"
            + ("" if target.label_type in (None, "string") else ", or `loss: mse` for quantities"),
            target.names,
            examples=classes[:SHOWN],
        )
        return
    if not rows.sampled:
        yield from _rare(rows, target, classes, counts)
    most, least = int(counts.argmax()), int(present[counts[present].argmin()])
    common = counts[present][counts[present] > _RARE]
    if len(common) > 1 and common.max() >= _IMBALANCED * common.min() and not rows.weighted:
        yield Suspicion(
            "imbalance",
            "note",
            f"target {name!r}: class {classes[most]!r} has {share(int(counts[most]), len(rows))}, "
            f"{classes[least]!r} {counts[least]:,}; always answering {classes[most]!r} has "
            f"accuracy {counts[most] / len(rows):.3f}",
            "`training: {class_weights: balanced}`, and judge by balanced accuracy",
            target.names,
            examples=(classes[most], classes[least]),
        )


def _rare(
    rows: ProfiledRows, target: Target, classes: tuple[str, ...], counts: np.ndarray
) -> Iterator[Suspicion]:
    rare = np.flatnonzero((counts > 0) & (counts <= _RARE))
    if not len(rare) or len(rows) <= 2 * len(classes):
        return
    names = [f"{classes[code]!r} ({counts[code]})" for code in rare]
    noun = "class has" if len(rare) == 1 else "classes have"
    yield Suspicion(
        "rare_class",
        "warning",
        f"target {', '.join(target.names)!r}: {len(rare)} {noun} one or two rows: {listed(names)}; "
        "that is too few to train and to test",
        "leave these rows out, merge the class with another, or correct its spelling",
        target.names,
        rows.lines(np.flatnonzero(np.isin(target.values, rare))),
        tuple(classes[code] for code in rare[:SHOWN]),
    )


def _of_numbers(rows: ProfiledRows, target: Target) -> Iterator[Suspicion]:
    for name, y in zip(target.names, target.values.T, strict=True):
        values = np.unique(y)
        if len(values) == 1:
            yield Suspicion(
                "constant_target",
                "error",
                f"target {name!r}: always {values[0]:g}, so there is nothing to learn",
                "another `target` in the source",
                (name,),
            )
        elif looks_like_codes(name, y):
            yield Suspicion(
                "numeric_codes",
                "warning",
                f"target {name!r}: {len(values)} whole numbers such as "
                f"{', '.join(f'{value:g}' for value in values[:3])} look like codes of classes and "
                "are predicted as quantities",
                "`loss: cross_entropy`, if they name classes",
                (name,),
                examples=tuple(f"{value:g}" for value in values[:SHOWN]),
            )
        far = broken_numbers(y)
        if len(far):
            yield Suspicion(
                "target_outlier",
                "warning",
                f"target {name!r}: {plural(len(far), 'number')} such as {y[far[0]]:g} far beyond "
                f"the others, {np.delete(y, far).min():g} to {np.delete(y, far).max():g}",
                "correct the value, or leave the row out; `dataset.target_transforms: "
                "[robust_scale]` with `loss: huber` counts it less",
                (name,),
                rows.lines(far),
                tuple(f"{y[place]:g}" for place in far[:SHOWN]),
            )
        elif skewed_columns({name: y}):
            yield Suspicion(
                "skewed_target",
                "note",
                f"target {name!r}: skewed numbers, {values[0]:g} to {values[-1]:g}",
                "`target_transforms: [log, standardize]` in `dataset`",
                (name,),
            )


def looks_like_codes(name: str, y: np.ndarray) -> bool:
    """Whether a column of few whole numbers names classes: its name says so, or they have gaps."""
    values = np.unique(y)
    if (y != np.floor(y)).any() or not 2 < len(values) <= _MOST_CODES:
        return False
    if len(y) < _ROWS_OF_A_CODE * len(values):
        return False
    irregular = len(np.unique(np.diff(values))) > 1
    wide = values[-1] - values[0] >= _GAPS * len(values)
    return bool(_CODE_NAME.search(name)) or bool(
        irregular and wide and len(values) <= _MANY_CLASSES
    )


def _of_labels(target: Target) -> Iterator[Suspicion]:
    counts = target.values.sum(axis=0)
    rare = [
        name
        for name, count in zip(target.names, counts, strict=True)
        if min(count, len(target) - count) <= _RARE
    ]
    if rare:
        yield Suspicion(
            "rare_label",
            "warning",
            f"{plural(len(rare), 'label')} with at most two rows of 0 or 1: {listed(rare)}",
            "leave these columns out of `target`",
            tuple(rare),
        )
