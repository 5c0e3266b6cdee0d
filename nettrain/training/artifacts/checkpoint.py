"""A checkpoint: one safetensors file that needs nothing else to predict.

Arrays are its tensors, the rest is one JSON text in its metadata.
"""

import io
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from nettrain.config.load import load as load_config
from nettrain.config.messages import show
from nettrain.config.plugins import Plugin
from nettrain.config.run_config import RunConfig
from nettrain.errors import CheckpointError, ConfigError
from nettrain.files import open_regular
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.network import Network
from nettrain.training.artifacts.files import write_atomically
from nettrain.training.artifacts.metadata import Metadata

FORMAT = 1
KEY = "nettrain"
CALIBRATION = "conformal"  # the group of tensors that `nettrain calibrate` adds
_PLUGINS = TypeAdapter(Sequence[Plugin])
LONGEST = 1000  # characters of a message about a damaged configuration


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        tensors: By name: `parameters.dense_1.w`, `state.batch_norm_1.mean`,
            `pipeline.transforms.0.mean`, in `last` also `optimizer.m`, flat like the parameter
            vector.
        content: JSON; see `Metadata`.
    """

    tensors: Mapping[str, np.ndarray]
    content: Mapping[str, Any]

    @property
    def trained(self) -> dict[str, np.ndarray]:
        """The tensors that training has left: without what a calibration has added since."""
        added = f"{CALIBRATION}."
        return {name: one for name, one in self.tensors.items() if not name.startswith(added)}

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """The tensors of one group by the rest of their names: group("average")["dense_1.w"]."""
        return {
            name.removeprefix(f"{prefix}."): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(f"{prefix}.")
        }

    def metadata(self, path: Path) -> Metadata:
        """The content, validated. Raises CheckpointError naming the file and the key."""
        return Metadata.of(dict(self.content), path)

    def tensor(self, name: str, like: np.ndarray, path: Path) -> np.ndarray:
        """A tensor of this shape and kind of numbers. Raises CheckpointError for another."""
        tensor = self.tensors.get(name)
        if tensor is None or tensor.shape != like.shape or tensor.dtype.kind != like.dtype.kind:
            found = "missing" if tensor is None else f"of shape {tensor.shape}, {tensor.dtype}"
            raise CheckpointError(
                f"{path}: {name} is {found}, expected the shape {like.shape}, {like.dtype}; the "
                "checkpoint is damaged, or of another model"
            )
        return tensor

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        write_atomically(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """What the file holds.

        Equal checkpoints have equal tensors and content; the order of bytes is the library's.
        """
        # safetensors writes the raw memory: a transposed or strided array would silently be saved
        # as another one. asarray, because ascontiguousarray makes a single number a vector.
        tensors = {name: np.asarray(tensor, order="C") for name, tensor in self.tensors.items()}
        text = json.dumps({"format": FORMAT, **self.content})
        return save(tensors, metadata={KEY: text})

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read a file; its header is checked against its size before anything is allocated.

        Raises:
            CheckpointError: The file is absent, damaged, or no checkpoint.
        """
        with _read_errors(path), open_regular(path) as file:
            content = _content(path, file)
            file.seek(0)
            return cls(load(file.read()), content)

    @classmethod
    def from_bytes(cls, data: bytes, origin: Path) -> "Checkpoint":
        """What `to_bytes` returned; `origin` names it in messages. Raises as `read` does."""
        with _read_errors(origin):
            content = _content(origin, io.BytesIO(data))
            return cls(load(data), content)

    @classmethod
    def read_metadata(cls, path: Path) -> Metadata:
        """The metadata of a file, without reading its tensors."""
        with _read_errors(path), open_regular(path) as file:
            return Metadata.of(_content(path, file), path)


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Inside, everything that a damaged file may raise becomes a CheckpointError."""
    try:
        yield
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: does not exist; a checkpoint is a .safetensors file or a run directory"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        # KeyError: a type of numbers that NumPy lacks; ValueError: more axes than it allows
        raise CheckpointError(
            f"{path}: is damaged ({show(str(error))}); take another checkpoint of the run"
        ) from None


def _content(path: Path, file: BinaryIO) -> dict[str, Any]:
    """The JSON text in the header of a file.

    safetensors: a length of 8 bytes, a JSON object of that length, then the tensors, which must end
    where the file does.
    """
    size = file.seek(0, 2)
    file.seek(0)
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
    if length > size - 8:
        raise CheckpointError(
            f"{path}: is not a checkpoint of nettrain, or was cut short ({size} bytes)"
        )
    try:
        header = json.loads(file.read(length))
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
            f"{path}: was cut short: {size} bytes, but {show(8 + length + end)} by its header; "
            "take another checkpoint"
        )
    if not isinstance(text, str):
        raise CheckpointError(
            f"{path}: holds tensors, but is not a checkpoint of nettrain (no {KEY!r} in its "
            "metadata)"
        )
    try:
        content = json.loads(text)
        found = content["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CheckpointError(f"{path}: its metadata is damaged; take another checkpoint") from None
    if found != FORMAT or isinstance(found, bool):
        newer = isinstance(found, int) and found > FORMAT
        remedy = "update nettrain (pip install --upgrade nettrain)" if newer else "train it again"
        raise CheckpointError(
            f"{path}: has format {show(found)}, this version reads {FORMAT}: {remedy}"
        )
    return dict(content)


def configuration(
    checkpoint: Checkpoint, path: Path, *, allow_plugins: bool = False, same_plugins: bool = True
) -> RunConfig:
    """The configuration of the run that wrote a checkpoint.

    Args:
        checkpoint: That holds it.
        path: Of its file, for messages.
        allow_plugins: Whether the Python files that it names may be imported.
        same_plugins: Whether plugins that have changed since are an error.

    Raises:
        CheckpointError: It cannot be used.
    """
    config = checkpoint.metadata(path).config
    if not same_plugins and "plugins" in config:
        plugins = recorded_plugins(config, path)
        config = config | {"plugins": [{"path": plugin.path} for plugin in plugins]}
    try:
        return load_config(config, allow_plugins=allow_plugins)
    except ConfigError as error:
        problems = "; ".join(error.problems)
        if len(problems) > LONGEST:  # what is damaged may be of any length
            problems = f"{problems[:LONGEST]} ..."
        raise CheckpointError(f"{path}: its configuration cannot be used: {problems}") from None


def recorded_plugins(config: Mapping[str, Any], path: Path) -> Sequence[Plugin]:
    """The plugins of a configuration in a checkpoint, none of them imported.

    Raises:
        CheckpointError: The key does not hold plugins.
    """
    try:
        return _PLUGINS.validate_python(config.get("plugins", ()))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, ("config", "plugins", *problem["loc"])))
        raise CheckpointError(
            f"{path}: its metadata is damaged: {place}: {problem['msg']}; take another checkpoint"
        ) from None


def flat_parameters(checkpoint: Checkpoint, network: Network, path: Path) -> np.ndarray:
    """The weights of a checkpoint in the layout of a network's vector.

    Raises:
        CheckpointError: They do not fit; the first array that does not is named.
    """
    check_shapes(checkpoint, network.layers, path)
    flat = np.empty_like(network.vector.values)
    parameters = checkpoint.group("parameters")
    for name, view in network.vector.named(flat).items():
        view[...] = parameters[name]
    return flat


def check_shapes(checkpoint: Checkpoint, layers: Sequence[BoundLayer], path: Path) -> None:
    """Raises CheckpointError for the first array of the layers that is not there in its shape."""
    for layer in layers:
        shapes = {
            f"parameters.{layer.name}.{key}": parameter.shape
            for key, parameter in layer.parameters.items()
        }
        shapes |= {f"state.{layer.name}.{key}": array.shape for key, array in layer.state.items()}
        for name, shape in shapes.items():
            tensor = checkpoint.tensors.get(name)
            found = "none" if tensor is None else tensor.shape
            if found != shape:
                raise CheckpointError(
                    f"{path}: {name.partition('.')[2]} has shape {found}, the model wants {shape}; "
                    "the checkpoint is of another model"
                )
            if tensor is not None and tensor.dtype.kind != "f":
                raise CheckpointError(
                    f"{path}: {name.partition('.')[2]} holds {tensor.dtype}, expected "
                    "floating-point numbers; the checkpoint is damaged"
                )


def keep_number(path: Path, key: str, value: float | None) -> None:
    """Write a number into the metadata of a checkpoint, or take it out (None).

    The tensors stay the same, and the file is written atomically.
    """
    checkpoint = Checkpoint.read(path)
    content = {name: item for name, item in checkpoint.content.items() if name != key}
    replace(checkpoint, content=content if value is None else content | {key: value}).write(path)
