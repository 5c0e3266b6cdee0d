"""Multi-layer perceptron."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.activations.relu import Relu
from nettrain.component import Count, Flag
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.batch_norm import BatchNorm
from nettrain.layers.by_columns import embedded
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.embedding import Embedding
from nettrain.layers.flatten import Flatten
from nettrain.layers.mean_of_members import MeanOfMembers
from nettrain.layers.members import Members
from nettrain.layers.packed import Packed
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class Mlp(Architecture):
    """Multi-layer perceptron. Dense, activation and dropout for each entry of `hidden`, then dense.

    It has sum over layers of n_l (n_{l-1} + 1) parameters. `hidden: []` is a linear model. Images
    are flattened, and codes of the transform ordinal embedded (by_columns, embedding). With
    `batch_norm` a hidden layer is dense without a bias (beta takes its place), batch_norm,
    activation, dropout.

    With `members` it is so many networks that share nothing (members, packed, mean_of_members):
    each learns by its own loss from the same batches, and they predict the mean of their
    probabilities or values. `nettrain ensemble` trains members that have batches, best epochs and
    runs of their own, one after the other.
    """

    hidden: Annotated[
        tuple[Count, ...], Field(description="units of each hidden layer", examples=[[64, 64]])
    ] = (64, 64)
    activation: Annotated[Activation, Field(description="activation of the hidden layers")] = Relu()
    batch_norm: Annotated[
        Flag,
        Field(description="batch normalization before each hidden activation"),
    ] = False
    initializer: Annotated[
        Initializer | None,
        Field(description="initializer of the weights; null: the one for the activation"),
    ] = None

    members: Annotated[
        Count,
        Field(description="networks that are trained together, and whose predictions are averaged"),
    ] = 1

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        layers: list[Layer] = [Flatten()] if len(shape) > 1 else embedded([], Embedding(), shape)
        dense = Dense if self.members == 1 else Packed
        if self.members > 1:
            layers.append(Members(count=self.members))
        for units in self.hidden:
            layers.append(
                dense(units=units, bias=not self.batch_norm, initializer=self.initializer)
            )
            if self.batch_norm:
                layers.append(BatchNorm())
            layers.append(ActivationLayer(function=self.activation))
            if dropout:
                layers.append(Dropout(rate=dropout))
        layers.append(dense(units=outputs, initializer=self.initializer))
        return layers if self.members == 1 else [*layers, MeanOfMembers()]
