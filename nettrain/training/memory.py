"""Whether a network can fit into memory, before anything is allocated for it."""

import math
from collections.abc import Sequence

from nettrain.errors import ConfigError
from nettrain.files import available_memory
from nettrain.nn.bound_layer import BoundLayer

_GB = 1e9


def check_fits_memory(layers: Sequence[BoundLayer], batch_size: int, itemsize: int) -> None:
    """Refuse sizes that certainly do not fit; what optimizer and inner layers add is not counted.

    Args:
        layers: Of the network.
        batch_size: Rows per batch.
        itemsize: Bytes of one number.

    Raises:
        ConfigError: Weights and gradient, or the widest output of a batch, need more bytes than are
            free.
    """
    free = available_memory()
    sizes = {
        layer.name: sum(math.prod(one.shape) for one in layer.parameters.values())
        for layer in layers
    }
    parameters = sum(sizes.values())
    if 2 * itemsize * parameters > free:
        largest = max(sizes, key=sizes.__getitem__)
        raise ConfigError(
            f"model: {parameters:,} parameters and their gradient need "
            f"{2 * itemsize * parameters / _GB:,.1f} GB of memory, and {free / _GB:,.1f} GB are "
            f"free; make {largest} smaller ({sizes[largest]:,} parameters)"
        ) from MemoryError()  # so that a search counts it as one
    widest = max(layers, key=lambda layer: math.prod(layer.output_shape))
    outputs = batch_size * itemsize * math.prod(widest.output_shape)
    if outputs > free:
        raise ConfigError(
            f"model: the outputs of {widest.name} for a batch of {batch_size:,} rows need "
            f"{outputs / _GB:,.1f} GB of memory, and {free / _GB:,.1f} GB are free; make the layer "
            "smaller, or lower training.batch_size"
        ) from MemoryError()
