"""The ONNX form of transforms that encode columns of numbers or texts."""

from dataclasses import replace
from typing import Any

import numpy as np

from nettrain.data.transform import State
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.columns import Columns, TextColumn


def codes(g: Builder, texts: str, known: dict[str, Any], default: float | str) -> str:
    """A value per string: int64 codes, floats or strings as the default is."""
    kind = {float: "float", str: "string", int: "int64"}[type(default)]
    values: dict[str, Any] = {f"values_{kind}s": list(known.values()), f"default_{kind}": default}
    coded = g.add("LabelEncoder", texts, keys_strings=list(known), **values)
    return g.cast(coded, g.dtype) if kind == "float" else coded


def piecewise_linear(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    """Appends clip((x - lower) / (upper - lower), 0, 1); a missing number stays NaN."""
    sources, lower, upper = (np.asarray(state[key]) for key in ("sources", "lower", "upper"))
    if not len(sources) or columns.numbers is None:
        return columns
    x = g.add("Gather", columns.numbers, g.constant(sources.astype(np.int64)), axis=1)
    ratio = g.add("Div", g.add("Sub", x, g.constant(lower)), g.constant(upper - lower))
    gap = g.add("IsNaN", ratio)
    clipped = g.add("Clip", ratio, g.scalar(0.0), g.scalar(1.0))
    bins = g.add("Where", gap, ratio, clipped)
    return columns.joined(g, [bins], [str(name) for name in state["names"]])


def rare_categories(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    """Maps every string that is not kept to `merged`; the empty one, a missing cell, stays."""
    texts = dict(columns.texts)
    for name in map(str, state["columns"]):
        kept = {str(value): str(value) for value in state[f"values:{name}"]}
        column = texts[name]
        fill = None if column.fill is None else kept.get(column.fill, transform.merged)
        value = codes(g, column.value, {**kept, "": ""}, transform.merged)
        texts[name] = TextColumn(value, fill)
    return replace(columns, texts=texts)


def ordinal(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    """The place of each category."""
    names = [str(name) for name in state["columns"]]
    new = {
        name: _places(g, columns.texts[name], [str(value) for value in state[f"values:{name}"]])
        for name in names
    }
    texts = {name: column for name, column in columns.texts.items() if name not in new}
    return replace(columns, texts=texts, codes=columns.codes | new)


def _places(g: Builder, column: TextColumn, values: list[str]) -> str:
    """The place of each cell among the values; behind them those of missing, and of other cells."""
    known = {value: place for place, value in enumerate(values)}
    missing, unseen = len(values), len(values) + 1
    filled = missing if column.fill is None else known.get(column.fill, unseen)
    return codes(g, column.value, {**known, "": filled}, unseen)


def target_statistics(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    """Looks up the numbers of each category."""
    more: list[str] = []
    for name in map(str, state["columns"]):
        places = _places(g, columns.texts[name], [str(value) for value in state[f"values:{name}"]])
        means = g.constant(np.asarray(state[f"means:{name}"], np.float64))
        rows = g.reshape(places, [-1])
        more.append(g.add("Gather", means, rows, axis=0))
    names = [f"{name}:{target}" for name in state["columns"] for target in state["targets"]]
    texts = {name: column for name, column in columns.texts.items() if name not in state["columns"]}
    rest = replace(columns, texts=texts)
    return rest.joined(g, more, names) if more else rest
