"""Trained tables of numbers for categories."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.nn.columns import cardinalities_of
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape

SPECIAL = 2  # codes behind those of the known values: of a missing cell, and of an unseen value
LARGEST_SIZE = 50
STANDARD_NORMAL = Initializer.parse({"type": "normal", "deviation": 1.0})


@dataclass(frozen=True, kw_only=True)
class Embedding(TrainedLayer):
    """Categorical embedding. y = [w_1[x_1], w_2[x_2], ...]: a table w_j for each column of codes.

    x (n, c), codes of the transform `ordinal`; w_j (v_j + 2, s_j) for v_j known values ->
    y (n, s_1 + ... + s_c), with `members` k y (n, k, s_1 + ... + s_c) and w_j (v_j + 2, k s_j), a
    table per member. By default s_j = min(50, (v_j + 1) // 2), as in fast.ai's course of 2018
    and PyTorch Tabular; fastai 2 has min(600, round(1.6 (v_j + 1)^0.56)), RealMLP 8 for all.

    The tables start as the initializer says, by default N(0, 1) as in PyTorch's Embedding and
    RealMLP. The last two rows, of missing cells and of values not seen in training, start at 0, the
    mean of the others. A row that no training row uses stays where it is, but for weight decay: an
    unseen value counts as none in particular. Guo & Berkhahn 2016 (Entity embeddings of categorical
    variables); PyTorch: one nn.Embedding per column.
    """

    independent_rows = True
    takes_codes = True

    size: Annotated[
        Count | None,
        Field(description="numbers that a category becomes; null: by the number of values"),
    ] = None
    initializer: Annotated[Initializer, Field(description="initializer of the tables")] = (
        STANDARD_NORMAL
    )
    members: Annotated[
        Count | None,
        Field(description="members that have tables of their own; null: there are none"),
    ] = None

    def output_shape(self, shape: Shape) -> Shape:
        joined = sum(self._size(cardinality) for cardinality in _cardinalities(shape))
        return (joined,) if self.members is None else (self.members, joined)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        return {
            f"w_{j}": Parameter(
                (cardinality, self._size(cardinality) * (self.members or 1)),
                _ZeroForSpecial(self.initializer),
                fan_out=self._size(cardinality),
                group="embedding",
                members_inside=self.members,
            )
            for j, cardinality in enumerate(_cardinalities(shape), start=1)
        }

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        tables = [scope[f"w_{j}"] for j in range(1, x.shape[1] + 1)]
        if self.members is None:
            return f.embedding(x, tables)
        parts = [
            f.embedding(x[:, j : j + 1], [w]).reshape(-1, self.members, w.shape[1] // self.members)
            for j, w in enumerate(tables)
        ]
        return f.concatenate(parts, axis=-1)

    def _size(self, cardinality: int) -> int:
        return self.size or max(1, min(LARGEST_SIZE, (cardinality - SPECIAL + 1) // 2))


def _cardinalities(shape: Shape) -> tuple[int, ...]:
    """Returns those of all columns.

    Raises:
        ConfigError: some are numbers.
    """
    found = cardinalities_of(shape)
    if not found:
        raise ConfigError(
            f"embedding takes codes of categories, and rows of shape {tuple(shape)} have none: add "
            "ordinal to `dataset.transforms`, and leave one_hot out"
        )
    if len(found) < shape[0]:
        raise ConfigError(
            f"embedding takes codes of categories, and {shape[0] - len(found)} of the {shape[0]} "
            "inputs are numbers: use by_columns, which embeds the codes, in its place"
        )
    return found


@dataclass(frozen=True)
class _ZeroForSpecial(Initializer):
    """Another initializer, but 0 in the rows of missing cells and unseen values."""

    of_values: Initializer

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        table = self.of_values.sample(shape, fan_in, fan_out, generator)
        table[-SPECIAL:] = 0
        return table
