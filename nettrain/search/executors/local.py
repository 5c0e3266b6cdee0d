"""The executor of all cores of this machine: a nursery and its workers, supervised."""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nettrain import errors
from nettrain.search.executors.base import DatasetInfo, Ended, Executor, Job, Reported, Status
from nettrain.search.executors.channel import Channel, Message
from nettrain.training.engine.threads import cores

# How often a run is begun again when its process dies: often where someone may have killed it, once where it did so itself.
KILLS = 5
CRASHES = 2
OWN_FAULT = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
# Threads would change no bit, but a process that has any cannot be forked safely; and each worker is to use one core.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
GRACE = 5.0  # seconds that a nursery has to end


@dataclass
class _UnderWay:
    job: Job
    began: float
    deaths: int = 0


class Local(Executor):
    """Workers in processes of their own, one thread each. A run whose worker is killed is begun again; no other run notices.

    slots  None: as many as cores
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots = slots or cores()
        self._under_way: dict[int, _UnderWay] = {}
        self._waiting: deque[Message] = deque()
        self._prepared: Message | None = None
        self._ready = False
        self._early_ends = 0
        self._log = tempfile.TemporaryFile()
        self._start()

    def prepare(self, config: Mapping[str, Any], monitor: str | None = None) -> DatasetInfo:
        """In the nursery; workers inherit it."""
        self._prepared = {"prepare": {"config": config, "monitor": monitor}}
        self._send(self._prepared)
        while True:
            for message in self._receive(None):
                if "dataset_info" in message:
                    return DatasetInfo(**message["dataset_info"])
                if "refused" in message:
                    raise getattr(errors, message["refused"], errors.NettrainError)(
                        message["message"]
                    )
                if "fault" in message:
                    raise RuntimeError(f"in the process that loads the data:\n{message['fault']}")

    def submit(self, job: Job) -> None:
        """To a worker that is idle, or a new one."""
        self._under_way[job.index] = _UnderWay(job, time.monotonic())
        self._send({"job": asdict(job)})

    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """What workers tell; of those that died only if their runs have ended with them."""
        last = None if timeout is None else time.monotonic() + timeout
        while True:
            while self._waiting:
                event = self._event(self._waiting.popleft())
                if event is not None:
                    return event
            left = None if last is None else last - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._waiting.extend(self._receive(left))

    def prune(self, index: int) -> None:
        """Pass it on."""
        self._send({"prune": index})

    def close(self) -> None:
        """The nursery kills its workers when it sees that this end is closed."""
        self._channel.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()  # while it loads data it does not look; its workers die with it
            self._process.wait()
        self._log.close()

    def _event(self, message: Message) -> Reported | Ended | None:
        if "reported" in message:
            return Reported(**message["reported"])
        if "ended" in message:
            ended = Ended(**message["ended"])
            del self._under_way[ended.index]
            return ended
        if "died" in message:
            return self._died(**message["died"])
        return None

    def _died(self, index: int, code: int) -> Ended | None:
        """Begin the run again, or give it up."""
        under_way = self._under_way[index]
        under_way.deaths += 1
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        own = code >= 0 or -code in OWN_FAULT
        if under_way.deaths < (CRASHES if own else KILLS):
            self._send({"job": asdict(under_way.job)})
            return None
        del self._under_way[index]
        status: Status = "failed" if own else "killed"
        message = f"its process ended with {how}, {under_way.deaths} times"
        if not own:
            message += "; if nobody killed it, the machine is short of memory"
        return Ended(index, status, None, message, time.monotonic() - under_way.began)

    def _receive(self, timeout: float | None) -> list[Message]:
        """Messages; none after `timeout` seconds, or where a new nursery had to be started."""
        if not select.select([self._channel], [], [], timeout)[0]:
            return []
        messages = self._channel.receive()
        if messages is None:
            self._start_again()
            return []
        self._ready = True
        return messages

    def _send(self, message: Message) -> None:
        try:
            self._channel.send(message)
        except OSError:
            return  # the nursery is gone; the next event begins with that, and another gets all that is under way

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        paths = [path or os.getcwd() for path in sys.path]
        package = str(Path(errors.__file__).parents[1])
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join([package, *paths])}
        # In the main thread of this process the child may die with the thread; any other may end before the executor does.
        parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "nettrain.search.executors.fork_server", str(theirs.fileno()), str(parent), *sys.argv],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment,
                start_new_session=True,  # Ctrl-C is for this process, which decides what becomes of the others
            )  # fmt: skip
        self._ready = False
        self._channel = Channel(ours)

    def _start_again(self) -> None:
        """Somebody has killed the nursery, and its workers with it."""
        self._channel.close()
        code = self._process.wait()
        self._early_ends = 0 if self._ready else self._early_ends + 1
        if self._early_ends and (code >= 0 or self._early_ends == KILLS):
            how = f"was killed {KILLS} times" if code < 0 else f"ended with code {code}"
            raise errors.RunError(
                f"the process that starts workers {how} before it began: {self._last_words()}"
            )
        self._start()
        if self._prepared is not None:
            self._send(self._prepared)
        for index in self._under_way:
            self._waiting.append(
                {"died": {"index": index, "code": code if code < 0 else -signal.SIGKILL}}
            )

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
