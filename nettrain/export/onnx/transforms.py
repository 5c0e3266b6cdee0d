"""The ONNX form of every transform, and of the inverse of those that a target can have.

The numbers have the type of the graph's inputs, float32 unless the network computes in float64.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from nettrain.data.elementwise import Elementwise
from nettrain.data.fitted import Fitted
from nettrain.data.linear import LinearTransform
from nettrain.data.transform import State
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.columns import Columns, TextColumn, on_places
from nettrain.export.onnx.encodings import (
    codes,
    ordinal,
    piecewise_linear,
    rare_categories,
    target_statistics,
)
from nettrain.export.onnx.quantiles import inverse_quantile, quantile


def add_transform(g: Builder, fitted: Fitted, columns: Columns) -> Columns:
    """The columns after a fitted transform."""
    transform, state = fitted.transform, fitted.state
    own = getattr(transform, "to_onnx", None)
    if own is not None:
        return own(g, columns, state)
    form = _form(transform)
    if form is not None:
        places = [int(i) for i in state["places"]] if "places" in state else None
        return columns.mapped(g, partial(form, g, transform, state), places)
    return _TABLE[transform.name()](g, transform, state, columns)


def add_inverse(g: Builder, fitted: Fitted, values: str, width: int) -> str:
    """Values (n, width) in the units before a fitted transform of the target."""
    transform, state = fitted.transform, fitted.state
    own = getattr(transform, "inverse_to_onnx", None)
    form = own or _inverse(transform)
    assert form is not None  # checked by `missing_forms`
    function = partial(form, g, state) if own else partial(form, g, transform, state)
    if "places" not in state:
        return function(values)
    return on_places(g, values, function, [int(i) for i in state["places"]], width)


def missing_forms(chain: tuple[Fitted, ...], targets: tuple[Fitted, ...]) -> list[str]:
    """A sentence for every transform that has no ONNX form."""
    found = [
        f"the transform {fitted.transform.name()} has no ONNX form; give its class a method "
        "to_onnx(self, builder, columns, state) that adds nodes and returns the new Columns"
        for fitted in chain
        if not hasattr(fitted.transform, "to_onnx")
        and _form(fitted.transform) is None
        and fitted.transform.name() not in _TABLE
    ]
    found += [
        f"the target transform {fitted.transform.name()} has no inverse in ONNX; give its class a "
        "method inverse_to_onnx(self, builder, state, values)"
        for fitted in targets
        if not hasattr(fitted.transform, "inverse_to_onnx") and _inverse(fitted.transform) is None
    ]
    return found


def forms() -> set[str]:
    """The names of the transforms that have an ONNX form of their own, beside linear ones."""
    return {*_TABLE, *_FORWARD}


def _form(transform: Any) -> Callable[..., str] | None:
    if isinstance(transform, LinearTransform):
        return _linear
    return _FORWARD.get(transform.name()) if isinstance(transform, Elementwise) else None


def _inverse(transform: Any) -> Callable[..., str] | None:
    return (
        _linear_inverse
        if isinstance(transform, LinearTransform)
        else _INVERSE.get(transform.name())
    )


def _linear(g: Builder, transform: Any, state: State, x: str) -> str:
    """(x - shift) / unit + offset.

    What float32 cannot hold of the shift is subtracted after it: near the shift the first
    difference is exact, so large numbers that differ little keep their differences.
    """
    shift, unit = np.asarray(state["shift"], np.float64), np.asarray(state["unit"], np.float64)
    large = shift.astype(g.dtype)
    rest = shift - large
    if large.any():
        x = g.add("Sub", x, g.constant(large))
    if np.any(np.abs(rest) > 1e-8 * np.abs(unit)):
        x = g.add("Sub", x, g.constant(rest))
    if np.any(unit != 1):
        x = g.add("Div", x, g.constant(unit))
    return g.add("Add", x, g.scalar(transform.offset)) if transform.offset else x


def _linear_inverse(g: Builder, transform: Any, state: State, y: str) -> str:
    """(y - offset) unit + shift."""
    if transform.offset:
        y = g.add("Sub", y, g.scalar(transform.offset))
    y = g.add("Mul", y, g.constant(np.asarray(state["unit"], np.float64)))
    return g.add("Add", y, g.constant(np.asarray(state["shift"], np.float64)))


def _clip(g: Builder, transform: Any, state: State, x: str) -> str:
    low, high = (None if end is None else g.scalar(end) for end in (transform.low, transform.high))
    return _within(g, x, low, high)


def _clamp(g: Builder, transform: Any, state: State, x: str) -> str:
    """Forwards and, as the inverse of a target transform, backwards."""
    low, high = (g.constant(np.asarray(state[end], np.float64)) for end in ("low", "high"))
    return _within(g, x, low, high)


def _within(g: Builder, x: str, low: str | None, high: str | None) -> str:
    """x between two values; NaN is compared as neither, so that it stays."""
    for limit, operator in ((low, "Less"), (high, "Greater")):
        if limit is not None:
            x = g.add("Where", g.add(operator, x, limit), limit, x)
    return x


def _smooth_clip(g: Builder, transform: Any, state: State, x: str) -> str:
    """bound sin(atan(x / bound)): the square of a large number is infinite in float32."""
    bound = g.scalar(transform.bound)
    return g.add("Mul", g.add("Sin", g.add("Atan", g.add("Div", x, bound))), bound)


def _log(g: Builder, transform: Any, state: State, x: str) -> str:
    return g.add("Log", g.add("Add", x, g.scalar(transform.shift)))


def _log_inverse(g: Builder, transform: Any, state: State, y: str) -> str:
    return g.add("Sub", g.add("Exp", y), g.scalar(transform.shift))


def _quantile(g: Builder, transform: Any, state: State, x: str) -> str:
    return quantile(g, x, np.asarray(state["quantiles"]), transform.to)


def _quantile_inverse(g: Builder, transform: Any, state: State, y: str) -> str:
    return inverse_quantile(g, y, np.asarray(state["quantiles"]), transform.to)


def _impute(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    fill, flags = np.asarray(state["fill"], np.float64), []
    for name in map(str, state["flags"]):
        if name in columns.texts:
            flags.append(codes(g, columns.texts[name].value, {"": 1.0}, 0.0))
        else:
            at = g.constant(np.array([columns.names.index(name)], np.int64))
            gap = g.add("IsNaN", g.add("Gather", columns.numbers or "", at, axis=1))
            flags.append(g.cast(gap, g.dtype))
    if columns.numbers is not None and not np.isnan(fill).all():
        x = columns.numbers
        numbers = g.add("Where", g.add("IsNaN", x), g.constant(fill), x)
        columns = replace(columns, numbers=numbers)
    texts = dict(columns.texts)
    for name, text in zip(state["columns"], state["texts"], strict=True):
        texts[str(name)] = TextColumn(texts[str(name)].value, str(text))
    columns = replace(columns, texts=texts)
    names = [f"{name}_missing" for name in state["flags"]]
    return columns.joined(g, flags, names) if flags else columns


def _one_hot(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    more: list[str] = []
    names: list[str] = []
    for name in map(str, state["columns"]):
        column, known = columns.texts[name], [str(text) for text in state[f"values:{name}"]]
        places = {text: place for place, text in enumerate(known)}
        if column.fill in places:
            places[""] = places[column.fill]
        if not places:
            continue
        code = codes(g, column.value, places, -1)
        indices = g.constant(np.arange(len(known), dtype=np.int64)[np.newaxis])
        more.append(g.cast(g.add("Equal", code, indices), g.dtype))
        names += [f"{name}={text}" for text in known]
    texts = {name: column for name, column in columns.texts.items() if name not in state["columns"]}
    rest = replace(columns, texts=texts)
    return rest.joined(g, more, names) if more else rest


def _drop(g: Builder, transform: Any, state: State, columns: Columns) -> Columns:
    dropped = {*map(str, state["columns"])}
    kept = [i for i, name in enumerate(columns.names) if name not in dropped]
    texts = {name: column for name, column in columns.texts.items() if name not in dropped}
    if len(kept) == len(columns.names):
        return replace(columns, texts=texts)
    if columns.numbers is None or not kept:
        return replace(columns, numbers=None, names=(), texts=texts)
    places = g.constant(np.array(kept, np.int64))
    numbers = g.add("Gather", columns.numbers, places, axis=1)
    names = tuple(columns.names[i] for i in kept)
    return replace(columns, numbers=numbers, names=names, texts=texts)


_FORWARD: dict[str, Callable[..., str]] = {
    "clamp": _clamp,
    "clip": _clip,
    "log": _log,
    "quantile": _quantile,
    "smooth_clip": _smooth_clip,
}
_INVERSE: dict[str, Callable[..., str]] = {
    "clamp": _clamp,
    "log": _log_inverse,
    "quantile": _quantile_inverse,
}
_TABLE: dict[str, Callable[..., Columns]] = {
    "impute": _impute,
    "one_hot": _one_hot,
    "drop": _drop,
    "ordinal": ordinal,
    "piecewise_linear": piecewise_linear,
    "rare_categories": rare_categories,
    "target_statistics": target_statistics,
}
