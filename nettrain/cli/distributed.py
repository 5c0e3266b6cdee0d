"""`--distributed`: several processes that train one run; process 0 speaks for all."""

import os
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.failure import reported
from nettrain.cli.output import say, write_stderr
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.training.distributed.group import ProcessGroup

Distributed = Annotated[
    str | None,
    typer.Option(
        "--distributed",
        metavar="mpi",
        help="Train one run in all processes that mpirun or srun has started: "
        "mpirun -n 4 nettrain fit CONFIG --distributed mpi. Results are those of one process.",
        show_default=False,
    ),
]
AllowDifferentBits = Annotated[
    bool,
    typer.Option(
        "--allow-different-bits",
        help="With --distributed: begin even if the processes round differently (other processors "
        "or versions).",
    ),
]

# Seconds in which an error that all processes have reaches all of them; and in which process 0
# saves a run that a signal ends, before another process ends the job.
SAME_ERROR = 5.0
SAVING = 20.0


@contextmanager
def process_group(
    name: str | None, *, allow_different_bits: bool
) -> "Iterator[ProcessGroup | None]":
    """Yield the processes; what ends the block in one of them ends it in all.

    Args:
        name: mpi; None: this process alone, which is no group.
        allow_different_bits: Whether they may round differently.
    """
    if name is None:
        if allow_different_bits:
            raise ConfigError("--allow-different-bits: goes with --distributed mpi")
        yield None
        return
    if name != "mpi":
        raise ConfigError(f"--distributed: expected mpi, got {name!r}")
    from nettrain.training.distributed.mpi import MpiGroup

    group = MpiGroup(allows_different_bits=allow_different_bits)
    first = group.rank == 0
    try:
        yield group
    except BaseException as error:
        # Process 0 speaks at once: the launcher may kill it a second after another has ended.
        exit_code = _told(error) if first else 0
        if not group.all_arrived(SAME_ERROR if first else SAVING):
            if not first:
                write_stderr(f"process {group.rank} on {socket.gethostname()}:")
                exit_code = _told(error)
            group.abort(exit_code)
        raise typer.Exit(exit_code) from None


def _told(error: BaseException) -> int:
    """Print the message, or the traceback of a fault. Returns the exit code."""
    try:
        with reported():
            raise error
    except typer.Exit as ended:
        return ended.exit_code
    except BaseException:
        write_stderr("".join(traceback.format_exception(error)).rstrip())
        return 1


def tell_of_launcher() -> None:
    """Say so where mpirun has started several processes that do not know of each other."""
    size = os.environ.get("OMPI_COMM_WORLD_SIZE") or os.environ.get("PMI_SIZE") or "1"
    rank = os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ.get("PMI_RANK") or "0"
    if size != "1" and rank == "0":
        say(
            f"mpirun has started {size} processes, and each trains a run of its own; to train one "
            "run together: --distributed mpi"
        )
