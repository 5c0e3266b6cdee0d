"""The executor of all cores of this machine: a fork server and its workers, supervised."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any

from nettrain import errors
from nettrain.search.executors.base import DatasetInfo, Ended, Executor, Job, Reported, Status
from nettrain.search.executors.messages import Message, receive, send
from nettrain.training.engine.threads import cores

# How often a run is begun again when its process ends: often where someone may have killed it, once
# where it crashed.
KILLS = 5
CRASHES = 2
CRASH_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
    if hasattr(signal, name)  # Windows, which imports this and forks nothing, has some of them
)
# More threads would not change the results, but a process that has any cannot be forked safely, and
# each worker is to use one core.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
GRACE = 5.0  # seconds that the fork server has to end


@dataclass
class _Worker:
    pid: int
    connection: Connection
    job: Job | None = None


@dataclass
class _UnderWay:
    job: Job
    began: float
    ends: int = 0  # of processes that were to make this run


class Local(Executor):
    """Workers in processes of their own, one thread each.

    A run whose worker is killed is begun again, and no other run notices.

    Args:
        slots: The number of workers; None: as many as cores.
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots = slots or cores()
        self._workers: list[_Worker] = []
        self._under_way: dict[int, _UnderWay] = {}
        self._events: deque[Reported | Ended] = deque()
        self._lost: deque[tuple[int, int]] = deque()  # jobs and exit codes of workers that ended
        self._prepared: Message | None = None
        self._kills = 0  # of the fork server since the last success
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, what workers print
        self._start()

    def prepare(
        self, config: Mapping[str, Any], monitor: str | None = None, *, allow_plugins: bool = False
    ) -> DatasetInfo:
        """Load the data in the fork server, from which workers inherit it."""
        request = {"config": config, "monitor": monitor, "allow_plugins": allow_plugins}
        self._prepared = None
        answer = self._ask({"prepare": request})
        if "refused" in answer:
            raise getattr(errors, answer["refused"], errors.NettrainError)(answer["message"])
        if "fault" in answer:
            raise RuntimeError(f"in the process that loads the data:\n{answer['fault']}")
        self._prepared, self._kills = {"prepare": request}, 0
        return DatasetInfo(**answer["info"])

    def submit(self, job: Job) -> None:
        """Give the job to an idle worker, or to a new one."""
        self._under_way[job.index] = _UnderWay(job, time.monotonic())
        self._assign(job)

    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """What a worker reports; a worker that ended only if its run has ended with it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            while self._lost:
                self._retry(*self._lost.popleft())
            if self._events:
                return self._events.popleft()
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return None
            workers = {worker.connection: worker for worker in self._workers}
            for connection in wait([self._server, *workers], remaining):
                if connection is self._server:
                    self._check_server()
                elif (worker := workers[connection]) in self._workers:  # type: ignore[index]
                    self._receive(worker)

    def prune(self, index: int) -> None:
        """Ask the worker that makes the run."""
        for worker in self._workers:
            if worker.job is not None and worker.job.index == index:
                _send(worker, {"prune": index})

    def close(self) -> None:
        """The fork server kills the workers when it finds its connection closed."""
        self._close_connections()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()  # it is loading data; its workers end with it
            self._process.wait()
        self._log.close()

    def _receive(self, worker: _Worker) -> None:
        try:
            message = receive(worker.connection)
        except EOFError:
            self._workers.remove(worker)
            worker.connection.close()
            code = self._ask({"reap": worker.pid})["code"]
            if worker.job is not None:
                self._lost.append((worker.job.index, code))
            return
        if "reported" in message:
            self._events.append(Reported(**message["reported"]))
        elif "ended" in message:
            ended = Ended(**message["ended"])
            worker.job, self._kills = None, 0
            del self._under_way[ended.index]
            self._events.append(ended)
        elif "again" in message and worker.job is not None:
            _send(worker, {"job": vars(worker.job)})

    def _assign(self, job: Job) -> None:
        worker = next((worker for worker in self._workers if worker.job is None), None)
        if worker is None:
            worker = self._fork()
            self._workers.append(worker)
        worker.job = job
        _send(worker, {"job": vars(job)})

    def _fork(self) -> _Worker:
        while True:
            pid = self._ask({"fork": True})["forked"]
            try:
                return _Worker(pid, Connection(recv_handle(self._server)))
            except EOFError:
                self._start_again()

    def _retry(self, index: int, code: int) -> None:
        """Begin a run again whose worker has ended, or give it up."""
        under_way = self._under_way[index]
        under_way.ends += 1
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        crashed = code >= 0 or -code in CRASH_SIGNALS
        if under_way.ends < (CRASHES if crashed else KILLS):
            self._assign(under_way.job)
            return
        del self._under_way[index]
        status: Status = "failed" if crashed else "killed"
        message = f"its process ended with {how}, {under_way.ends} times"
        if not crashed:
            message += "; if nobody killed it, the machine is short of memory"
        seconds = time.monotonic() - under_way.began
        self._events.append(Ended(index, status, None, message, seconds))

    def _start(self) -> None:
        self._server, theirs = Pipe()
        paths = [path or os.getcwd() for path in sys.path]
        package = str(Path(errors.__file__).parents[1])
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join([package, *paths])}
        # The signal comes at the end of the thread that starts the server: only the main thread
        # lives as long as the executor.
        main = threading.current_thread() is threading.main_thread()
        module = "nettrain.search.executors.fork_server"
        arguments = [str(theirs.fileno()), str(os.getpid() if main else 0), *sys.argv]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=environment,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
        self._ready = False

    def _ask(self, request: Message) -> Message:
        """The fork server's answer; where it has been killed, that of another one."""
        while True:
            try:
                self._wait_until_ready()
                send(self._server, request)
                return receive(self._server)
            except EOFError:
                self._start_again()

    def _wait_until_ready(self) -> None:
        if self._ready:
            return
        receive(self._server)
        self._ready = True
        if self._prepared is not None:
            send(self._server, self._prepared)
            receive(self._server)

    def _check_server(self) -> None:
        """It has begun, or it has ended: it says nothing else unasked."""
        try:
            if self._ready:
                receive(self._server)
            self._wait_until_ready()
        except EOFError:
            self._start_again()

    def _start_again(self) -> None:
        """Start another fork server where one has been killed, and its workers with it."""
        self._close_connections()
        code = self._process.wait()
        lost = code if code < 0 else -signal.SIGKILL
        self._lost += [(one.job.index, lost) for one in self._workers if one.job is not None]
        self._workers = []
        self._kills += 1
        if code >= 0 and not self._ready:
            raise errors.RunError(
                f"the process that starts workers ended with code {code} before it began: "
                f"{self._last_words()}"
            )
        if self._kills == KILLS:
            raise errors.RunError(
                f"the process that starts workers was killed {KILLS} times; if nobody killed it, "
                "the machine is short of memory: use fewer --workers, or dataset.limit"
            )
        self._start()

    def _close_connections(self) -> None:
        for connection in (self._server, *(worker.connection for worker in self._workers)):
            connection.close()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _send(worker: _Worker, message: Message) -> None:
    with suppress(EOFError):  # it has just ended, which shows when its connection is read
        send(worker.connection, message)
