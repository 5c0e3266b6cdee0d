"""The network for tables."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.activations.mish import Mish
from nettrain.component import Count, Real
from nettrain.layers.by_columns import embedded
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.embedding import Embedding
from nettrain.layers.feature_scale import FeatureScale
from nettrain.layers.flatten import Flatten
from nettrain.layers.mean_of_members import MeanOfMembers
from nettrain.layers.members import Members
from nettrain.layers.packed import Packed
from nettrain.layers.parametric_activation import ParametricActivation
from nettrain.layers.piecewise_linear_embedding import PiecewiseLinearEmbedding
from nettrain.models._tables import NUMBER_TRANSFORMS, category_transforms
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number

LARGEST_ONE_HOT = 9  # values of a column that become an input each; of more they are embedded


@dataclass(frozen=True, kw_only=True)
class Tabular(Architecture):
    """Perceptron for tables. Embedded features, scaled, then for each entry of `hidden` dense in
    the neural tangent parametrization, parametric activation, dropout; then dense.

    A plain perceptron fits smooth functions of all features and is slow to bend where a table's
    target does. Here each number is first encoded by bins between quantiles and embedded
    (piecewise_linear_embedding, Gorishniy et al. 2022); codes of the transform ordinal are looked
    up in tables, and indicators, 0 or 1, in which there is nothing to bend, stay as they are
    (by_columns, embedding). The factors of feature_scale and one rate for layers of any width
    follow RealMLP (Holzmüller et al. 2024). How fast a table should be learned is not known
    beforehand, and few validation rows cannot tell: so each member has a learning rate of its own
    (Wenzel et al. 2020, Hyperparameter ensembles for robustness and uncertainty quantification).
    The model brings the settings that it was tried with: they hold where a configuration names
    none.
    """

    settings = {
        "dataset": {
            "number_transforms": NUMBER_TRANSFORMS,
            "category_transforms": category_transforms(LARGEST_ONE_HOT),
        },
        "optimizer": {"type": "adamw", "lr": 0.04, "beta2": 0.95},
        "schedule": "cosine",
        "regularization": {"dropout": 0.1},
        "training": {"epochs": 60, "batch_size": 128},
    }

    hidden: Annotated[
        tuple[Count, ...], Field(description="units of each hidden layer", examples=[[128, 128]])
    ] = (128, 128)
    activation: Annotated[Activation, Field(description="activation of the hidden layers")] = Mish()
    embedding: Annotated[
        Count | None,
        Field(
            description="numbers that each feature becomes; null: numbers are not embedded, and "
            "categories by how many they are"
        ),
    ] = 8
    bins: Annotated[Count, Field(ge=2, le=1024, description="number of bins of a feature")] = 16
    members: Annotated[
        Count,
        Field(description="networks that are trained together, and whose predictions are averaged"),
    ] = 4
    rate_spread: Annotated[
        Real,
        Field(
            ge=1,
            description="the learning rate of the first member, optimizer.lr, relative to that of "
            "the last; those between lie evenly on a logarithmic scale. 1: all have the same",
        ),
    ] = 10.0

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
        members = self.members if self.members > 1 else None
        plain: list[Layer] = [] if members is None else [Members(count=members)]
        numbers: list[Layer] = plain
        rate = self._rate
        if self.embedding is not None:
            numbers = [
                PiecewiseLinearEmbedding(
                    size=self.embedding, bins=self.bins, members=members, learning_rate=rate(1)
                )
            ]
        categories = Embedding(size=self.embedding, members=members, learning_rate=rate(1))
        layers += embedded(numbers, categories, shape, indicators=plain)
        layers.append(FeatureScale(learning_rate=rate(6)))
        for units in self.hidden:
            layers.append(self._dense(units))
            layers.append(ParametricActivation(function=self.activation, learning_rate=rate(0.1)))
            if dropout:
                layers.append(Dropout(rate=dropout))
        layers.append(self._dense(outputs))
        return layers if members is None else [*layers, MeanOfMembers()]

    def _dense(self, units: int) -> Dense:
        kind = Dense if self.members == 1 else Packed
        return kind(
            units=units,
            parametrization="ntk",
            bias_learning_rate=0.1,
            learning_rate=self._rate(1),
        )

    def _rate(self, factor: float) -> float | tuple[float, ...]:
        """Returns the factor of a layer's learning rate, for each member where they differ."""
        if self.members == 1 or self.rate_spread == 1:
            return float(factor)
        return tuple(
            factor * self.rate_spread ** (-j / (self.members - 1)) for j in range(self.members)
        )
