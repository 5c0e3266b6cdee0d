"""The NumPy statements of every transform, and of the inverse of those that a target can have."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nettrain.data.fitted import Fitted
from nettrain.data.linear import LinearTransform
from nettrain.export.numpy.layout import literal, statement

Weights = dict[str, np.ndarray]
Form = Callable[[Any, str, dict[str, str]], str]
_RIM = 1e-7  # of a fraction that becomes a normal quantile, as the transform clips it


def _linear(p: Any, x: str, w: dict[str, str]) -> str:
    offset = f" + {p.offset!r}" if p.offset else ""
    return f"({x} - {w['shift']}) / {w['unit']}{offset}"


def _quantile(p: Any, x: str, w: dict[str, str]) -> str:
    fraction = f"quantile_fraction({x}, {w['quantiles']})"
    return fraction if p.to == "uniform" else f"normal_quantile({fraction}, {_RIM!r})"


def _clamp(p: Any, x: str, w: dict[str, str]) -> str:
    return f"np.clip({x}, {w['low']}, {w['high']})"


_ELEMENTWISE: dict[str, Form] = {
    "clamp": _clamp,
    "clip": lambda p, x, w: f"np.clip({x}, {p.low!r}, {p.high!r})",
    "log": lambda p, x, w: f"log({x}, {p.shift!r})",
    "quantile": _quantile,
    "smooth_clip": lambda p, x, w: f"{x} / np.hypot(1, {x} / {p.bound!r})",
}


def _linear_inverse(p: Any, y: str, w: dict[str, str]) -> str:
    shifted = f"({y} - {p.offset!r})" if p.offset else y
    return f"{shifted} * {w['unit']} + {w['shift']}"


def _quantile_inverse(p: Any, y: str, w: dict[str, str]) -> str:
    fraction = y if p.to == "uniform" else f"normal_fraction({y})"
    return f"from_quantile_fraction({fraction}, {w['quantiles']})"


_INVERSE: dict[str, Form] = {
    "clamp": _clamp,
    "log": lambda p, y, w: f"np.expm1({y}) - {p.shift - 1!r}",
    "quantile": _quantile_inverse,
}
_OF_TABLES = {
    "impute",
    "one_hot",
    "drop",
    "hash_words",
    "ordinal",
    "piecewise_linear",
    "rare_categories",
    "target_statistics",
}
_RENAMES_TEXTS = {"impute", "rare_categories"}


def missing_transforms(chain: tuple[Fitted, ...], targets: tuple[Fitted, ...]) -> list[str]:
    """A sentence for every transform that has no form."""
    found = [
        f"the transform {fitted.transform.name()} has no form in NumPy; give its class a method "
        "to_numpy(self, x, state) that returns an expression"
        for fitted in chain
        if fitted.transform.name() not in _OF_TABLES and _form(fitted) is None
    ]
    return found + [
        f"the target transform {fitted.transform.name()} has no inverse in NumPy; give its class a "
        "method inverse_to_numpy(self, y, state) that returns an expression"
        for fitted in targets
        if _inverse(fitted) is None
    ]


def _form(fitted: Fitted) -> Form | None:
    kind = type(fitted.transform)
    own: Form | None = getattr(kind, "to_numpy", None)
    linear = _linear if isinstance(fitted.transform, LinearTransform) else None
    return own or linear or _ELEMENTWISE.get(kind.name())


def _inverse(fitted: Fitted) -> Form | None:
    kind = type(fitted.transform)
    own: Form | None = getattr(kind, "inverse_to_numpy", None)
    linear = _linear_inverse if isinstance(fitted.transform, LinearTransform) else None
    return own or linear or _INVERSE.get(kind.name())


def may_be_missing(chain: tuple[Fitted, ...], names: tuple[str, ...]) -> list[str]:
    """The columns of numbers whose gaps a transform fills, or that it drops."""
    found: set[str] = set()
    left = list(names)  # new columns come behind these
    for fitted in chain:
        state: dict[str, Any] = fitted.state
        if fitted.transform.name() == "impute":
            fills = np.asarray(state["fill"])[: len(left)]
            found.update(name for name, fill in zip(left, fills, strict=True) if not np.isnan(fill))
        elif fitted.transform.name() == "drop":
            found.update(map(str, state["columns"]))
            left = [name for name in left if name not in state["columns"]]
    return [name for name in names if name in found]


def transform_lines(
    chain: tuple[Fitted, ...], names: tuple[str, ...], weights: Weights
) -> list[str]:
    """The body of `transform(x, texts)` but for its last line.

    Args:
        chain: The fitted transforms.
        names: Of the columns of numbers; empty for images.
        weights: Of the script; what the transforms have learned is added.
    """
    lines = ["x = x.astype(np.float64)"]
    if any(
        fitted.transform.name() in _RENAMES_TEXTS and fitted.state["columns"] for fitted in chain
    ):
        lines.append("texts = dict(texts)")
    columns = list(names)
    for index, fitted in enumerate(chain, start=1):
        key = f"transform_{index}"
        lines.append(f"# {_first_line(fitted)}")
        if fitted.transform.name() in _OF_TABLES:
            lines += _of_tables(fitted, index, columns, weights)
        else:
            x, form = _chosen("x", fitted), _form(fitted)
            assert form is not None  # checked by `missing_transforms`
            lines += statement(x, form(fitted.transform, x, _kept(fitted, key, weights)))
    codes = [
        _codes(index, number)
        for index, fitted in enumerate(chain, start=1)
        if fitted.transform.name() == "ordinal"
        for number in range(1, len(fitted.state["columns"]) + 1)
    ]
    return [*lines, *(statement("x", f"np.column_stack([x, {', '.join(codes)}])") if codes else [])]


def _codes(transform: int, column: int) -> str:
    """The name of the codes that a transform of the chain makes of a column."""
    return f"codes_{transform}_{column}"


def inverse_lines(
    chain: tuple[Fitted, ...], weights: Weights, targets: int = 1, quantiles: int = 1
) -> list[str]:
    """The statements that bring `y` (n, t), or quantiles (n, k t), back to the targets' units."""
    lines = ["# back to the units of the target"] if chain else []
    folded = bool(chain) and min(targets, quantiles) > 1
    if folded:
        lines.append(f"y = y.reshape(-1, {targets})")
    for index, fitted in reversed([*enumerate(chain, start=1)]):
        y, form = _chosen("y", fitted), _inverse(fitted)
        assert form is not None  # checked by `missing_transforms`
        state = _kept(fitted, f"target_{index}", weights)
        lines += statement(y, form(fitted.transform, y, state))
    return [*lines, f"y = y.reshape(-1, {quantiles * targets})"] if folded else lines


def _first_line(fitted: Fitted) -> str:
    return (type(fitted.transform).__doc__ or fitted.transform.name()).strip().splitlines()[0]


def _chosen(value: str, fitted: Fitted) -> str:
    places = fitted.state.get("places")
    if places is None:
        return value
    return f"{value}[..., {[int(place) for place in places]}]"


def _kept(fitted: Fitted, key: str, weights: Weights) -> dict[str, str]:
    """Put what a transform has learned among the weights; returns how the script calls it."""
    state = {name: value for name, value in fitted.state.items() if name != "places"}
    weights.update({f"{key}.{name}": np.asarray(value) for name, value in state.items()})
    return {name: f"W[{literal(f'{key}.{name}')}]" for name in state}


def _of_tables(fitted: Fitted, index: int, columns: list[str], weights: Weights) -> Iterator[str]:
    state: dict[str, Any] = fitted.state
    key = f"transform_{index}"
    named = [str(name) for name in state.get("columns", ())]
    match fitted.transform.name():
        case "impute":
            yield from _impute(state, key, columns, weights)
        case "drop":
            places = [columns.index(name) for name in named if name in columns]
            if places:
                yield from statement("x", f"np.delete(x, {places}, axis=1)")
                columns[:] = [name for name in columns if name not in named]
        case "one_hot":
            for number, name in enumerate(named, start=1):
                values = _texts(state[f"values:{name}"])
                weights[f"{key}.values_{number}"] = values
                new = f'one_hot(texts[{literal(name)}], W["{key}.values_{number}"])'
                yield from statement("x", f"np.column_stack([x, {new}])")
                columns += [f"{name}={value}" for value in values]
        case "piecewise_linear" if len(state["sources"]):
            for name in ("sources", "lower", "upper"):
                weights[f"{key}.{name}"] = np.asarray(state[name])
            arrays = ", ".join(f'W["{key}.{name}"]' for name in ("sources", "lower", "upper"))
            yield from statement("x", f"np.column_stack([x, piecewise_linear(x, {arrays})])")
            columns += [str(name) for name in state["names"]]
        case "rare_categories":
            for number, name in enumerate(named, start=1):
                weights[f"{key}.values_{number}"] = _texts(state[f"values:{name}"])
                cells, kept = f"texts[{literal(name)}]", f'W["{key}.values_{number}"]'
                merged = literal(fitted.transform.merged)  # type: ignore[attr-defined]
                yield from statement(cells, f"merge_rare({cells}, {kept}, {merged})")
        case "ordinal":
            for number, name in enumerate(named, start=1):
                weights[f"{key}.values_{number}"] = _texts(state[f"values:{name}"])
                new = f'ordinal(texts[{literal(name)}], W["{key}.values_{number}"])'
                yield from statement(_codes(index, number), new)
        case "target_statistics":
            for number, name in enumerate(named, start=1):
                weights[f"{key}.values_{number}"] = _texts(state[f"values:{name}"])
                weights[f"{key}.means_{number}"] = np.asarray(state[f"means:{name}"])
                arrays = f'W["{key}.values_{number}"], W["{key}.means_{number}"]'
                new = f"target_statistics(texts[{literal(name)}], {arrays})"
                yield from statement("x", f"np.column_stack([x, {new}])")
                columns += [f"{name}:{target}" for target in state["targets"]]
        case "hash_words":
            size = fitted.transform.size  # type: ignore[attr-defined]
            for name in named:
                new = f"hash_words(texts[{literal(name)}], {size})"
                yield from statement("x", f"np.column_stack([x, {new}])")
                columns += [f"{name}#{j}" for j in range(size)]


def _texts(values: Any) -> np.ndarray:
    return np.array([str(value) for value in values], dtype=np.str_)


def _impute(state: dict[str, Any], key: str, columns: list[str], weights: Weights) -> Iterator[str]:
    flags = [str(name) for name in state["flags"]]
    gaps = [
        f"np.isnan(x[:, {columns.index(name)}])"
        if name in columns
        else f"[not cell for cell in texts[{literal(name)}]]"
        for name in flags
    ]
    if gaps:
        yield from statement("flags", f"np.column_stack([{', '.join(gaps)}])")
    weights[f"{key}.fill"] = np.asarray(state["fill"])
    yield f'x = np.where(np.isnan(x), W["{key}.fill"], x)'
    for name, text in zip(map(str, state["columns"]), map(str, state["texts"]), strict=True):
        cells = f"texts[{literal(name)}]"
        yield from statement(cells, f"[cell or {literal(text)} for cell in {cells}]")
    if gaps:
        yield "x = np.column_stack([x, flags])"
        columns += [f"{name}_missing" for name in flags]
