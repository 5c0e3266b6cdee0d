"""Where two runs part: the first epoch whose metrics differ, the first tensor whose bits differ."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNCOMPARED = ("seconds",)  # time passes differently
GROUPS = ("parameters", "average", "state", "average_state", "pipeline", "optimizer")


@dataclass(frozen=True)
class EpochDifference:
    """The first epoch in which two logs differ.

    Attributes:
        epoch: Its number, from 1.
        values: Of each metric that differs there, the first run's and the second's.
    """

    epoch: int
    values: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class TensorDifference:
    """The first tensor in which two sets of tensors differ.

    Attributes:
        name: Its name, such as `parameters.dense_1.w`.
        what: A sentence: how many of its values differ, and by how much at most.
        tensors: How many tensors differ in all.
    """

    name: str
    what: str
    tensors: int


def first_epoch_difference(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> EpochDifference | None:
    """Returns the first epoch that differs among those that both logs have; None: there is none."""
    for a, b in zip(first, second, strict=False):
        keys = [key for key in dict.fromkeys([*a, *b]) if key not in UNCOMPARED]
        values = {
            key: (a.get(key), b.get(key)) for key in keys if not _equal(a.get(key), b.get(key))
        }
        if values:
            return EpochDifference(int(a.get("epoch", 0)), values)
    return None


def first_tensor_difference(
    first: Mapping[str, np.ndarray],
    second: Mapping[str, np.ndarray],
    order: Sequence[str] = (),
) -> TensorDifference | None:
    """Returns the first tensor that is not bit for bit the same; None: all are.

    Args:
        first: By name, as in a checkpoint.
        second: The same of the other run.
        order: The names of the parameters (`dense_1.w`) in the order of the network's layers;
            names that are not in it come after, sorted.
    """
    places = {name: place for place, name in enumerate(order)}
    names = sorted(dict.fromkeys([*first, *second]), key=lambda name: _key(name, places))
    different = [name for name in names if not _same_bits(first.get(name), second.get(name))]
    if not different:
        return None
    name = different[0]
    return TensorDifference(name, _describe(first.get(name), second.get(name)), len(different))


def _key(name: str, places: Mapping[str, int]) -> tuple[Any, ...]:
    group, _, rest = name.partition(".")
    rank = GROUPS.index(group) if group in GROUPS else len(GROUPS)
    natural = [
        (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", rest)
    ]
    return rank, places.get(rest, len(places)), natural


def _same_bits(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    if a is None or b is None:
        return False
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _describe(a: np.ndarray | None, b: np.ndarray | None) -> str:
    if a is None or b is None:
        return f"only the {'first' if b is None else 'second'} has it"
    if a.shape != b.shape:
        return f"shape {a.shape} and {b.shape}"
    if a.dtype != b.dtype:
        return f"dtype {a.dtype} and {b.dtype}"
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b))) if a.dtype.kind == "f" else a != b
    count = int(differs.sum())
    if count == 0:
        return "only the signs of zeros, or the bits of NaN, differ"
    apart = np.abs(a[differs].astype(np.float64) - b[differs].astype(np.float64))
    largest = float(np.nanmax(apart)) if not np.isnan(apart).all() else math.nan
    return f"{count:,} of {a.size:,} values differ, by {largest:.3g} at most"


def _equal(a: Any, b: Any) -> bool:
    return bool(a == b) or (a != a and b != b)  # NaN equals NaN here
