"""Processes that begin with nettrain imported, forked by an interpreter that has imported it once.

Half a second of a test's process goes into imports. `Popen` takes what `subprocess.Popen` takes, for a
command that is this Python with `-c CODE` or `-m MODULE` (whose `main` is called). The process is a
child of the one that asks, has the environment, descriptors, folder and arguments that it was given,
and ends as the interpreter ends. What is imported when, and whether a program starts at all, needs
`subprocess`. Elsewhere than on Linux this is `subprocess.Popen`.
"""

import ctypes
import fcntl
import gc
import importlib
import inspect
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

IMPORTED = (
    "nettrain.cli.fit",
    "nettrain.cli.progress",
    "nettrain.cli.render",
    "nettrain.cli.sweep",
    "nettrain.config.checks",
    "nettrain.layers.dense",
    "nettrain.losses.cross_entropy",
    "nettrain.models.mlp",
    "nettrain.optim.adam",
    "nettrain.schedules.constant",
    "nettrain.search.executors.fork_server",
    "nettrain.search.sweep.sweep",
    "nettrain.sources.csv",
)
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # with more it could not fork
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
ABOVE = 500  # descriptors that no request names
SIGNATURE = inspect.signature(subprocess.Popen._execute_child)


class Interpreter:
    """The interpreter that forks, as the tests' process sees it."""

    def __init__(self):
        self.program = sys.executable
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ
                | ONE_THREAD
                | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
            )

    def fork(self, request, descriptors):
        """The id of a process that does as the request says; a child of this one."""
        adopts = ctypes.CDLL(None).prctl
        adopts(SUBREAPER, 1)  # the process that forked it has ended: its parent is the next above
        try:
            message = json.dumps(request | {"parent": os.getpid()}).encode()
            socket.send_fds(self._socket, [message], descriptors)
            return int(self._socket.recv(100))
        finally:
            adopts(SUBREAPER, 0)

    def close(self):
        """End the interpreter."""
        self._socket.close()
        self._process.wait()


class Popen(subprocess.Popen):
    """A process of the interpreter, where one is open."""

    interpreter = None

    def _execute_child(self, *arguments, **options):
        given = SIGNATURE.bind(self, *arguments, **options).arguments
        program, *words = map(os.fspath, given["args"])
        if self.interpreter is None or program != self.interpreter.program:
            super()._execute_child(*arguments, **options)
            return
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        ends = [number if end == -1 else end for number, end in enumerate(ends)]
        request = {
            "words": words,
            "folder": os.fspath(given["cwd"] or os.getcwd()),
            "environment": dict(os.environ if given["env"] is None else given["env"]),
            "session": given["start_new_session"],
            "descriptors": [0, 1, 2, *given["pass_fds"]],
        }
        self.pid = self.interpreter.fork(request, [*ends, *given["pass_fds"]])
        self._child_created = True
        names = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[name] for name in names))


def become(request, received, base):
    """Make this process the one that was asked for."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["session"]:
        os.setsid()
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, ABOVE) for descriptor in received]
    for descriptor in received:
        os.close(descriptor)
    for source, target in zip(moved, request["descriptors"], strict=True):
        os.dup2(source, target)
        os.close(source)
    paths = request["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [path for path in paths if path] + base


def run(words):
    """What Python does with these words."""
    while words[0] not in ("-c", "-m"):
        words = words[1:]
    option, program, *arguments = words
    sys.argv[:] = [option, *arguments]
    if option == "-m":
        importlib.import_module(program).main()
    else:
        sys.path.insert(0, "")
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})


def main():
    """Fork processes until nobody is there to ask for one."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    base = [path for path in sys.path if path not in os.environ["PYTHONPATH"].split(os.pathsep)]
    base += [path for path in sys.path if path not in base]
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        message, received, _, _ = socket.recv_fds(asked, 2**20, 64)
        if not message:
            return
        between = os.fork()
        if between == 0:
            if os.fork():
                os._exit(0)
            request = json.loads(message)
            while os.getppid() != request["parent"]:
                time.sleep(0.0005)
            asked.send(str(os.getpid()).encode())
            asked.close()
            become(request, received, base)
            run(request["words"])
            return
        for descriptor in received:
            os.close(descriptor)
        os.waitpid(between, 0)


if __name__ == "__main__":
    main()
