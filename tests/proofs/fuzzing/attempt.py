"""One input, tried: what came of it, how long it took, and the memory it needed."""

import json
import os
import resource
import shutil
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fuzzing.case import Case
from fuzzing.guard import Guard

from nettrain.errors import NettrainError

MOST_MEMORY = 64 * 2**20  # bytes beside three times the files: what libraries take once
TIMES = 3
LONGEST_MESSAGE = 20_000  # characters
ADDRESS_SPACE = 6 * 2**30  # beyond it an allocation fails, before the machine suffers
PACKAGE = "nettrain"


class Fault(Exception):
    """A claim that an input broke.

    Attributes:
        signature: What inputs with the same cause have in common.
    """

    def __init__(self, signature: str, message: str) -> None:
        super().__init__(message)
        self.signature = signature


@dataclass(frozen=True)
class Outcome:
    """What came of an input that broke no claim."""

    is_refused: bool
    seconds: float
    peak: int


class Attempts:
    """Tries inputs in a folder, which `current` describes while one is under way.

    Args:
        run: Calls nettrain with an input: `run(case, folder)`.
        folder: For the files of the inputs.
        current: The file that a watching process reads.
        guard: Notes what must not happen.
        most: Bytes of memory beside three times the files.
    """

    def __init__(
        self,
        run: Callable[[Case, Path], None],
        folder: Path,
        current: Path,
        guard: Guard,
        most: int = MOST_MEMORY,
    ) -> None:
        self._run, self._folder, self._guard = run, folder, guard
        self._most = most
        self._memory = Memory()
        self._current = current
        limit = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, limit))

    def attempt(self, case: Case) -> Outcome:
        """Try one. Raises Fault where it breaks a claim."""
        with self._fresh_folder():
            case.write(self._folder)
            self._describe(case)
            before = self._memory.reset_peak()
            began = time.perf_counter()
            self._guard.begin(self._folder)
            try:
                is_refused = self._called(case)
            finally:
                found = self._guard.end()
            seconds, peak = time.perf_counter() - began, self._memory.peak() - before
        if found:
            raise Fault(found[0].partition(" ")[0] + _kind_of_place(found[0]), "; ".join(found))
        if peak > self._most + TIMES * case.size():
            raise Fault("memory", f"{peak / 2**20:.0f} MB for {case.size()} bytes")
        return Outcome(is_refused, seconds, peak)

    @cached_property
    def _description(self) -> int:
        return os.open(self._current, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def _describe(self, case: Case) -> None:
        text = case.to_json().encode()
        os.pwrite(self._description, text, 0)
        os.truncate(self._description, len(text))

    def _called(self, case: Case) -> bool:
        """Whether the input was refused in words."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._run(case, self._folder)
        except NettrainError as error:
            if not str(error).strip() or len(str(error)) > LONGEST_MESSAGE:
                raise Fault("message", f"a message of {len(str(error))} characters") from None
            return True
        except Exception as error:
            raise Fault(signature(error), "".join(traceback.format_exception(error))) from None
        return False

    @contextmanager
    def _fresh_folder(self) -> Iterator[None]:
        self._folder.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(self._folder)


def signature(error: BaseException) -> str:
    """The kind of an error and the innermost line of nettrain, or of the fuzzer, that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{PACKAGE}/" in frame.filename] or frames
    place = ours[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.name}"


def _kind_of_place(found: str) -> str:
    return " outside" if "outside" in found else ""


class Memory:
    """The most memory that the process took since `reset_peak`, in bytes; Linux's.

    The files of /proc stay open: opening and decoding them takes longer than reading.
    """

    def __init__(self) -> None:
        self._status = os.open("/proc/self/status", os.O_RDONLY)
        self._reset = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def reset_peak(self) -> int:
        """The memory that is taken now; the peak counts from here."""
        os.write(self._reset, b"5")
        return self.peak()

    def peak(self) -> int:
        """The peak."""
        text = os.pread(self._status, 10_000, 0)
        return 1024 * int(text.partition(b"VmHWM:")[2].split(None, 1)[0])


def described(case: Case, fault: Fault) -> str:
    """A fault as one line for the watching process."""
    return json.dumps(
        {"signature": fault.signature, "message": str(fault)[-4000:], "case": case.to_json()}
    )
