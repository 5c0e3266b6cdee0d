"""The whole YAML, typed: `RunConfig` and its sections, which refer to kinds of component."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from nettrain.component import (
    Count,
    Flag,
    Index,
    NonNegative,
    Positive,
    Record,
    Share,
    SmallCount,
    Text,
)
from nettrain.config.initialize_from import Initialization
from nettrain.config.logger import Logger
from nettrain.config.plugins import Plugins
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.weights import ClassWeights
from nettrain.nn.architecture import Architecture
from nettrain.nn.loss import Loss
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule, Scheduled, from_mapping


@dataclass(frozen=True, kw_only=True)
class Regularization(Record):
    """Penalties on the weights (not on biases or normalization parameters), and dropout.

    Added to the loss: l1 sum |w| + l2 sum w^2.
    """

    l1: Annotated[
        NonNegative | Scheduled,
        BeforeValidator(from_mapping),
        Field(description="factor of the penalty sum |w|; a mapping as for dropout"),
    ] = 0.0
    l2: Annotated[
        NonNegative | Scheduled,
        BeforeValidator(from_mapping),
        Field(
            description="factor of the penalty sum w^2; PyTorch's weight_decay is twice this; "
            "a mapping as for dropout"
        ),
    ] = 0.0
    dropout: Annotated[
        Share | Scheduled,
        BeforeValidator(from_mapping),
        Field(
            description="fraction of units dropped after each hidden layer; "
            "a mapping lets it follow a schedule: {value: 0.15, schedule: flat_cos}"
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.dropout, Scheduled) and self.dropout.value >= 1:
            raise ValueError(f"dropout.value must be in [0, 1), got {self.dropout.value:g}")


def _factor(of: str) -> FieldInfo:
    return Field(description=f"factor of the learning rate of {of}")


@dataclass(frozen=True, kw_only=True)
class LearningRates(Record):
    """Factors of the learning rate by what parameters do, beside those of the layers.

    AdamW's decay of a parameter is scaled with its rate; biases have none.
    """

    bias: Annotated[Positive, _factor("what is added: biases, beta of normalizations")] = 1.0
    scale: Annotated[
        Positive, _factor("what multiplies channels: feature_scale, gamma of normalizations")
    ] = 1.0
    activation: Annotated[
        Positive, _factor("activations: slopes of prelu, strengths of parametric_activation")
    ] = 1.0
    embedding: Annotated[Positive, _factor("all parameters of layers that embed features")] = 1.0


@dataclass(frozen=True, kw_only=True)
class WeightAveraging(Record):
    """Stochastic weight averaging: the mean of the weights at the ends of late epochs.

    It is evaluated, saved and predicted with from epoch `start` on, the statistics of batch
    normalization computed anew for it. Izmailov et al. 2018, with a constant rate, or a cyclic one
    (cosine_restarts) and `every` the length of a cycle.
    """

    start: Annotated[
        Count, Field(description="first epoch whose weights are averaged", examples=[20])
    ]
    every: Annotated[Count, Field(description="epochs from one average to the next")] = 1


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Record):
    """Epochs, batches, and how each step is computed."""

    epochs: Annotated[Count, Field(description="passes over the training part")] = 30
    batch_size: Annotated[Count | None, Field(description="rows per step; null: all rows")] = 32
    shards: Annotated[
        SmallCount | None,
        Field(
            description="parts of a batch computed in parallel, by threads or by processes "
            "(fit --distributed mpi); the last bits depend on it; "
            "null: decided by model and batch size"
        ),
    ] = None
    kernels: Annotated[
        Literal["auto", "numpy", "numba"],
        Field(
            description="numba: compiled loops (extra fast), other last bits; "
            "auto: numba where it saves more time than it takes to load"
        ),
    ] = "auto"
    accumulate: Annotated[
        Count,
        Field(description="batches whose gradients are summed for one step"),
    ] = 1
    shuffle: Annotated[Flag, Field(description="shuffle the rows in every epoch")] = True
    drop_last: Annotated[
        Flag, Field(description="leave out the rows of an epoch that do not fill a batch")
    ] = False
    learning_rates: LearningRates = LearningRates()
    clip_norm: Annotated[
        Positive | None,
        Field(
            description="maximum gradient norm; larger gradients are scaled down to it",
            examples=[1.0],
        ),
    ] = None
    clip_value: Annotated[
        Positive | None,
        Field(
            description="maximum absolute gradient element; larger ones are clipped, "
            "before clip_norm",
            examples=[0.5],
        ),
    ] = None
    ema: Annotated[
        Share | None,
        Field(
            description="decay rate of a moving average of the weights, "
            "which is then evaluated and saved",
            examples=[0.999],
        ),
    ] = None
    swa: WeightAveraging | None = None
    monitor: Annotated[
        Text | None,
        Field(
            description="metric that chooses the best checkpoint; "
            "null: that of early_stopping, else validation_loss",
            examples=["validation_accuracy"],
        ),
    ] = None
    refine: Annotated[
        Flag,
        Field(
            description="choose the best epoch, and stop, by the validation log loss after "
            "temperature scaling, and keep that temperature: good classes and good probabilities"
        ),
    ] = False
    snapshots: Annotated[
        Count | None,
        Field(
            description="save the weights every so many epochs and before the first, for moving "
            "pictures (nettrain plot RUN boundary --epochs); null: never",
            examples=[5],
        ),
    ] = None
    class_weights: Annotated[
        ClassWeights,
        Field(
            description="weight of each class in the loss, by name (others: 1); "
            "balanced: every class counts the same in total"
        ),
    ] = None
    loggers: Annotated[
        tuple[Logger, ...],
        Field(
            description="programs that the run is logged to while it trains; "
            "they change no result, and one that fails is a warning",
            examples=[["tensorboard"]],
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class EarlyStopping(Record):
    """End training when the monitored metric stops improving."""

    monitor: Annotated[
        Text | None,
        Field(
            description="metric to watch; null: training.monitor",
            examples=["validation_loss"],
        ),
    ] = None
    patience: Annotated[
        Count, Field(description="epochs without improvement before training ends")
    ] = 5
    min_delta: Annotated[
        NonNegative, Field(description="smallest change that counts as an improvement")
    ] = 0.0
    restore_best: Annotated[
        Flag, Field(description="use the weights of the best epoch, not the last")
    ] = True


@dataclass(frozen=True, kw_only=True)
class RunConfig(Record):
    """One run, complete: everything that decides its result."""

    name: Annotated[Text | None, Field(description="name of the run; null: the file's name")] = None
    seed: Annotated[Index, Field(description="seed of everything random in the run")] = 0
    dtype: Annotated[
        Literal["float32", "float64"], Field(description="number format of weights and activations")
    ] = "float32"
    plugins: Plugins = ()
    dataset: DatasetConfig
    model: Architecture
    initialize_from: Initialization = None
    loss: Annotated[
        Loss | None, Field(description="loss function; null: decided by the target")
    ] = None
    optimizer: Annotated[Optimizer, Field(description="update rule of the weights")] = field(
        default_factory=lambda: Optimizer.parse("adam")
    )
    schedule: Annotated[Schedule, Field(description="learning rate over time")] = field(
        default_factory=lambda: Schedule.parse("constant")
    )
    regularization: Regularization = Regularization()
    training: TrainingConfig = TrainingConfig()
    early_stopping: EarlyStopping | None = None
    baseline: Annotated[
        tuple[Literal["constant", "linear"], ...] | None,
        Field(
            description="models to compare the metrics with; constant: class frequencies or the "
            "mean, linear: logistic or ridge regression; null: both, without linear where fitting "
            "it may take long",
            examples=[["constant", "linear"]],
        ),
    ] = None
    diagnostics: Annotated[
        Flag,
        Field(
            description="record per epoch and layer: norms of gradient, weights and update, "
            "dead and saturated units"
        ),
    ] = False

    def compares_with(self, baseline: str) -> bool:
        """Whether metrics stand beside those of `constant` or `linear`."""
        return self.baseline is None or baseline in self.baseline
