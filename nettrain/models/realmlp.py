"""RealMLP, the perceptron for tables with tuned defaults."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Count, Flag, Positive
from nettrain.layers.by_columns import embedded
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.embedding import Embedding
from nettrain.layers.feature_scale import FeatureScale
from nettrain.layers.flatten import Flatten
from nettrain.layers.parametric_activation import ParametricActivation
from nettrain.layers.periodic_embedding import PeriodicEmbedding
from nettrain.models._tables import NUMBER_TRANSFORMS, category_transforms
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number

_ACTIVATION = {"classification": "selu", "multilabel": "selu", "regression": "mish"}
_RATE = {"classification": 1.0, "multilabel": 1.0, "regression": 5.0}
_SMOOTHING = 0.1


@dataclass(frozen=True, kw_only=True)
class Realmlp(Architecture):
    """RealMLP. Embedded features, scaled, then for each entry of `hidden` dense in the neural
    tangent parametrization, parametric activation, dropout; then dense.

    Features are embedded by periodic_embedding (pbld), codes of the transform ordinal by tables of
    8 numbers (by_columns, embedding), all scaled by feature_scale, and the dense layers start from
    training rows. The model brings the settings of RealMLP-TD: they hold where a
    configuration names none. Label smoothing serves accuracy; for probabilities write `loss:
    cross_entropy`.

    Holzmüller et al. 2024 (Better by default), section 3; rates, initialization and settings as in
    pytabkit, which embeds no indicators of categories and has no target statistics. Predicted
    numbers are clamped to the range of the targets (clamp), as there.
    """

    target_transforms = ("clamp", "standardize")
    settings = {
        "dataset": {
            "number_transforms": NUMBER_TRANSFORMS,
            "category_transforms": category_transforms(8),
        },
        "optimizer": {
            "type": "adamw",
            "lr": 0.04,
            "beta2": 0.95,
            "weight_decay": {"value": 0.02, "schedule": "flat_cos"},
        },
        "schedule": "coslog4",
        "regularization": {"dropout": {"value": 0.15, "schedule": "flat_cos"}},
        "training": {"epochs": 256, "batch_size": 256, "drop_last": True},
    }

    hidden: Annotated[
        tuple[Count, ...], Field(description="units of each hidden layer", examples=[[256, 256]])
    ] = (256, 256, 256)
    activation: Annotated[
        Activation | None,
        Field(description="activation of the hidden layers; null: selu, for regression mish"),
    ] = None
    embedding: Annotated[
        Flag, Field(description="whether each feature becomes 4 numbers by periodic_embedding")
    ] = True
    learning_rate: Annotated[
        Positive | None,
        Field(
            description="factor of the learning rate; null: 1, for regression 5, so that 0.04 "
            "stands for the paper's 0.2"
        ),
    ] = None

    def for_task(self, task: str) -> "Realmlp":
        return self.replace(
            activation=self.activation or Activation.parse(_ACTIVATION[task]),
            learning_rate=self.learning_rate or _RATE[task],
        )

    def default_loss(self, task: str) -> Loss | None:
        if task != "classification":
            return None
        return Loss.parse({"type": "cross_entropy", "label_smoothing": _SMOOTHING})

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        rate = self.learning_rate or 1.0
        layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
        numbers = [PeriodicEmbedding(learning_rate=0.1 * rate)] if self.embedding else []
        layers += embedded([*numbers], Embedding(size=8, learning_rate=rate), shape)
        layers.append(FeatureScale(learning_rate=6.0 * rate))
        for units in self.hidden:
            layers.append(_dense(units, rate))
            layers.append(
                ParametricActivation(
                    function=self.activation or Activation.parse("selu"), learning_rate=0.1 * rate
                )
            )
            if dropout:
                layers.append(Dropout(rate=dropout))
        return [*layers, _dense(outputs, rate)]


def _dense(units: int, rate: float) -> Dense:
    return Dense(
        units=units,
        parametrization="ntk",
        bias_learning_rate=0.1,
        start_from_rows=True,
        learning_rate=rate,
    )
