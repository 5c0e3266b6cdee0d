"""Initial weights from another run: fine-tuning."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nettrain.config.initialize_from import InitializeFrom
from nettrain.errors import CheckpointError, ConfigError, RunError, nearest
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.network import Network
from nettrain.nn.parameter import Shape
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import checkpoint_path

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class InitialWeights:
    """Arrays that replace those with which a network begins, by full name; often none."""

    arrays: Arrays = field(default_factory=dict)

    def copy_into(self, network: Network) -> None:
        """Copy parameters and layers' state (running statistics) by name."""
        own = {**network.vector.views, **network.state}
        for name, array in self.arrays.items():
            own[name][...] = array


def initial_weights(
    layers: Sequence[BoundLayer], settings: InitializeFrom | None
) -> InitialWeights:
    """The weights that another run is evaluated with, for the layers of this one.

    Transforms are not taken over: they are fitted to this run's own data.

    Args:
        layers: Of the network.
        settings: Which run, and what is left out; None: nothing is taken over.

    Raises:
        ConfigError: There is no such run, or the models do not fit: every array of either that has
            no counterpart of its shape and is not left out is named, and everything left out that
            neither has.
    """
    if settings is None:
        return InitialWeights()
    try:
        path = checkpoint_path(Path(settings.run))
        checkpoint = Checkpoint.read(path)
        if checkpoint.metadata(path).ensemble is not None:
            raise CheckpointError(
                f"{path}: is of an ensemble, and a run begins with the weights of one network: "
                "name one of its members"
            )
    except (CheckpointError, RunError) as error:
        raise ConfigError(f"initialize_from: {error}") from None
    given = {
        **(checkpoint.group("average") or checkpoint.group("parameters")),
        **(checkpoint.group("average_state") or checkpoint.group("state")),
    }
    expected = {
        f"{layer.name}.{name}": array.shape
        for group in ("parameters", "state")
        for layer in layers
        for name, array in getattr(layer, group).items()
    }
    problems = [
        *_unknown(settings.leave_out, [*expected, *given], path),
        *_mismatches(expected, given, settings.leave_out, path),
    ]
    if problems:
        raise ConfigError([f"initialize_from: {problem}" for problem in problems])
    return InitialWeights(
        {name: given[name] for name in expected if not _covered(name, settings.leave_out)}
    )


def _covered(name: str, leave_out: tuple[str, ...]) -> bool:
    return any(name == left or name.startswith(f"{left}.") for left in leave_out)


def _unknown(leave_out: tuple[str, ...], names: list[str], path: Path) -> Iterator[str]:
    known = {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}
    for left in leave_out:
        if left not in known:
            hint = nearest(left, known) or f"; there are: {', '.join(sorted(known))}"
            yield f"leave_out: neither the model nor {path} has {left!r}{hint}"


def _mismatches(
    expected: Shapes, given: Arrays, leave_out: tuple[str, ...], path: Path
) -> Iterator[str]:
    for name in [*expected, *(name for name in given if name not in expected)]:
        if _covered(name, leave_out):
            continue
        remedy = f"leave it out (leave_out: [{name.rpartition('.')[0]}]), or make the models alike"
        if name not in given:
            yield f"{name} {expected[name]} is not in {path}: {remedy}"
        elif name not in expected:
            yield f"{name} {given[name].shape} of {path} is not in the model: {remedy}"
        elif expected[name] != given[name].shape:
            yield (
                f"{name} has shape {given[name].shape} in {path} and {expected[name]} in the "
                f"model: {remedy}"
            )
