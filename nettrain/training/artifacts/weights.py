"""The weights of a network at one moment, as checkpoints hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nettrain.errors import CheckpointError
from nettrain.nn.network import Network
from nettrain.nn.vector import ParameterVector
from nettrain.training.artifacts.checkpoint import Checkpoint, flat_parameters


@dataclass(frozen=True)
class Weights:
    """The weights of a network, flat, in the layout of its vector.

    Attributes:
        trained: As trained.
        average: Their average, if `training.ema` or `training.swa` keeps one.
        state: The layers' arrays beside their parameters, by full name: running statistics.
        average_state: The same for the average, where it is computed anew; empty: it is `state`.
    """

    trained: np.ndarray
    average: np.ndarray | None = None
    state: Mapping[str, np.ndarray] = field(default_factory=dict)
    average_state: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def evaluated(self) -> np.ndarray:
        """What is evaluated and predicts: the average, where there is one."""
        return self.trained if self.average is None else self.average

    def copy(self) -> "Weights":
        """The same weights in arrays of their own."""
        state = {name: array.copy() for name, array in self.state.items()}
        average_state = {name: array.copy() for name, array in self.average_state.items()}
        average = None if self.average is None else self.average.copy()
        return Weights(self.trained.copy(), average, state, average_state)

    def put_into(self, network: Network) -> None:
        """Make the network one that predicts with them: what is evaluated, and the state."""
        network.vector.values[...] = self.evaluated
        recomputed = self.average is not None and self.average_state
        network.restore_state(self.average_state if recomputed else self.state)

    def tensors(self, vector: ParameterVector) -> dict[str, np.ndarray]:
        """By name: `parameters.dense_1.w`, `average.dense_1.w`, `state.batch_norm_1.mean`."""
        groups = {"parameters": self.trained, "average": self.average}
        flats = [(group, vector.named(flat)) for group, flat in groups.items() if flat is not None]
        return {
            f"{group}.{name}": array
            for group, named in [
                *flats,
                ("state", self.state),
                ("average_state", self.average_state),
            ]
            for name, array in named.items()
        }

    @classmethod
    def read(cls, checkpoint: Checkpoint, network: Network, path: Path) -> "Weights":
        """From a checkpoint. Raises CheckpointError naming what does not fit."""
        trained = flat_parameters(checkpoint, network, path)
        average = checkpoint.group("average")
        state = checkpoint.group("state")
        if not average:
            return cls(trained, state=state)
        flat = np.empty_like(trained)
        for name, view in network.vector.named(flat).items():
            if name not in average or average[name].shape != view.shape:
                raise CheckpointError(
                    f"{path}: the moving average of {name} does not fit the model; the checkpoint "
                    "is of another model"
                )
            view[...] = average[name]
        average_state = checkpoint.group("average_state")
        for name, array in average_state.items():
            if name not in state or array.shape != state[name].shape:
                raise CheckpointError(
                    f"{path}: average_state.{name} does not fit the model; it is damaged"
                )
        return cls(trained, flat, state, average_state)
