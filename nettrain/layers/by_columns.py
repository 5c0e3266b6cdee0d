"""Layers for numbers, for indicators and for categories, side by side."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Index
from nettrain.errors import ConfigError
from nettrain.layers.embedding import SPECIAL, Embedding
from nettrain.layers.parallel import Branch
from nettrain.nn.activation import Activation
from nettrain.nn.bound_layer import BoundLayer, bind, name_layers, resolve
from nettrain.nn.columns import cardinalities_of, indicators_of, table_shape
from nettrain.nn.composite import Composite
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape

Cardinality = Annotated[Count, Field(ge=SPECIAL)]


@dataclass(frozen=True, kw_only=True)
class ByColumns(Composite):
    """Layers by kind of column. y = [f(x_numbers), h(x_indicators), g(x_codes)], concatenated.

    x (n, d) of d - c numbers and behind them c codes, which the transform `ordinal` makes of
    categories -> y (n, i + o), where f gives i numbers and g o. Each is a list of layers; in names
    they are numbers and categories. It stands in front of all other layers. Where a table has no
    codes, or no numbers, their branch is left out. Both may give rows for k members, (n, k, i) and
    (n, k, o).

    With `indicators` the last numbers, 0 or 1, which one_hot and the flags of impute make, have
    layers of their own: what bends numbers has nothing to bend in them.
    """

    takes_codes = True

    numbers: Annotated[
        Branch,
        Field(
            description="f: layers for the numbers, in this order; empty: they stay as they are",
            examples=[["piecewise_linear_embedding"]],
        ),
    ] = ()
    indicators: Annotated[
        Branch | None,
        Field(
            description="h: layers for the indicators, in this order; empty: they stay as they "
            "are; null: they count as numbers"
        ),
    ] = None
    categories: Annotated[
        Branch, Field(description="g: layers for the codes; embedding must be the first")
    ] = (Embedding(),)
    indicator_columns: Annotated[
        Index | None,
        Field(
            description="number of indicators, with `indicators`; null: those behind the last "
            "number that no transform made an indicator"
        ),
    ] = None
    cardinalities: Annotated[
        tuple[Cardinality, ...] | None,
        Field(
            description="number of codes of each of the last columns, the two of missing cells and "
            "of unseen values among them; null: those of `ordinal`"
        ),
    ] = None

    def with_next_activation(self, activation: Activation | None) -> Layer:
        indicators = self.indicators
        return self.replace(
            numbers=tuple(resolve(self.numbers, activation)),
            indicators=None if indicators is None else tuple(resolve(indicators, activation)),
            categories=tuple(resolve(self.categories, activation)),
        )

    def with_input_shape(self, shape: Shape) -> Layer:
        if self.indicators is not None and self.indicator_columns is None:
            return self.replace(indicator_columns=indicators_of(shape)).with_input_shape(shape)
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
        bound = []
        for name, layers, inputs in self._branches(shape):
            try:
                inside = bind(layers, inputs) if inputs[0] else []
            except ConfigError as error:
                raise ConfigError([f"{name}: {problem}" for problem in error.problems]) from None
            bound.append([dataclasses.replace(one, name=f"{name}.{one.name}") for one in inside])
        return bound

    def _branches(self, shape: Shape) -> list[tuple[str, tuple[Layer, ...], Shape]]:
        """Returns the name, the layers and the shape of the inputs of each branch, in order."""
        given = self.cardinalities
        cardinalities = cardinalities_of(shape) if given is None else given
        c, b = len(cardinalities), self.indicator_columns or 0
        if len(shape) != 1 or c + b > shape[0]:
            behind = " and ".join([f"{b} indicators"] * bool(b) + [f"{c} codes"])
            raise ConfigError(
                f"by_columns takes rows of numbers with {behind} behind them, got rows of shape "
                f"{shape}: put it in front of the other layers of a table"
            )
        return [
            ("numbers", self.numbers, (shape[0] - c - b,)),
            ("indicators", self.indicators or (), (b,)),
            ("categories", self.categories, table_shape((c,), cardinalities)),
        ]

    def output_shape(self, shape: Shape) -> Shape:
        found = [
            bound[-1].output_shape if bound else inputs
            for bound, (_, _, inputs) in zip(
                self.bind_branches(shape), self._branches(shape), strict=True
            )
        ]
        found = [one for one in found if one != (0,)]
        if len({(len(one), one[:-1]) for one in found}) > 1:
            listed = " and ".join(str(tuple(one)) for one in found)
            raise ConfigError(
                f"the kinds of column give rows of shapes {listed}: to concatenate them they must "
                "agree in all axes but the last"
            )
        return (*found[0][:-1], sum(one[-1] for one in found))

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        parts, first = [], 0
        for name, layers, (columns, *_) in self._branches(x.shape[1:]):
            if columns:
                taken = x[:, first : first + columns]
                parts.append(scope.child(name).forward(name_layers(layers), taken))
                first += columns
        return f.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def embedded(
    numbers: list[Layer], categories: Layer, shape: Shape, indicators: list[Layer] | None = None
) -> list[Layer]:
    """Returns the layers in front of a table's network.

    Args:
        numbers: layers for its numbers.
        categories: the embedding of its codes.
        shape: of one input row; where it has numbers alone, `numbers` are all there is.
        indicators: layers for its indicators; None: they are numbers.
    """
    apart = indicators is not None and indicators_of(shape) > 0
    if not cardinalities_of(shape) and not apart:
        return numbers
    return [
        ByColumns(
            numbers=tuple(numbers),
            indicators=tuple(indicators) if indicators is not None and apart else None,
            categories=(categories,),
        )
    ]
