"""A worker: a process that makes one run after the other for the nursery that forked it, and ends when the nursery does."""

import os
import select
import signal
import socket
import sys
from dataclasses import asdict

from nettrain.data.loader import Loader
from nettrain.search.executors.base import Job
from nettrain.search.executors.channel import Channel, Message
from nettrain.search.executors.job import run_job
from nettrain.training.loop import Interrupted


class Worker:
    """Serves jobs from a channel. `loader` holds the data that the nursery has loaded; its memory is shared until someone writes to it.

    threads  whether the nursery had any when it forked: what they were to do is never done here, and a library that waits for it (polars)
             waits for ever. Such a worker can train, but not load: to load it becomes a new program
    """

    def __init__(self, channel: Channel, loader: Loader, *, threads: bool = False) -> None:
        if threads:
            loader.about_to_load = self._begin_anew
        self._channel = channel
        self._loader = loader
        self._index = -1
        self._pruned = False
        self._jobs: list[Message] = []

    def serve(self) -> None:
        """Until the nursery is gone, or memory is short: the next worker begins with all that this one may have lost."""
        while True:
            while not self._jobs:
                self._take()
            job = Job(**self._jobs.pop(0))
            self._index, self._pruned = job.index, False
            try:
                ended = run_job(job, self, self._loader)
            except Interrupted as error:  # a signal that was meant for this process ends it as if it had not been caught
                number = error.exit_code - 128
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
                raise
            self._send({"ended": asdict(ended)})
            if ended.status == "out_of_memory":
                return

    def report(self, epoch: int, value: float) -> None:
        """Pass it on."""
        self._send({"reported": {"index": self._index, "epoch": epoch, "value": value}})

    def given_up(self) -> bool:
        """Look for a message that says so."""
        while select.select([self._channel], [], [], 0)[0]:
            self._take()
        return self._pruned

    def _begin_anew(self) -> None:
        """Become a program that has inherited nothing but its socket, and be given the job again."""
        self._send({"again": self._index})
        own = self._channel.fileno()
        os.set_inheritable(own, True)
        os.execv(
            sys.executable,
            [sys.executable, "-P", "-m", "nettrain.search.executors.worker", str(own), *sys.argv],
        )

    def _take(self) -> None:
        messages = self._channel.receive()
        if messages is None:
            os._exit(0)  # the nursery is gone, and nobody wants this run
        for message in messages:
            if "job" in message:
                self._jobs.append(message["job"])
            elif message.get("prune") == self._index:
                self._pruned = True

    def _send(self, message: Message) -> None:
        try:
            self._channel.send(message)
        except OSError:
            os._exit(0)


def main() -> None:
    """The program that a worker becomes. Arguments: the socket's descriptor, and those of the nursery's parent."""
    own = socket.socket(fileno=int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    Worker(Channel(own), Loader()).serve()


if __name__ == "__main__":
    main()
