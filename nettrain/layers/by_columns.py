"""Layers for numbers and layers for categories, side by side."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers.embedding import SPECIAL, Embedding
from nettrain.layers.parallel import Branch
from nettrain.nn.activation import Activation
from nettrain.nn.bound_layer import BoundLayer, bind, name_layers, resolve
from nettrain.nn.columns import cardinalities_of, table_shape
from nettrain.nn.composite import Composite
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape

Cardinality = Annotated[Count, Field(ge=SPECIAL)]


@dataclass(frozen=True, kw_only=True)
class ByColumns(Composite):
    """Layers by kind of column. y = [f(x_numbers), g(x_codes)], concatenated.

    x (n, d) of d - c numbers and behind them c codes, which the transform `ordinal` makes of
    categories -> y (n, i + o), where f gives i numbers and g o. Each is a list of layers; in names
    they are numbers and categories. It stands in front of all other layers. Where a table has no
    codes, or no numbers, their branch is left out. Both may give rows for k members, (n, k, i) and
    (n, k, o).
    """

    takes_codes = True

    numbers: Annotated[
        Branch,
        Field(
            description="f: layers for the numbers, in this order; empty: they stay as they are",
            examples=[["piecewise_linear_embedding"]],
        ),
    ] = ()
    categories: Annotated[
        Branch, Field(description="g: layers for the codes; embedding must be the first")
    ] = (Embedding(),)
    cardinalities: Annotated[
        tuple[Cardinality, ...] | None,
        Field(
            description="number of codes of each of the last columns, the two of missing cells and "
            "of unseen values among them; null: those of `ordinal`"
        ),
    ] = None

    def with_next_activation(self, activation: Activation | None) -> Layer:
        return self.replace(
            numbers=tuple(resolve(self.numbers, activation)),
            categories=tuple(resolve(self.categories, activation)),
        )

    def with_input_shape(self, shape: Shape) -> Layer:
        given = cardinalities_of(shape)
        if self.cardinalities is None:
            return self.replace(cardinalities=given)
        if given and given != self.cardinalities:
            raise ConfigError(
                f"cardinalities are {list(self.cardinalities)}, and the data has {list(given)}: "
                "leave them out"
            )
        return self

    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        branches = {"numbers": self.numbers, "categories": self.categories}
        bound = []
        for (name, layers), inputs in zip(branches.items(), self._inputs(shape), strict=True):
            try:
                inside = bind(layers, inputs) if inputs[0] else []
            except ConfigError as error:
                raise ConfigError([f"{name}: {problem}" for problem in error.problems]) from None
            bound.append([dataclasses.replace(one, name=f"{name}.{one.name}") for one in inside])
        return bound

    def _inputs(self, shape: Shape) -> tuple[Shape, Shape]:
        """Returns the shapes of the numbers and of the codes."""
        given = self.cardinalities
        cardinalities = cardinalities_of(shape) if given is None else given
        c = len(cardinalities)
        if len(shape) != 1 or c > shape[0]:
            raise ConfigError(
                f"by_columns takes rows of numbers with {c} codes behind them, got rows of shape "
                f"{shape}: put it in front of the other layers of a table"
            )
        return (shape[0] - c,), table_shape((c,), cardinalities)

    def output_shape(self, shape: Shape) -> Shape:
        found = [
            branch[-1].output_shape if branch else inputs
            for branch, inputs in zip(self.bind_branches(shape), self._inputs(shape), strict=True)
        ]
        found = [one for one in found if one != (0,)]
        if len({(len(one), one[:-1]) for one in found}) > 1:
            listed = " and ".join(str(tuple(one)) for one in found)
            raise ConfigError(
                f"numbers and categories give rows of shapes {listed}: to concatenate them they "
                "must agree in all axes but the last"
            )
        return (*found[0][:-1], sum(one[-1] for one in found))

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        numbers = x.shape[1] - len(self.cardinalities or ())
        branches = [
            ("numbers", self.numbers, slice(None, numbers)),
            ("categories", self.categories, slice(numbers, None)),
        ]
        parts = [
            scope.child(name).forward(name_layers(layers), x[:, columns])
            for name, layers, columns in branches
            if len(range(*columns.indices(x.shape[1])))
        ]
        return f.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def embedded(numbers: list[Layer], categories: Layer, shape: Shape) -> list[Layer]:
    """Returns the layers in front of a table's network.

    Args:
        numbers: layers for its numbers.
        categories: the embedding of its codes.
        shape: of one input row; where it has no codes, `numbers` are all there is.
    """
    if not cardinalities_of(shape):
        return numbers
    return [ByColumns(numbers=tuple(numbers), categories=(categories,))]
