"""The NumPy statements of every transform, and of the inverse of those that a target can have."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nettrain.data.linear import LinearTransform
from nettrain.data.pipeline import Fitted

Weights = dict[str, np.ndarray]
_RIM = 1e-7  # of a fraction that becomes a normal quantile, as the transform clips it


def _linear(p: Any, x: str, key: str) -> str:
    offset = f" + {p.offset!r}" if p.offset else ""
    return f'({x} - W["{key}.shift"]) / W["{key}.unit"]{offset}'


def _quantile(p: Any, x: str, key: str) -> str:
    fraction = f'quantile_fraction({x}, W["{key}.quantiles"])'
    return fraction if p.to == "uniform" else f"normal_quantile({fraction}, {_RIM!r})"


_ELEMENTWISE: dict[str, Callable[[Any, str, str], str]] = {
    "clip": lambda p, x, key: f"np.clip({x}, {p.low!r}, {p.high!r})",
    "log": lambda p, x, key: f"np.log1p({x} + {p.shift - 1!r})",
    "quantile": _quantile,
}


def _linear_inverse(p: Any, y: str, key: str) -> str:
    shifted = f"({y} - {p.offset!r})" if p.offset else y
    return f'{shifted} * W["{key}.unit"] + W["{key}.shift"]'


def _quantile_inverse(p: Any, y: str, key: str) -> str:
    fraction = y if p.to == "uniform" else f"normal_fraction({y})"
    return f'from_quantile_fraction({fraction}, W["{key}.quantiles"])'


_INVERSE: dict[str, Callable[[Any, str, str], str]] = {
    "log": lambda p, y, key: f"np.expm1({y}) - {p.shift - 1!r}",
    "quantile": _quantile_inverse,
}
_OF_TABLES = {"impute", "one_hot", "drop", "hash_words"}


def missing_transforms(chain: tuple[Fitted, ...], targets: tuple[Fitted, ...]) -> list[str]:
    """A sentence for every transform that has no form."""
    found = [
        f"the transform {name} has no form in NumPy"
        for name in (fitted.transform.name() for fitted in chain if not _has_form(fitted))
    ]
    return found + [
        f"the target transform {fitted.transform.name()} has no inverse in NumPy"
        for fitted in targets
        if not isinstance(fitted.transform, LinearTransform)
        and fitted.transform.name() not in _INVERSE
    ]


def _has_form(fitted: Fitted) -> bool:
    known = {*_ELEMENTWISE, *_OF_TABLES}
    return isinstance(fitted.transform, LinearTransform) or fitted.transform.name() in known


def transform_lines(
    chain: tuple[Fitted, ...], names: tuple[str, ...], weights: Weights
) -> list[str]:
    """The body of `transform(numbers, texts)` but for its last line.

    Args:
        chain: The fitted transforms.
        names: Of the columns of numbers; empty for images.
        weights: Of the script; what the transforms have learned is added.
    """
    lines = ["numbers = numbers.astype(np.float64)"]
    columns = list(names)
    for index, fitted in enumerate(chain, start=1):
        key = f"transform_{index}"
        lines.append(f"# {_first_line(fitted)}")
        if fitted.transform.name() in _OF_TABLES:
            lines += _of_tables(fitted, key, columns, weights)
        else:
            lines += _elementwise(fitted, key, weights)
    return lines


def inverse_lines(chain: tuple[Fitted, ...], weights: Weights) -> list[str]:
    """The statements that bring `y` (n, t) back to the units of the targets."""
    lines = []
    for index, fitted in reversed([*enumerate(chain, start=1)]):
        key = f"target_{index}"
        _keep(fitted, key, weights)
        form = (
            _linear_inverse
            if isinstance(fitted.transform, LinearTransform)
            else _INVERSE[fitted.transform.name()]
        )
        y = _chosen("y", fitted)
        lines.append(f"{y} = {form(fitted.transform, y, key)}  # back to the units of the target")
    return lines


def _first_line(fitted: Fitted) -> str:
    return (type(fitted.transform).__doc__ or "").strip().splitlines()[0]


def _chosen(value: str, fitted: Fitted) -> str:
    places = fitted.state.get("places")
    if places is None:
        return value
    return f"{value}[..., {[int(place) for place in places]}]"


def _keep(fitted: Fitted, key: str, weights: Weights) -> None:
    for name in ("shift", "unit", "quantiles"):
        if name in fitted.state:
            weights[f"{key}.{name}"] = np.asarray(fitted.state[name])


def _elementwise(fitted: Fitted, key: str, weights: Weights) -> Iterator[str]:
    _keep(fitted, key, weights)
    form = (
        _linear
        if isinstance(fitted.transform, LinearTransform)
        else _ELEMENTWISE[fitted.transform.name()]
    )
    x = _chosen("numbers", fitted)
    yield f"{x} = {form(fitted.transform, x, key)}"


def _of_tables(fitted: Fitted, key: str, columns: list[str], weights: Weights) -> Iterator[str]:
    state: dict[str, Any] = fitted.state
    named = [str(name) for name in state["columns"]]
    match fitted.transform.name():
        case "impute":
            yield from _impute(state, key, columns, weights)
        case "drop":
            places = [columns.index(name) for name in named if name in columns]
            for name in named:
                if name not in columns:
                    yield f"del texts[{name!r}]"
            if places:
                yield f"numbers = np.delete(numbers, {places}, axis=1)"
                columns[:] = [name for name in columns if name not in named]
        case "one_hot":
            for name in named:
                values = [str(value) for value in state[f"values:{name}"]]
                yield f"new = one_hot(texts.pop({name!r}), {values!r})"
                yield "numbers = np.column_stack([numbers, new])"
                columns += [f"{name}={value}" for value in values]
        case "hash_words":
            size = fitted.transform.size  # type: ignore[attr-defined]
            for name in named:
                yield f"new = hash_words(texts.pop({name!r}), {size})"
                yield "numbers = np.column_stack([numbers, new])"
                columns += [f"{name}#{j}" for j in range(size)]


def _impute(state: dict[str, Any], key: str, columns: list[str], weights: Weights) -> Iterator[str]:
    flags = [str(name) for name in state["flags"]]
    gaps = [
        f"np.isnan(numbers[:, {columns.index(name)}])"
        if name in columns
        else f"[not cell for cell in texts[{name!r}]]"
        for name in flags
    ]
    if gaps:
        yield f"flags = np.column_stack([{', '.join(gaps)}])"
    weights[f"{key}.fill"] = np.asarray(state["fill"])
    yield f'numbers = np.where(np.isnan(numbers), W["{key}.fill"], numbers)'
    for name, text in zip(map(str, state["columns"]), map(str, state["texts"]), strict=True):
        yield f"texts[{name!r}] = [cell or {text!r} for cell in texts[{name!r}]]"
    if gaps:
        yield "numbers = np.column_stack([numbers, flags])"
        columns += [f"{name}_missing" for name in flags]
