"""A Dask cluster fit for runs: it answers, its workers have this nettrain, and share storage."""

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, Security, SpecCluster
from distributed.comm import connect

from nettrain.errors import ConfigError, RunError
from nettrain.files import read_text
from nettrain.search.executors.dask import worker as dask_worker
from nettrain.search.executors.dask.queue import QUEUES, queued
from nettrain.training.engine.threads import cores

PORT = 8786  # of a scheduler, unless told otherwise
# Seconds in which a scheduler must answer, a worker be there, and a written file be seen by others.
ANSWER = 10.0
ABSENCE = 60.0  # seconds without any worker after which a search ends
RETURN = 120.0  # seconds in which a scheduler that is gone may come back
GRACE = 5.0  # seconds that a run has to end after its batch, and a client to say goodbye
# Seconds for a cluster's own processes to end. Dask kills a worker that has not ended after four.
ENDING = 30.0


class SchedulerLost(Exception):
    """The scheduler does not answer any more; it may have been started again."""


class Cluster:
    """A connection to a scheduler.

    Args:
        address: Of the scheduler, or the name of a batch system (slurm, pbs ...) whose jobs become
            workers; None: a cluster of its own on this machine.
        workers: How many processes its own cluster has; None: as many as cores.

    Attributes:
        client: What to hand tasks to.
        notes: What the user should know about the workers, a sentence each.

    Raises:
        ConfigError: No scheduler or worker answers, or a worker cannot import nettrain.
    """

    def __init__(self, address: str | None, workers: int | None) -> None:
        self.notes: list[str] = []
        self._shared: list[Path] = []
        self._absence = ABSENCE
        with ExitStack() as ending:
            ending.enter_context(_silenced())
            ending.callback(self._unshare)
            if address in QUEUES:
                queue = queued(address, workers)
                ending.callback(_close, queue, ENDING)
                self.address = queue.scheduler_address
                self._absence = math.inf  # jobs may wait in the queue for days
            elif address is None:
                cluster = LocalCluster(
                    n_workers=workers or cores(),
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=0,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                    preload=[dask_worker.__name__],
                )
                ending.callback(_close, cluster, ENDING)
                self.address = cluster.scheduler_address
            else:
                self.address = _whole(address)
            self.client = self._connected()
            ending.callback(lambda: _close(self.client, GRACE))
            self._wait_for_a_worker(None if address in QUEUES else ANSWER)
            self._present = time.monotonic()
            self._compare()
            self._ending = ending.pop_all()

    def close(self) -> None:
        """Also the processes, where they are its own."""
        self._ending.close()

    def workers(self) -> dict[str, dict[str, Any]]:
        """By address, as they come and go.

        Raises:
            SchedulerLost: It does not answer.
            RunError: All workers have been gone for a minute.
        """
        try:
            if self.client.status != "running":
                raise SchedulerLost
            found = dict(self.client.scheduler_info()["workers"])
        except OSError:
            raise SchedulerLost from None
        if found:
            self._present = time.monotonic()
        elif time.monotonic() > self._present + self._absence:
            raise RunError(
                f"{self.address} has had no worker for {self._absence:g} s; what has finished is "
                f"kept. Start workers with `dask worker {self.address} --nthreads 1`, then --resume"
            )
        return found

    def connect_again(self) -> None:
        """Wait for the scheduler to come back, and for a worker; then there is another `client`.

        Raises:
            RunError: It does not come back within two minutes.
        """
        _close(self.client, GRACE)
        last = time.monotonic() + RETURN
        while True:
            try:
                self.client = self._connected()
                break
            except ConfigError:
                if time.monotonic() > last:
                    raise RunError(
                        f"the scheduler at {self.address} is gone; what has finished is kept: "
                        "start it and its workers again, then --resume"
                    ) from None
                time.sleep(min(1.0, ANSWER))
        self._shared.clear()
        self._present = time.monotonic()

    def share(self, folder: Path) -> Path:
        """The folder, or the nearest one above it that exists, once all workers can write there.

        Raises:
            RunError: A worker does not see it.
        """
        for one in (folder, *folder.parents):
            if one in self._shared:
                return one
        folder = next(one for one in (folder, *folder.parents) if one.is_dir())
        self._shared.append(folder)
        word = uuid.uuid4().hex
        (folder / dask_worker.TOKEN).write_text(word, encoding="utf-8")
        for address in self.workers():
            name = uuid.uuid4().hex[:8]
            answers = self.client.run(
                dask_worker.answer, str(folder), word, name, workers=[address], on_error="ignore"
            )
            if answers:  # else the worker has just left
                file = folder / f"{dask_worker.TOKEN}-{name}"
                if not answers[address] or not _appears(file, word):
                    raise unshared(address, folder)
                file.unlink(missing_ok=True)
        return folder

    def _unshare(self) -> None:
        for folder in self._shared:
            with suppress(OSError):
                (folder / dask_worker.TOKEN).unlink(missing_ok=True)

    def _connected(self) -> Client:
        what = f"executor dask:{self.address}"
        try:
            _knock(self.address)
            return Client(self.address, timeout=ANSWER, set_as_default=False)
        except OSError:
            raise ConfigError(
                f"{what}: no Dask scheduler has answered within {ANSWER:g} s; "
                "start one with `dask scheduler`, and take the address that it prints"
            ) from None
        except MemoryError:  # it speaks of lengths that no message of Dask has
            raise ConfigError(
                f"{what}: what answers there is no Dask scheduler; take the address that "
                "`dask scheduler` prints"
            ) from None
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"{what}: {error}; certificates are named in Dask's configuration, "
                "distributed.comm.tls"
            ) from None

    def _wait_for_a_worker(self, seconds: float | None) -> None:
        try:
            self.client.wait_for_workers(1, timeout=seconds)
        except TimeoutError:
            raise ConfigError(
                f"executor dask:{self.address}: the scheduler has no workers; start some with "
                f"`dask worker {self.address} --nthreads 1 --nworkers auto`"
            ) from None

    def _compare(self) -> None:
        """Note how workers differ from this process, and which leave threads unused."""
        here = dask_worker.about()
        for address, there in self.client.run(dask_worker.about, on_error="return").items():
            if isinstance(there, BaseException):
                raise ConfigError(
                    f"executor dask: the worker {address} cannot run nettrain {here['nettrain']} "
                    f"({type(there).__name__}: {there}); "
                    f'install it there: pip install "nettrain[distributed]=={here["nettrain"]}"'
                )
            if other := [
                f"{key} {there.get(key)} (here {value})"
                for key, value in here.items()
                if there.get(key) != value
            ]:
                self.notes.append(
                    f"the worker {address} has {', '.join(other)}: its runs may differ from those "
                    "made here"
                )
        for address, worker in self.workers().items():
            if worker["nthreads"] > 1:
                self.notes.append(
                    f"the worker {address} has {worker['nthreads']} threads, and makes one run at "
                    f"a time: `dask worker {self.address} --nthreads 1 --nworkers "
                    f"{worker['nthreads']}` makes as many"
                )


def unshared(worker: str, folder: Path) -> RunError:
    """For a worker that does not find what this process has written."""
    return RunError(
        f"{folder}: the worker {worker} does not see this folder, or sees another; the runs of a "
        "cluster need storage that all its machines share: name a folder there with -o"
    )


def _whole(address: str) -> str:
    """With protocol and port. Raises ConfigError."""
    protocol, found, place = address.rpartition("://")
    host, colon, port = place.rpartition(":")
    if not colon:
        host, port = place, str(PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"executor dask:{address}: expected dask:HOST:PORT, as `dask scheduler` prints it: "
            f"dask:10.0.0.5:{PORT}"
        )
    return f"{protocol if found else 'tcp'}://{host}:{port}"


def _knock(address: str) -> None:
    """Raises OSError (TimeoutError is one) where no scheduler answers.

    A whole client that fails to connect would take as long again to end.
    """

    async def greet() -> None:
        comm = await asyncio.wait_for(
            connect(address, timeout=ANSWER, **Security().get_connection_args("client")), ANSWER
        )
        comm.abort()

    with ThreadPoolExecutor(
        1
    ) as thread:  # this one may have an event loop of its own that runs, as notebooks have
        thread.submit(asyncio.run, greet()).result()


def _close(what: Client | SpecCluster, seconds: float) -> None:
    """Wait no longer than that: what has been found is not to be lost over a slow farewell.

    Worker processes that have not ended by then end with this one.
    """
    with suppress(TimeoutError):
        what.close(timeout=seconds)


def _appears(file: Path, word: str) -> bool:
    """Whether a file that another machine has written is seen here, late as it may be."""
    last = time.monotonic() + ANSWER
    while time.monotonic() < last:
        with suppress(OSError):
            if read_text(file) == word:
                return True
        time.sleep(0.1)
    return False


@contextmanager
def _silenced() -> Iterator[None]:
    """Silence Dask's log of what it mends by itself; the executor reports what matters."""
    handlers = {
        handler: handler.level
        for name in ("distributed", "distributed.client")
        for handler in logging.getLogger(name).handlers
    }
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in handlers.items():
            handler.setLevel(level)
