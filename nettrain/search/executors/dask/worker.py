"""What a Dask worker does for the executor: one run at a time, reported as JSON texts."""

import json
import platform
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy
from distributed import Status, get_worker
from threadpoolctl import threadpool_info

from nettrain.data.loader import Loader
from nettrain.data.shared_rows import shared
from nettrain.errors import NettrainError
from nettrain.files import read_text
from nettrain.search.executors.base import Job
from nettrain.search.executors.job import describe_dataset, run_job
from nettrain.training.callbacks import Callback
from nettrain.training.run import Run
from nettrain.version import __version__

WANTED = ("executing", "long-running")  # states of a task that somebody waits for
ENDING = (Status.closing, Status.closed, Status.failed)  # of a worker
TOKEN = ".shared"  # begins the names of the files that show that the storage is shared

_loader = Loader()  # of this process, for its life
_loader.keep = shared  # with the other workers of this machine
_one = (
    threading.Lock()
)  # a worker of several threads makes one run at a time too: BLAS threads are limited by process
_under_way: set[str] = set()
_cancelled: set[str] = set()


class Abandoned(BaseException):
    """Nobody waits for this run any more: its search has ended, or died."""


def make(text: str, shared: str, topic: str) -> str:
    """Make the run of a job.

    Returns:
        `{"ended": ...}`, `{"unshared": host}` where the folder is another one here, or `{}` where
        nobody waits for the run any more.
    """
    job = Job(**json.loads(text))
    with _one, suppress(Abandoned):
        if not (Path(shared) / TOKEN).is_file():
            return json.dumps({"unshared": socket.gethostname()})
        with _ClientChannel(job.index, topic) as channel:
            return json.dumps({"ended": asdict(run_job(job, channel, _loader, [channel]))})
    return "{}"


def prepare(config: str, monitor: str | None, allow_plugins: bool) -> str:
    """Load the data into this process.

    Returns:
        `{"info": ...}`, or `{"refused": the class of the error, "message": ...}`.
    """
    with _one:
        try:
            found = describe_dataset(
                json.loads(config), monitor, allow_plugins=allow_plugins, loader=_loader
            )
            return json.dumps({"info": asdict(found)})
        except NettrainError as error:
            return json.dumps(
                {"refused": type(error).__name__, "message": f"{error} (on {socket.gethostname()})"}
            )


class _ClientChannel(Callback):
    """The line from a run to the executor, and the end of a run that nobody waits for."""

    def __init__(self, index: int, topic: str) -> None:
        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._task = self._worker.state.tasks[self._key]
        self._index = index
        self._topic = topic

    def __enter__(self) -> "_ClientChannel":
        _cancelled.discard(self._key)
        _under_way.add(self._key)
        return self

    def __exit__(self, *error: object) -> None:
        _under_way.discard(self._key)
        _cancelled.discard(self._key)

    def report(self, epoch: int, value: float) -> None:
        """With the address, so that the executor knows where to prune."""
        self._worker.log_event(
            self._topic,
            {"index": self._index, "epoch": epoch, "value": value, "worker": self._worker.address},
        )

    def cancelled(self) -> bool:
        """Whether the executor has said so."""
        return self._key in _cancelled

    def begin(self, run: Run) -> None:
        """The data is loaded, which may have taken long."""
        self.batch_end(run)

    def batch_end(self, run: Run) -> None:
        """The scheduler takes a task back when its client has cancelled it, or is gone.

        A worker ends when its scheduler is gone, but for the runs under way: these are made again.
        """
        if self._task.state not in WANTED or self._worker.status in ENDING:
            raise Abandoned


# What follows is called by the executor at once, between two steps of whatever is under way.


def cancel(key: str) -> None:
    """End a run after its epoch."""
    _cancelled.add(key)


def busy(prefix: str) -> bool:
    """Whether a run of an executor is still under way here."""
    return any(key.startswith(prefix) for key in _under_way)


def about() -> dict[str, str]:
    """What the results of a run depend on, bit for bit, in this process."""
    return {
        "nettrain": __version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "BLAS": numpy_blas(),
    }


def numpy_blas() -> str:
    """The BLAS that NumPy calls: its name, version and processor architecture.

    Other packages (SciPy, scikit-learn) may have loaded a BLAS of their own into the process; no
    product of nettrain uses it.
    """
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # The wheel's BLAS lies in numpy.libs beside it, or inside; either may be reached by a link.
    home = Path(numpy.__file__).resolve().parent
    places = (f"{home}.libs", f"{home}/")
    own = [one for one in libraries if str(Path(one["filepath"]).resolve()).startswith(places)]
    return ", ".join(
        sorted(
            {
                f"{one.get('internal_api')} {one.get('version')} {one.get('architecture')}"
                for one in own or libraries
            }
        )
    )


def answer(folder: str, word: str, name: str) -> bool:
    """Whether the folder has the executor's word in it; if so, an answer is left beside it."""
    try:
        seen = read_text(Path(folder) / TOKEN) == word
        if seen:
            (Path(folder) / f"{TOKEN}-{name}").write_text(word, encoding="utf-8")
    except OSError:
        return False
    return seen


def dask_setup(worker: Any) -> None:
    """Ignore Ctrl-C in workers of a local cluster: it is for the executor, which ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
