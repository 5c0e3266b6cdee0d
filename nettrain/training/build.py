"""From a configuration to a network: the layers of its model, fitted between data and loss."""

from collections.abc import Sequence

import numpy as np

from nettrain.config.run_config import RunConfig
from nettrain.data.pipeline import Pipeline
from nettrain.data.schema import Schema
from nettrain.data.task import DEFAULT_LOSS, TargetRequirements
from nettrain.errors import ConfigError
from nettrain.nn.bound_layer import BoundLayer, bind, resolve
from nettrain.nn.columns import table_shape
from nettrain.nn.layer import Layer, Report
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network, to_standard_error
from nettrain.nn.parameter import Shape
from nettrain.training.engine.kernels import runs_compiled


def loss_for(config: RunConfig, task: str) -> Loss:
    """The configured loss, or the one that the model or the task asks for."""
    return config.loss or config.model.default_loss(task) or Loss.parse(DEFAULT_LOSS[task])


def data_seed(config: RunConfig) -> int:
    """The seed of split, limit and generated rows."""
    return config.seed if config.dataset.seed is None else config.dataset.seed


def target_requirements(loss: Loss | None) -> TargetRequirements | None:
    """What the loss requires of the target; None, without a loss: anything is fine."""
    if loss is None:
        return None
    return TargetRequirements(loss.name(), loss.tasks, loss.raw_targets, loss.validate_targets)


def encoded(loss: Loss, targets: np.ndarray, size: int, dtype: np.dtype) -> np.ndarray:
    """The targets as the loss takes them: classes as codes, the rest in the network's dtype."""
    found = loss.encode(targets, size)
    return found if found.dtype.kind == "i" else found.astype(dtype, copy=False)


def target_size(schema: Schema) -> int:
    """The number of classes, or of target columns."""
    return (
        len(schema.classes)
        if schema.classes is not None and schema.task == "classification"
        else len(schema.targets)
    )


def input_shape(pipeline: Pipeline) -> Shape:
    """The shape of one row of a network's inputs, which says what are indicators and codes."""
    return table_shape(pipeline.shape, pipeline.cardinalities, pipeline.indicators)


def build(
    layers: Sequence[BoundLayer],
    config: RunConfig,
    shape: Shape,
    kernels: str,
    report: Report = to_standard_error,
) -> Network:
    """Returns the network of these layers, with its initial weights.

    Args:
        layers: those of `layers_for`.
        config: its seed, dtype and learning rates.
        shape: of one input row.
        kernels: numpy or numba, for the outputs in evaluation mode.
        report: takes (layer path, text) from layers that show what passes through them.
    """
    return Network(
        [bound.layer for bound in layers],
        shape,
        seed=config.seed,
        dtype=config.dtype,
        compiled=runs_compiled(kernels),
        rates=vars(config.training.learning_rates),
        report=report,
    )


def layers_for(config: RunConfig, loss: Loss, schema: Schema, shape: Shape) -> list[BoundLayer]:
    """The layers of the network, bound to the shapes of rows, before weights take any memory."""
    outputs = loss.outputs(schema.task, target_size(schema))
    layers = [layer.for_loss(loss) for layer in expanded(config, schema.task, shape, outputs)]
    try:
        bound = bind(resolve(layers), shape)
    except ConfigError as error:
        raise ConfigError([f"model: {problem}" for problem in error.problems]) from None
    last = next((layer.activates for layer in reversed(layers) if not layer.ends_network), None)
    if last is not None and last.name() in loss.applies_activation:
        raise ConfigError(
            f"model: the last layer is {last.name()}, which the loss {loss.name()} applies itself: "
            "leave the layer out"
        )
    output_shape = bound[-1].output_shape if bound else shape
    if output_shape != (outputs,):
        needed = f"{outputs} output{'s' * (outputs != 1)} ({_reason(schema)})"
        remedy = (
            "put a mean_of_members layer at the end"
            if output_shape[1:] == (outputs,)
            else "end with a dense layer that leaves `units` out"
        )
        raise ConfigError(
            f"model: gives rows of shape {output_shape}, but the loss {loss.name()} needs "
            f"{needed}: {remedy}"
        )
    return bound


def expanded(config: RunConfig, task: str, shape: Shape, outputs: int) -> list[Layer]:
    """The layers that the model stands for, not yet bound to shapes."""
    return config.model.for_task(task).expand(shape, outputs, config.regularization.dropout)


def _reason(schema: Schema) -> str:
    if schema.task == "classification":
        return f"{target_size(schema)} classes"
    kind = "label" if schema.task == "multilabel" else "target"
    return f"{target_size(schema)} {kind} column{'s' * (target_size(schema) != 1)}"
