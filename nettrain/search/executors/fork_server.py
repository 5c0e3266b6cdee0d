"""The nursery: a process of one thread that loads the data and then forks the workers, so that the data is in memory once.

The parent of all starts it as a program of its own, for a process that has threads (a notebook, a terminal's live view) cannot be forked
safely. It passes messages on, tells of workers that died, forks others in their place, and ends with its workers when the parent is gone.
"""

import gc
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import asdict

from nettrain.data.loader import Loader
from nettrain.errors import NettrainError
from nettrain.search.executors.channel import Channel, Message, packed
from nettrain.search.executors.job import describe_dataset
from nettrain.search.executors.parent_death import die_with_parent
from nettrain.search.executors.worker import Worker


class Child:
    """A worker as the nursery sees it. job: the message that it was given, None while it has none."""

    def __init__(self, pid: int, channel: Channel) -> None:
        self.pid = pid
        self.channel = channel
        self.job: Message | None = None

    @property
    def index(self) -> int | None:
        """Of its job."""
        return None if self.job is None else int(self.job["job"]["index"])


class Nursery:
    """Serves the parent at the other end of a channel."""

    def __init__(self, parent: Channel) -> None:
        self._parent = parent
        self._outgoing = bytearray()
        self._children: list[Child] = []
        self._loader = Loader()

    def serve(self) -> None:
        """Until the parent is gone."""
        self._tell({"ready": os.getpid()})
        while True:
            channels = [self._parent, *(child.channel for child in self._children)]
            readable, writable, _ = select.select(
                channels, [self._parent] if self._outgoing else [], []
            )
            if writable and not self._flush():
                return
            if self._parent in readable:
                messages = self._parent.receive()
                if messages is None:
                    return
                for message in messages:
                    self._obey(message)
            for child in [child for child in self._children if child.channel in readable]:
                self._hear(child)

    def end(self) -> None:
        """Kill all workers."""
        for child in self._children:
            os.kill(child.pid, signal.SIGKILL)
        for child in self._children:
            os.waitpid(child.pid, 0)

    def _obey(self, message: Message) -> None:
        if "job" in message:
            self._begin(message)
        elif "prune" in message:
            for child in self._children:
                if child.index == message["prune"]:
                    self._pass_on(child, message)
        elif "prepare" in message:
            self._tell(self._prepared(message["prepare"]))

    def _prepared(self, wanted: Message) -> Message:
        try:
            return {
                "dataset_info": asdict(
                    describe_dataset(wanted["config"], wanted["monitor"], self._loader)
                )
            }
        except NettrainError as error:
            return {"refused": type(error).__name__, "message": str(error)}
        except MemoryError as error:
            return {
                "refused": "RunError",
                "message": f"out of memory while the data was loaded ({error}); use dataset.limit",
            }
        except Exception:
            return {"fault": traceback.format_exc()}

    def _begin(self, message: Message) -> None:
        child = next((child for child in self._children if child.job is None), None) or self._fork()
        child.job = message
        self._pass_on(child, message)

    def _pass_on(self, child: Child, message: Message) -> None:
        try:
            child.channel.send(message)
        except OSError:
            return  # it has just died, which is told when its channel is read

    def _hear(self, child: Child) -> None:
        messages = child.channel.receive()
        for message in messages or []:
            if "again" in message and child.job is not None:
                self._pass_on(child, child.job)
                continue
            if "ended" in message:
                child.job = None
            self._tell(message)
        if messages is None:
            self._bury(child)

    def _bury(self, child: Child) -> None:
        self._children.remove(child)
        child.channel.close()
        _, status = os.waitpid(child.pid, 0)
        if child.job is not None:
            self._tell({"died": {"index": child.index, "code": os.waitstatus_to_exitcode(status)}})

    def _tell(self, message: Message) -> None:
        """Without waiting: a parent that is busy must not keep workers from being heard."""
        self._outgoing += packed(message)

    def _flush(self) -> bool:
        """Whether the parent is there to take it."""
        try:
            sent = self._parent.socket.send(self._outgoing, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        del self._outgoing[:sent]
        return True

    def _fork(self) -> Child:
        ours, theirs = socket.socketpair()
        gc.collect()
        gc.freeze()  # what is here now is never collected: the counters beside the objects would be written, and their pages copied
        nursery, threads = os.getpid(), several_threads()
        pid = os.fork()
        if pid == 0:
            self._grow_up(
                nursery,
                [ours, self._parent.socket, *(child.channel.socket for child in self._children)],
                theirs,
                threads,
            )
        theirs.close()
        self._children.append(Child(pid, Channel(ours)))
        return self._children[-1]

    def _grow_up(
        self, nursery: int, others: list[socket.socket], own: socket.socket, threads: bool
    ) -> None:
        """The life of a worker; it never returns. The sockets of others are closed, or nobody would notice their end."""
        code = 1
        try:
            die_with_parent(nursery)
            for other in others:
                other.close()
            Worker(Channel(own), self._loader, threads=threads).serve()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)


def several_threads() -> bool:
    """Whether this process has more than one thread, whoever started it: a library's own are unknown to Python."""
    try:
        return len(os.listdir("/proc/self/task")) > 1
    except OSError:
        return "polars" in sys.modules


def main() -> None:
    """The program. Arguments: the socket's descriptor; the id of the parent, if this process may die with it, or 0; the parent's own."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    sys.argv = sys.argv[3:]
    if parent:
        die_with_parent(parent)
    nursery = Nursery(Channel(socket.socket(fileno=descriptor)))
    try:
        nursery.serve()
    finally:
        nursery.end()


if __name__ == "__main__":
    main()
