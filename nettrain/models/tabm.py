"""TabM, an ensemble of perceptrons for tables that share their weights."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.activations.relu import Relu
from nettrain.component import Count
from nettrain.initializers.normal import Normal
from nettrain.initializers.random_signs import RandomSigns
from nettrain.layers._embedding import FeatureEmbedding
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.batch_ensemble import BatchEnsemble, uniform_by_inputs
from nettrain.layers.by_columns import embedded
from nettrain.layers.dropout import Dropout
from nettrain.layers.embedding import Embedding
from nettrain.layers.flatten import Flatten
from nettrain.layers.mean_of_members import MeanOfMembers
from nettrain.layers.members import Members
from nettrain.layers.packed import Packed
from nettrain.layers.piecewise_linear_embedding import PiecewiseLinearEmbedding
from nettrain.models._tables import IMPUTE
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.bound_layer import bind
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class Tabm(Architecture):
    """TabM. Features, embedded if so asked, for k members; then in each block batch_ensemble,
    activation, dropout; then a dense layer of each member's own, and the mean of the members.

    The members share the weights of their blocks but for scalings (`variant: full`), or for one
    scaling of the features (mini), or share nothing (packed: k perceptrons). The first scaling
    starts random, 1 or -1, or normal behind an embedding, with one number per feature; all others
    at 1. Each member learns by its own loss; the mean of their predictions is what is monitored.
    The model brings the settings of its authors: they hold where a configuration names none.

    Gorishniy et al. 2025 (TabM), sections 3 and 4; defaults of the package tabm, whose README has
    embeddings of 48 bins and size 16, and of its paper's runs. Theirs have one number of the first
    scaling for all indicators of a category, and do not embed those.
    """

    settings = {
        "dataset": {"number_transforms": [IMPUTE, {"type": "quantile", "to": "normal"}]},
        "optimizer": {"type": "adamw", "lr": 0.002, "weight_decay": 3e-4},
        "regularization": {"dropout": 0.1},
        "training": {"epochs": 200, "batch_size": 256, "clip_norm": 1.0},
        "early_stopping": {"patience": 16},
    }

    members: Annotated[Count, Field(description="k: the number of members")] = 32
    variant: Annotated[
        Literal["full", "mini", "packed"],
        Field(description="what members have of their own: scalings, one scaling, or everything"),
    ] = "full"
    blocks: Annotated[
        Count | None, Field(description="hidden layers; null: 2, without an embedding 3")
    ] = None
    width: Annotated[Count, Field(description="units of a hidden layer")] = 512
    activation: Annotated[Activation, Field(description="activation of the hidden layers")] = Relu()
    embedding: Annotated[
        Layer | None,
        Field(
            description="the layer that embeds the features: piecewise_linear_embedding, "
            "periodic_embedding; null: none",
            examples=["periodic_embedding"],
        ),
    ] = PiecewiseLinearEmbedding(size=16, bins=48)

    def __post_init__(self) -> None:
        if self.embedding is not None and not isinstance(self.embedding, FeatureEmbedding):
            raise ValueError(
                f"embedding: {self.embedding.name()} embeds no features: use "
                "piecewise_linear_embedding, periodic_embedding or null"
            )

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
        numbers = [] if self.embedding is None else [self.embedding]
        layers += embedded(numbers, Embedding(size=self._embedded(shape)), shape)
        layers.append(Members(count=self.members))
        blocks = self.blocks or (3 if self.embedding is None else 2)
        inputs = bind(layers, shape)[-1].output_shape[-1]
        for block in range(blocks):
            layers.append(self._hidden(inputs) if block else self._first(inputs, shape))
            layers.append(ActivationLayer(function=self.activation))
            if dropout:
                layers.append(Dropout(rate=dropout))
            inputs = self.width
        return [*layers, _packed(outputs, inputs), MeanOfMembers()]

    def _first(self, inputs: int, shape: Shape) -> Layer:
        if self.variant == "packed":
            return _packed(self.width, inputs)
        size = self._embedded(shape)
        return BatchEnsemble(
            units=self.width,
            scaling="inputs" if self.variant == "mini" else "full",
            scaling_initializer=RandomSigns() if size is None else Normal(deviation=1.0),
            chunk=size or 1,
        )

    def _embedded(self, shape: Shape) -> int | None:
        """Numbers that a feature becomes; None: as it is."""
        embedding = self.embedding
        return embedding.embedded(shape) if isinstance(embedding, FeatureEmbedding) else None

    def _hidden(self, inputs: int) -> Layer:
        if self.variant == "packed":
            return _packed(self.width, inputs)
        return BatchEnsemble(units=self.width, scaling="none" if self.variant == "mini" else "full")


def _packed(units: int, inputs: int) -> Packed:
    start = uniform_by_inputs(inputs)
    return Packed(units=units, initializer=start, bias_initializer=start)
