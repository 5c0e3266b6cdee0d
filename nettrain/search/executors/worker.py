"""A worker: a process that makes one run after the other, and ends with its fork server."""

import os
import signal
import sys
from dataclasses import asdict
from multiprocessing.connection import Connection

from nettrain.data.loader import Loader
from nettrain.search.executors.base import Job
from nettrain.search.executors.job import run_job
from nettrain.search.executors.messages import Message, receive, send
from nettrain.training.loop import Interrupted


class Worker:
    """Takes jobs from a connection.

    Args:
        connection: To the executor.
        loader: The data that the fork server has loaded; its memory is shared until it is written.
        threads: Whether the fork server had threads of libraries. They do not exist here, and a
            library that waits for them (polars) waits for ever. Such a worker can train but not
            load: before it loads, it replaces itself by a new program.
    """

    def __init__(self, connection: Connection, loader: Loader, *, threads: bool = False) -> None:
        if threads:
            loader.about_to_load = self._execute_anew
        self._connection = connection
        self._loader = loader
        self._index = -1
        self._pruned = False

    def serve(self) -> None:
        """Make runs until the executor is gone, or memory is short: the next worker has it all."""
        while True:
            job = self._next_job()
            self._index, self._pruned = job.index, False
            try:
                ended = run_job(job, self, self._loader)
            except Interrupted as error:
                # A signal meant for this process ends it as if it had not been caught.
                number = error.exit_code - 128
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
                raise
            self._send({"ended": asdict(ended)})
            if ended.status == "out_of_memory":
                return

    def report(self, epoch: int, value: float) -> None:
        """Send the monitored metric to the executor."""
        self._send({"reported": {"index": self._index, "epoch": epoch, "value": value}})

    def cancelled(self) -> bool:
        """Whether a message has come that says so."""
        while self._connection.poll():
            self._pruned |= self._receive().get("prune") == self._index
        return self._pruned

    def _next_job(self) -> Job:
        while "job" not in (message := self._receive()):
            pass  # a request to end a run that has ended already
        return Job(**message["job"])

    def _execute_anew(self) -> None:
        """Become a program that has inherited nothing but its connection, and get the job again."""
        self._send({"again": self._index})
        descriptor = self._connection.fileno()
        os.set_inheritable(descriptor, True)
        module = "nettrain.search.executors.worker"
        arguments = [sys.executable, "-P", "-m", module, str(descriptor), *sys.argv]
        os.execv(sys.executable, arguments)

    def _receive(self) -> Message:
        try:
            return receive(self._connection)
        except EOFError:
            os._exit(0)  # the executor is gone, and nobody wants this run

    def _send(self, message: Message) -> None:
        try:
            send(self._connection, message)
        except EOFError:
            os._exit(0)


def main() -> None:
    """The program that a worker becomes.

    Its arguments are the connection's descriptor, and those of the executor's process.
    """
    connection = Connection(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    Worker(connection, Loader()).serve()


if __name__ == "__main__":
    main()
