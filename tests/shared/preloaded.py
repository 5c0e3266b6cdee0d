"""Processes that begin with nettrain imported, forked by an interpreter that has imported it once.

Half a second of a test's process goes into imports. `Popen` takes what tests give `subprocess.Popen`, for a
command that is this Python with `-c CODE` or `-m MODULE` (whose `main` is called). The process is a
child of the one that asks, has the environment, descriptors, folder and arguments that it was given,
and ends as the interpreter ends. What is imported when, and whether a program starts at all, needs
`subprocess`. Elsewhere than on Linux this is `subprocess.Popen`.
"""

import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread

from forked_child import ForkedChild

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


class ForkedProcess:
    """A process of an interpreter, with those parts of `subprocess.Popen` that tests use.

    Attributes:
        pid, stdin, stdout, stderr, returncode: As `subprocess.Popen` has them.
    """

    def __init__(
        self,
        interpreter,
        words,
        *,
        stdin=None,
        stdout=None,
        stderr=None,
        text=False,
        env=None,
        start_new_session=False,
        pass_fds=(),
    ):
        self.returncode, self._words = None, words
        wanted = zip((0, 1, 2), (stdin, stdout, stderr), strict=True)
        with ExitStack() as theirs:
            streams = [_Stream(number, given, theirs) for number, given in wanted]
            request = {
                "words": words,
                "folder": os.getcwd(),
                "environment": dict(os.environ if env is None else env),
                "session": start_new_session,
                "descriptors": [0, 1, 2, *pass_fds],
            }
            descriptors = [*(stream.theirs for stream in streams), *pass_fds]
            self._child = ForkedChild(interpreter.fork(request, descriptors))
        self.pid = self._child.pid
        self.stdin, self.stdout, self.stderr = (stream.opened(text=text) for stream in streams)

    def poll(self):
        """The exit code; None: it runs."""
        return self.wait() if self._child.ends_within(0) else None

    def wait(self, timeout=None):
        """Wait for its end; returns the exit code. Raises TimeoutExpired."""
        if not self._child.ends_within(timeout):
            raise subprocess.TimeoutExpired(self._words, timeout)
        self.returncode = self._child.exit_code()
        return self.returncode

    def communicate(self, input=None, timeout=None):
        """Write, read both streams to their end, and wait. Raises TimeoutExpired."""
        read = {}

        def read_all(stream):
            read[stream] = stream.read()

        outputs = [one for one in (self.stdout, self.stderr) if one is not None and not one.closed]
        threads = [Thread(target=read_all, args=(one,), daemon=True) for one in outputs]
        for thread in threads:
            thread.start()
        if self.stdin is not None:
            with suppress(BrokenPipeError), self.stdin:
                if input is not None:
                    self.stdin.write(input)
        self.wait(timeout)
        for thread in threads:
            thread.join()
        return read.get(self.stdout), read.get(self.stderr)

    def send_signal(self, number):
        """Send it a signal, unless it has ended."""
        self._child.send(number)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self.wait()


class _Stream:
    """One standard stream of a process: what it gets, and our end of it."""

    def __init__(self, number, given, theirs):
        self._number, self._ours = number, None
        if given == subprocess.PIPE:
            ends = os.pipe()
            self._ours, self.theirs = reversed(ends) if number == 0 else ends
            theirs.callback(os.close, self.theirs)
        elif given == subprocess.DEVNULL:
            self.theirs = os.open(os.devnull, os.O_RDWR)
            theirs.callback(os.close, self.theirs)
        elif given is None:
            self.theirs = number
        else:
            self.theirs = given if isinstance(given, int) else given.fileno()

    def opened(self, *, text):
        """Our end as a file; None where there is none."""
        mode = ("w" if self._number == 0 else "r") + ("" if text else "b")
        return None if self._ours is None else open(self._ours, mode)


class Popen:
    """`Popen(...)` is a process of the interpreter, where one is open and can do as it is told."""

    interpreter = None

    def __new__(cls, args, **options):
        """Start the process."""
        if cls.interpreter is None or args[0] != cls.interpreter.program:
            return subprocess.Popen(args, **options)
        return ForkedProcess(cls.interpreter, [os.fspath(word) for word in args[1:]], **options)


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
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        setattr(sys, name, _opened_again(number, getattr(sys, name)))
    paths = request["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [path for path in paths if path] + base


def _opened_again(number, stream):
    """A standard stream like the interpreter's, which still takes its descriptor for the file or pipe that it was."""
    file = io.FileIO(number, "w" if number else "r", closefd=False)
    buffer = io.BufferedWriter if number else io.BufferedReader
    return io.TextIOWrapper(
        file if isinstance(stream.buffer, io.FileIO) else buffer(file),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=number == 2 or file.isatty(),
        write_through=stream.write_through,
    )


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
