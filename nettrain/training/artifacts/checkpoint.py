"""A checkpoint: one safetensors file that needs nothing else to predict; arrays are its tensors, the rest one JSON text in its metadata."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from nettrain.config.load import load as load_config
from nettrain.config.run_config import RunConfig
from nettrain.errors import CheckpointError, ConfigError
from nettrain.files import open_regular
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.network import Network
from nettrain.training.artifacts.files import write_atomically

FORMAT = 1
KEY = "nettrain"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    tensors  by name: `parameters.dense_1.w`, `state.batch_norm_1.mean`, `pipeline.transforms.0.mean`, in `last` also `optimizer.m`, flat
             like the parameter vector
    content  JSON: config, pipeline, and in `last` the progress of the run
    """

    tensors: Mapping[str, np.ndarray]
    content: Mapping[str, Any]

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """The tensors of one group, by the rest of their name: `group("parameters")["dense_1.w"]`."""
        return {
            name.removeprefix(f"{prefix}."): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(f"{prefix}.")
        }

    def write(self, path: Path) -> None:
        """Write the file atomically. Equal checkpoints have equal tensors and content; the order of bytes is the library's."""
        # safetensors writes the raw memory: a transposed or strided array would silently be saved as another one.
        # asarray, for ascontiguousarray makes a single number a vector.
        tensors = {name: np.asarray(tensor, order="C") for name, tensor in self.tensors.items()}
        text = json.dumps({"format": FORMAT, **self.content})
        write_atomically(path, save(tensors, metadata={KEY: text}))

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read a file, its header checked against its size before anything is allocated. Raises CheckpointError naming what is wrong."""
        try:
            with open_regular(path) as file:
                size = file.seek(0, 2)
                file.seek(0)
                content = _content(path, file.read(8), file.read, size)
                file.seek(0)
                tensors = load(file.read())
        except FileNotFoundError:
            raise CheckpointError(
                f"{path}: does not exist; a checkpoint is a .safetensors file or a run directory"
            ) from None
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
        except (
            SafetensorError,
            KeyError,
        ) as error:  # KeyError: a type of numbers that NumPy does not have
            raise CheckpointError(
                f"{path}: is damaged ({error}); take another checkpoint of the run"
            ) from None
        return cls(tensors, content)


def _content(path: Path, prefix: bytes, read: Any, size: int) -> dict[str, Any]:
    """The JSON text of the header: a length of 8 bytes, then a JSON object whose tensors must end where the file does."""
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
    if length > size - 8:
        raise CheckpointError(
            f"{path}: is not a checkpoint of nettrain, or was cut short ({size} bytes)"
        )
    try:
        header = json.loads(read(length))
        metadata = header.pop("__metadata__", None) or {}
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        text = metadata.get(KEY)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ):
        raise CheckpointError(
            f"{path}: is not a checkpoint of nettrain (no safetensors header)"
        ) from None
    if 8 + length + end != size:
        raise CheckpointError(
            f"{path}: was cut short: {size} bytes, its header speaks of {8 + length + end}; take another checkpoint"
        )
    if not isinstance(text, str):
        raise CheckpointError(
            f"{path}: holds tensors, but is not a checkpoint of nettrain (no {KEY!r} in its metadata)"
        )
    try:
        content = json.loads(text)
        found = content["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CheckpointError(f"{path}: its metadata is damaged; take another checkpoint") from None
    if found != FORMAT:
        newer = isinstance(found, int) and found > FORMAT
        remedy = "update nettrain (pip install --upgrade nettrain)" if newer else "train it again"
        raise CheckpointError(
            f"{path}: has format {found!r}, this version reads {FORMAT}: {remedy}"
        )
    return dict(content)


def configuration(
    checkpoint: Checkpoint, path: Path, *, allow_plugins: bool = False, same_plugins: bool = True
) -> RunConfig:
    """The configuration of the run that wrote a checkpoint; its plugins may have changed since unless `same_plugins`."""
    config = checkpoint.content.get("config")
    if not isinstance(config, dict):
        raise CheckpointError(f"{path}: holds no configuration; it is damaged")
    if not same_plugins:
        config = config | {
            "plugins": [{"path": plugin["path"]} for plugin in config.get("plugins", ())]
        }
    try:
        return load_config(config, allow_plugins=allow_plugins)
    except ConfigError as error:
        raise CheckpointError(f"{path}: its configuration cannot be used: {error}") from None


def flat_parameters(checkpoint: Checkpoint, network: Network, path: Path) -> np.ndarray:
    """The weights of a checkpoint in the layout of a network's vector. Raises CheckpointError naming what does not fit."""
    check_shapes(checkpoint, network.layers, path)
    flat = np.empty_like(network.vector.values)
    found = checkpoint.group("parameters")
    for name, view in network.vector.named(flat).items():
        view[...] = found[name]
    return flat


def check_shapes(checkpoint: Checkpoint, layers: Sequence[BoundLayer], path: Path) -> None:
    """Raises CheckpointError naming the first array of the layers, parameter or state, that the checkpoint does not hold in its shape."""
    for layer in layers:
        wanted = {
            f"parameters.{layer.name}.{key}": parameter.shape
            for key, parameter in layer.parameters.items()
        }
        wanted |= {f"state.{layer.name}.{key}": array.shape for key, array in layer.state.items()}
        for full, shape in wanted.items():
            found = checkpoint.tensors[full].shape if full in checkpoint.tensors else "none"
            if found != shape:
                name = full.partition(".")[2]
                raise CheckpointError(
                    f"{path}: {name} has shape {found}, the model wants {shape}; the checkpoint is of another model"
                )
