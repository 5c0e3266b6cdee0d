"""From a configuration to a network: the layers that the model section stands for, fitted between the data and the loss."""
from nettrain.config.run_config import RunConfig
from nettrain.data.schema import Schema
from nettrain.errors import ConfigError
from nettrain.nn.layer import Shape
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

DEFAULT_LOSS = {"classification": "cross_entropy", "multilabel": "binary_cross_entropy", "regression": "mse"}


def loss_for(config: RunConfig, task: str) -> Loss:
    """The configured loss, or the one that the task asks for."""
    return config.loss or Loss.parse(DEFAULT_LOSS[task])


def target_size(schema: Schema) -> int:
    """The number of classes, or of target columns."""
    return len(schema.classes) if schema.classes is not None and schema.task == "classification" else len(schema.targets)


def build(config: RunConfig, loss: Loss, schema: Schema, shape: Shape) -> Network:
    """The network for inputs of this shape. Raises ConfigError where layers, loss and data do not fit together."""
    outputs = loss.outputs(schema.task, target_size(schema))
    layers = config.model.expand(shape, outputs, config.regularization.dropout)
    network = Network(layers, shape, seed=config.seed, dtype=config.dtype)
    last = layers[-1].activates if layers else None
    if last is not None and last.name() in loss.contains:
        raise ConfigError(f"model: the last layer is {last.name()}, which the loss {loss.name()} applies itself: leave the layer out")
    if network.output_shape != (outputs,):
        wanted = f"{outputs} output{'s' * (outputs != 1)} ({_reason(schema)})"
        raise ConfigError(
            f"model: gives rows of shape {network.output_shape}, but the loss {loss.name()} needs {wanted}: "
            "end with a dense layer that leaves `units` out"
        )
    return network


def _reason(schema: Schema) -> str:
    if schema.task == "classification":
        return f"{target_size(schema)} classes"
    return f"{target_size(schema)} {'label' if schema.task == 'multilabel' else 'target'} column{'s' * (target_size(schema) != 1)}"
