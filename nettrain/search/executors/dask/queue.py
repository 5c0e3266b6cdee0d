"""Workers as jobs of a batch system, through dask-jobqueue and its own configuration."""

import shutil
import signal
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from distributed import SpecCluster

# The names of batch systems, and the classes that submit to them.
QUEUES = {
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
    "sge": ("dask_jobqueue", "SGECluster"),
    "lsf": ("dask_jobqueue", "LSFCluster"),
    "oar": ("dask_jobqueue", "OARCluster"),
    "htcondor": ("dask_jobqueue", "HTCondorCluster"),
    "local": ("dask_jobqueue.local", "LocalCluster"),  # jobs of this machine, to try settings
}


def _imported(module: str) -> ModuleType:
    """The module. When dask_jobqueue is imported, it takes SIGINT, to end without a word."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        return import_module(module)
    finally:
        if handler is not None and signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)


def queued(name: str, workers: int | None) -> "SpecCluster":
    """A cluster whose workers the batch system starts; its scheduler runs in this process.

    Cores, memory, walltime, partition and so on are those of `jobqueue.NAME` in Dask's own
    configuration (~/.config/dask/jobqueue.yaml).

    Args:
        name: Of the batch system, one of QUEUES.
        workers: How many there are to be.

    Raises:
        ConfigError: dask-jobqueue is not installed, its configuration is incomplete, or the batch
            system is not on this machine.
    """
    if workers is None:
        raise ConfigError(
            f"executor dask:{name}: how many runs at the same time is for you to say: --workers N"
        )
    module, kind = QUEUES[name]
    try:
        make = getattr(_imported(module), kind)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "dask_jobqueue":
            raise
        raise ConfigError(
            f"executor dask:{name}: dask-jobqueue is not installed; pip install dask-jobqueue"
        ) from None
    submit = getattr(make.job_cls, "submit_command", None)
    if submit is not None and shutil.which(submit.split()[0]) is None:
        raise ConfigError(
            f"executor dask:{name}: {submit.split()[0]} is not on this machine: start the search "
            "where jobs are submitted, such as the login node"
        )
    try:
        cluster = make()
    except (ValueError, TypeError) as error:
        message = " ".join(str(error).split())
        raise ConfigError(
            f"executor dask:{name}: {message}; set it under jobqueue.{name} in "
            "~/.config/dask/jobqueue.yaml"
        ) from None
    cluster.scale(n=workers)
    return cluster
