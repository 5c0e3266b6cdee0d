"""The whole YAML, typed: `RunConfig` and its sections. It refers to kinds of component, never to their classes."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from nettrain.component import Count, Flag, Index, NonNegative, Positive, Record, Share, Text
from nettrain.config.initialize_from import Initialization
from nettrain.config.plugins import Plugins
from nettrain.data.augmentation import Augmentation
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.transform import Transform
from nettrain.data.weights import ClassWeights
from nettrain.nn.architecture import Architecture
from nettrain.nn.loss import Loss
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Record):
    """Where the rows come from, how they are split, what is done to them."""

    source: Annotated[Source, Field(description="where the rows come from", examples=["digits"])]
    validation_source: Annotated[
        Source | None, Field(description="a separate source for the validation part")
    ] = None
    test_source: Annotated[
        Source | None, Field(description="a separate source for the test part")
    ] = None
    target: Annotated[
        Literal["self"] | None,
        Field(
            description="self: an autoencoder, the transformed inputs are the targets; null: the source's target"
        ),
    ] = None
    seed: Annotated[
        Index | None,
        Field(
            description="of split, limit and generated rows, for runs with other seeds that share them; null: the run's"
        ),
    ] = None
    weights: Annotated[
        Text | None,
        Field(
            description="npy file of how much each row of the source counts in the loss, times its own weight",
            examples=["weights.npy"],
        ),
    ] = None
    split: Split = Split()
    transforms: Annotated[
        tuple[Transform, ...] | None,
        Field(
            description="in this order; null: impute, standardize or scale, one_hot, as the data needs"
        ),
    ] = None
    target_transforms: Annotated[
        tuple[Transform, ...] | None, Field(description="for numeric targets; null: standardize")
    ] = None
    augmentation: Annotated[
        tuple[Augmentation, ...],
        Field(
            description="what chance does to the images of training batches, in this order; never in evaluation",
            examples=[["flip"]],
        ),
    ] = ()
    limit: Annotated[
        Count | None,
        Field(
            description="keep so many rows, drawn with the seed, the same share of every part",
            examples=[1000],
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Regularization(Record):
    """l1 sum |theta| + l2 sum theta^2 over weights (not biases, not normalisation), and dropout after hidden layers."""

    l1: Annotated[NonNegative, Field(description="weight of sum |theta|")] = 0.0
    l2: Annotated[
        NonNegative,
        Field(description="weight of sum theta^2; PyTorch's weight_decay is twice this"),
    ] = 0.0
    dropout: Annotated[
        Share, Field(description="share of units dropped after each hidden layer (mlp and cnn)")
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Record):
    """How long and in what portions."""

    epochs: Annotated[Count, Field(description="passes over the training part")] = 30
    batch_size: Annotated[Count | None, Field(description="rows a step; null: all of them")] = 32
    shards: Annotated[
        Count | None,
        Field(
            description="parts of a batch that run side by side; the bits depend on it; null: as the model and batch want"
        ),
    ] = None
    kernels: Annotated[
        Literal["auto", "numpy", "numba"],
        Field(
            description="numba: compiled loops (extra fast), whose bits differ; auto: where they save more time than they take to load"
        ),
    ] = "auto"
    accumulate: Annotated[
        Count,
        Field(description="batches a step: as one of so many times the rows, in the memory of one"),
    ] = 1
    shuffle: Annotated[Flag, Field(description="a new order of the rows every epoch")] = True
    clip_norm: Annotated[
        Positive | None,
        Field(description="longest gradient; a longer one is shortened to it", examples=[1.0]),
    ] = None
    clip_value: Annotated[
        Positive | None,
        Field(
            description="largest element of the gradient; larger ones are set to it, before clip_norm",
            examples=[0.5],
        ),
    ] = None
    ema: Annotated[
        Share | None,
        Field(
            description="share that a step keeps of the weights' moving average; with it, the average is what is evaluated",
            examples=[0.999],
        ),
    ] = None
    monitor: Annotated[
        Text | None,
        Field(
            description="metric that chooses the best checkpoint; null: validation_loss, or train_loss without validation",
            examples=["validation_accuracy"],
        ),
    ] = None
    class_weights: Annotated[
        ClassWeights,
        Field(
            description="how much the rows of classes count in the loss, by name (others: 1); balanced: all classes alike"
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class EarlyStopping(Record):
    """Stop when the monitored metric no longer improves."""

    monitor: Annotated[
        Text | None,
        Field(
            description="metric; null: the one that chooses the best checkpoint",
            examples=["validation_loss"],
        ),
    ] = None
    patience: Annotated[Count, Field(description="epochs without improvement")] = 5
    min_delta: Annotated[NonNegative, Field(description="what counts as improvement")] = 0.0
    restore_best: Annotated[
        Flag, Field(description="final metrics come from the best weights, not the last")
    ] = True


@dataclass(frozen=True, kw_only=True)
class RunConfig(Record):
    """One run, complete: everything that decides its bits."""

    name: Annotated[
        Text | None, Field(description="of the run directory; null: the file's stem")
    ] = None
    seed: Annotated[Index, Field(description="the one seed of every random stream")] = 0
    dtype: Annotated[
        Literal["float32", "float64"], Field(description="of weights and activations")
    ] = "float32"
    plugins: Plugins = ()
    dataset: DatasetConfig
    model: Architecture
    initialize_from: Initialization = None
    loss: Annotated[Loss | None, Field(description="null: what the target asks for")] = None
    optimizer: Annotated[Optimizer, Field(description="the update rule")] = field(
        default_factory=lambda: Optimizer.parse("adam")
    )
    schedule: Annotated[Schedule, Field(description="the rate over time")] = field(
        default_factory=lambda: Schedule.parse("constant")
    )
    regularization: Regularization = Regularization()
    training: TrainingConfig = TrainingConfig()
    early_stopping: EarlyStopping | None = None
    diagnostics: Annotated[
        Flag,
        Field(
            description="each epoch, of every layer: norms of gradient, weights and update, dead and saturated units"
        ),
    ] = False
