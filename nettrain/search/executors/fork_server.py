"""The fork server: a process of one thread that loads the data and then forks the workers.

The workers share the data's memory. The server is a program of its own, since a process with
threads (a notebook, a terminal's live view) cannot be forked safely. The fork server of
`multiprocessing` can preload modules but no data, and it imports the user's script again, which
then needs a main guard.

It answers one request at a time: to load data, to fork a worker, and to tell how one ended. Workers
talk to the parent over connections of their own. When the parent is gone, the server kills them.
"""

import gc
import os
import signal
import sys
import traceback
from dataclasses import asdict
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import send_handle

from nettrain.data.loader import Loader
from nettrain.errors import NettrainError
from nettrain.search.executors.job import describe_dataset
from nettrain.search.executors.messages import Message, receive, send
from nettrain.search.executors.parent_death_signal import end_with_parent
from nettrain.search.executors.worker import Worker


class ForkServer:
    """Serves the parent at the other end of a connection."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._workers: set[int] = set()
        self._loader = Loader()

    def serve(self) -> None:
        """Answer requests until the parent is gone."""
        send(self._parent, {"ready": os.getpid()})
        try:
            while True:
                self._handle(receive(self._parent))
        except EOFError:
            return

    def end(self) -> None:
        """Kill all workers."""
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)

    def _handle(self, request: Message) -> None:
        if "prepare" in request:
            send(self._parent, self._load(**request["prepare"]))
        elif "fork" in request:
            self._fork()
        elif "reap" in request:
            send(self._parent, {"code": self._reap(request["reap"])})

    def _load(self, **request: object) -> Message:
        try:
            return {"info": asdict(describe_dataset(**request, loader=self._loader))}  # type: ignore[arg-type]
        except NettrainError as error:
            return {"refused": type(error).__name__, "message": str(error)}
        except MemoryError as error:
            return {
                "refused": "RunError",
                "message": f"out of memory while the data was loaded ({error}); use dataset.limit",
            }
        except Exception:
            return {"fault": traceback.format_exc()}

    def _fork(self) -> None:
        ours, theirs = Pipe()
        gc.collect()
        # What is here now is never collected: the collector would write beside the objects, and the
        # kernel would copy their pages.
        gc.freeze()
        server, threads = os.getpid(), several_threads()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._parent.close()
            child_main(server, theirs, self._loader, threads=threads)
        theirs.close()
        self._workers.add(pid)
        send(self._parent, {"forked": pid})
        send_handle(self._parent, ours.fileno(), None)
        ours.close()

    def _reap(self, pid: int) -> int:
        """How a worker ended, as an exit code or minus the number of a signal."""
        if pid not in self._workers:
            return -signal.SIGKILL  # of an earlier server, which has been killed with its workers
        self._workers.remove(pid)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)


def child_main(server: int, connection: Connection, loader: Loader, *, threads: bool) -> None:
    """What a worker does after the fork; it never returns."""
    code = 1
    try:
        end_with_parent(server)
        Worker(connection, loader, threads=threads).serve()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def several_threads() -> bool:
    """Whether this process has more than one thread.

    The kernel is asked, since Python does not know the threads that libraries start.
    """
    try:
        return len(os.listdir("/proc/self/task")) > 1
    except OSError:
        return "polars" in sys.modules


def main() -> None:
    """The program.

    Its arguments are the connection's descriptor, the id of the parent if this process may end with
    it, else 0, and those of the parent.
    """
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    sys.argv = sys.argv[3:]
    if parent:
        end_with_parent(parent)
    server = ForkServer(Connection(descriptor))
    try:
        server.serve()
    finally:
        server.end()


if __name__ == "__main__":
    main()
