"""The first weights from another run: fine-tuning."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from nettrain.config.initialize_from import InitializeFrom
from nettrain.errors import CheckpointError, ConfigError, RunError, nearest
from nettrain.nn.network import Network
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import checkpoint_path

Arrays = Mapping[str, np.ndarray]


def initialize(network: Network, settings: InitializeFrom) -> None:
    """Copy the weights that the run is evaluated with, and the layers' state (running statistics), by name.

    Transforms are not taken over: they are fitted to this run's own data. Raises ConfigError where there is no such run, naming every array
    of either model that has no counterpart of its shape in the other and is not left out, and everything left out that neither has.
    """
    try:
        path = checkpoint_path(Path(settings.run))
        checkpoint = Checkpoint.read(path)
        if "ensemble" in checkpoint.content:
            raise CheckpointError(
                f"{path}: is of an ensemble, and a run begins with the weights of one network: name one of its members"
            )
    except (CheckpointError, RunError) as error:
        raise ConfigError(f"initialize_from: {error}") from None
    given = {
        **(checkpoint.group("average") or checkpoint.group("parameters")),
        **checkpoint.group("state"),
    }
    wanted = {**network.vector.views, **network.state}
    problems = [
        *_unknown(settings.leave_out, [*wanted, *given], path),
        *_mismatches(wanted, given, settings.leave_out, path),
    ]
    if problems:
        raise ConfigError([f"initialize_from: {problem}" for problem in problems])
    for name, array in wanted.items():
        if not _covered(name, settings.leave_out):
            array[...] = given[name]


def _covered(name: str, leave_out: tuple[str, ...]) -> bool:
    return any(name == left or name.startswith(f"{left}.") for left in leave_out)


def _unknown(leave_out: tuple[str, ...], names: list[str], path: Path) -> Iterator[str]:
    known = {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}
    for left in leave_out:
        if left not in known:
            hint = nearest(left, known) or f"; there are: {', '.join(sorted(known))}"
            yield f"leave_out: neither the model nor {path} has {left!r}{hint}"


def _mismatches(
    wanted: Arrays, given: Arrays, leave_out: tuple[str, ...], path: Path
) -> Iterator[str]:
    for name in [*wanted, *(name for name in given if name not in wanted)]:
        if _covered(name, leave_out):
            continue
        remedy = f"leave it out (leave_out: [{name.rpartition('.')[0]}]), or make the models alike"
        if name not in given:
            yield f"{name} {wanted[name].shape} is not in {path}: {remedy}"
        elif name not in wanted:
            yield f"{name} {given[name].shape} of {path} is not in the model: {remedy}"
        elif wanted[name].shape != given[name].shape:
            yield f"{name} has shape {given[name].shape} in {path} and {wanted[name].shape} in the model: {remedy}"
