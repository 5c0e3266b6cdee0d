"""Categories encoded as means of the target."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Count, NonNegative
from nettrain.data.features import Features
from nettrain.data.rows.columns import beside
from nettrain.data.target import Target
from nettrain.data.transform import Columns, State, Transform
from nettrain.errors import ConfigError
from nettrain.streams import generator
from nettrain.transforms._categories import chosen_columns, learned_values, present_values


@dataclass(frozen=True, kw_only=True)
class TargetStatistics(Transform):
    """Target encoding. y_v = w_v mean_v + (1 - w_v) mean, one column per target.

    mean_v is the target's mean over the n_v training rows of category v, mean that of all training
    rows. With a number m for `smoothing`, w_v = n_v / (n_v + m) (m-estimate). With auto,
    w_v = s^2 / (s^2 + s_v^2 / n_v), where s^2 is the target's variance over all training rows and
    s_v^2 that within the category (empirical Bayes). Micci-Barreca 2001.

    The target is the number itself, 0 or 1 for a label or of two classes for the second, and of
    k > 2 classes k columns of 0 and 1. Numbers (n, d) -> (n, d + columns * targets); the new
    columns are named `city:mean`, or `city:red` with the class or target. Missing cells count as a
    category; one not seen in training gets the mean of all.

    No training row sees its own target: in training its number is learned from the rows of the
    other folds, which are drawn at random but the same for every seed. New rows, and those of any
    part that is evaluated later, get what all training rows give. Row weights do not count.
    scikit-learn: TargetEncoder, whose classes are stratified over the folds.
    """

    smoothing: Annotated[
        Literal["auto"] | NonNegative,
        Field(description="number of rows that the mean of all counts as; auto: empirical Bayes"),
    ] = "auto"
    folds: Annotated[
        Count, Field(ge=2, description="number of folds; training rows learn from the others")
    ] = 5
    columns: Columns = None

    by_chunks = True

    def fit(self, features: Features) -> State:
        """Raises ConfigError: there is no target."""
        return self.fit_to_target(features, None)

    def fit_to_target(self, features: Features, target: Target | None) -> State:
        """Learns the numbers of every category.

        Returns:
            `columns`; for each, `values:city`, its sorted categories, and `means:city`
            (values + 2, t), the numbers of these, of missing cells, and of unseen categories;
            `targets`, the t names behind that of a column.

        Raises:
            ConfigError: There is no target.
        """
        names = chosen_columns(self.columns, features, self.name())
        state: State = {"columns": names, "targets": _targets(target)}
        for name in names:
            column, y = features.categories[name], _numbers(target)
            values = present_values(column)
            state[f"values:{name}"] = values
            state[f"means:{name}"] = self._means(column.places(values), y, len(values))
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Appends the numbers of the chosen columns; the columns go."""
        blocks = []
        for name, values in learned_values(state).items():
            positions = features.categories[name].places(values)
            blocks.append(np.asarray(state[f"means:{name}"])[positions])
        return _appended(features, state, blocks)

    def apply_in_training(
        self, features: Features, state: State, target: Target | None
    ) -> Features:
        """Appends the numbers that the rows of the other folds give."""
        y, n = _numbers(target), len(features)
        fold = generator(0, self.name()).permutation(n) % min(self.folds, n)
        blocks = []
        for name, values in learned_values(state).items():
            positions = features.categories[name].places(values)
            block = np.empty((n, y.shape[1]))
            for held_out in np.unique(fold):
                own = fold == held_out
                others = ~own if n > 1 else own  # a single row has no others to learn from
                means = self._means(positions[others], y[others], len(values))
                block[own] = means[positions[own]]
            blocks.append(block)
        return _appended(features, state, blocks)

    def _means(self, positions: np.ndarray, y: np.ndarray, categories: int) -> np.ndarray:
        """Returns the numbers (categories + 2, t) that some rows give."""
        count = np.bincount(positions, minlength=categories + 2)[:, np.newaxis]
        mean, rows = y.mean(axis=0), np.maximum(count, 1)
        own = _sums(positions, y, categories + 2) / rows
        if self.smoothing == "auto":
            spread = y.var(axis=0)
            within = _sums(positions, (y - own[positions]) ** 2, categories + 2) / rows
            total = spread + within / rows
            weight = spread / np.where(total > 0, total, 1.0)
        else:
            weight = rows / (rows + self.smoothing)
        return np.where(count > 0, weight * own + (1 - weight) * mean, mean)


def _sums(positions: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """Returns the sum of y (n, t) over the rows of each position (size, t)."""
    return np.stack([np.bincount(positions, one, minlength=size) for one in y.T], axis=1)


def _appended(features: Features, state: State, blocks: list[np.ndarray]) -> Features:
    names = [str(name) for name in state["columns"]]
    more = [f"{name}:{target}" for name in names for target in state["targets"]]
    rest = {name: column for name, column in features.categories.items() if name not in names}
    numbers = beside(features.numbers, blocks)
    return replace(features, numbers=numbers, names=(*features.names, *more), categories=rest)


def _numbers(target: Target | None) -> np.ndarray:
    """Returns the targets (n, t) whose means are taken.

    Raises:
        ConfigError: There is no target.
    """
    if target is None:
        raise ConfigError(
            "dataset.transforms: target_statistics: it needs a target, which an autoencoder has "
            "not; use one_hot"
        )
    indicators = target.indicators
    return indicators[:, 1:] if target.classes and len(target.classes) == 2 else indicators


def _targets(target: Target | None) -> list[str]:
    """Returns the names of the targets whose means are taken; `mean` where there is one."""
    t = _numbers(target).shape[1]
    if t == 1 or target is None:
        return ["mean"]
    return list(target.classes or target.names)
