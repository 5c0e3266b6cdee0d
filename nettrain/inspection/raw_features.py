"""The raw columns of a table: changed one at a time, and which of them go together."""

from dataclasses import replace

import numpy as np

from nettrain.data.features import MISSING, Category, Features
from nettrain.errors import ConfigError, nearest

STRONG = 0.8  # a correlation from which two columns tell much the same


def column_names(features: Features) -> tuple[str, ...]:
    """Numeric columns, then categorical ones; none for images."""
    return (*features.names, *features.categories)


def check_column(features: Features, name: str, option: str) -> None:
    """Raises ConfigError for a name that is no column, with the nearest one.

    Args:
        features: Of the model.
        name: What was asked for.
        option: Where it was asked, for the message: `--dependence`.
    """
    known = column_names(features)
    if not known:
        raise ConfigError(f"{option} {name}: the inputs are images, which have no columns")
    if name not in known:
        hint = nearest(name, known) or f"; there are {', '.join(known[:20])}"
        raise ConfigError(f"{option} {name}: there is no such feature{hint}")


def with_permuted(features: Features, name: str, rows: np.ndarray) -> Features:
    """The features with one column taken from other rows; a categorical one moves as a whole."""
    if name in features.categories:
        column = features.categories[name].take(rows)
        return replace(features, categories=features.categories | {name: column})
    return _with_numbers(features, name, features.array[rows, features.names.index(name)])


def with_constant(features: Features, name: str, value: float | str) -> Features:
    """The features with one column set to a value in every row."""
    if name in features.categories:
        values = features.categories[name].values
        code = values.index(str(value))
        column = Category(np.full(len(features), code, dtype=np.int64), values)
        return replace(features, categories=features.categories | {name: column})
    return _with_numbers(features, name, np.full(len(features), value, dtype=np.float64))


def _with_numbers(features: Features, name: str, column: np.ndarray) -> Features:
    numbers = features.array.copy()
    numbers[:, features.names.index(name)] = column
    return replace(features, numbers=numbers)


def correlated_columns(features: Features, strong: float = STRONG) -> list[tuple[str, str, float]]:
    """Pairs of columns that go together, the strongest first.

    Pearson's r of two numeric columns, over the rows in which neither is missing; Cramer's V of two
    categorical ones. Numeric and categorical columns are not compared.

    Args:
        features: Of a table.
        strong: The least absolute value that is named.

    Returns:
        (one, other, r or V).
    """
    pairs = []
    numbers, categories = features.array.astype(np.float64), list(features.categories.items())
    for i, one in enumerate(features.names):
        for j in range(i):
            pairs.append((features.names[j], one, _pearson(numbers[:, j], numbers[:, i])))
    for i, (one, column) in enumerate(categories):
        for other, before in categories[:i]:
            pairs.append((other, one, _cramer(before, column)))
    return sorted((p for p in pairs if abs(p[2]) >= strong), key=lambda pair: -abs(pair[2]))


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2:
        return 0.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def _cramer(a: Category, b: Category) -> float:
    """V = sqrt(chi^2 / (n (min(rows, columns) - 1))) of the table of counts."""
    both = (a.codes != MISSING) & (b.codes != MISSING)
    cells = a.codes[both] * len(b.values) + b.codes[both]
    table = np.bincount(cells, minlength=len(a.values) * len(b.values))
    counts = table.reshape(len(a.values), len(b.values)).astype(np.float64)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    if min(counts.shape) < 2:
        return 0.0
    n = counts.sum()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    return float(np.sqrt(chi_squared / (n * (min(counts.shape) - 1))))
