"""The mutants of functions: each in a child of one process that has imported and collected all tests."""

import gc
import importlib
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from mutation import fork
from mutation.mutants import Mutant
from mutation.reach import Reach, Task
from mutation.rooms import ROOT, Room
from mutation.swap import compiled, functions_of, swap

OTHER_CODE = 78  # exit code: the mutant cannot be put in place of a live function
LONGEST = (
    2.0  # seconds of processor time, what a test starts included; one that takes more is left out
)
FLAGS = ("-n", "0", "--tb=native", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"))  # fmt: skip


@dataclass
class Result:
    """What became of a mutant; `by` is the test that killed it."""

    mutant: Mutant
    outcome: str
    by: str = ""
    tests: int = 0


def quick_hypothesis() -> None:
    """Examples that break a claim need not become small ones here."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutation", settings(deadline=None, derandomize=True, database=None, phases=phases)
    )
    settings.load_profile("mutation")


def _too_long(*_: object) -> None:
    raise TimeoutError(f"takes more than {LONGEST:g} seconds of processor time")


def _processor_time() -> float:
    """Seconds, those of children that have ended included."""
    return time.process_time() + sum(os.times()[2:4])


class Warm:
    """A plugin of pytest that tries mutants in place of running the tests once."""

    def __init__(
        self,
        room: Room,
        mutants: list[Mutant],
        *,
        jobs: int,
        budget: float,
        until: float,
        report: Any,
    ) -> None:
        self.room, self.mutants, self.report = room, mutants, report
        self.jobs, self.budget, self.until = jobs, budget, until
        self.reach = Reach()
        self.left: list[Mutant] = []  # to be tried where nothing has been imported

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Before the tests are imported, whose settings are those of this moment."""
        quick_hypothesis()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed:
            raise RuntimeError("tests cannot be collected")
        self.items = {item.nodeid: item for item in session.items}
        importlib.import_module("numba")  # a fifth of a second in every child that calls a kernel
        for path in self.room.source_files():
            importlib.import_module(
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            )
        self.reach = Reach.from_json(fork.call(self._reached))
        gc.unfreeze()  # what is frozen is not among the objects that the collector knows
        self.functions = functions_of({str(path) for path in self.room.source_files()})
        self.codes = {
            str(path): compiled(path, path.read_bytes()) for path in self.room.source_files()
        }
        gc.freeze()  # what is there now is shared with the children
        for result in self._results():
            self.report(result)
        return True

    def _reached(self) -> dict[str, Any]:
        """Run every test once, in a child, and note which lines it executes."""
        files = [str(path) for path in self.room.source_files()]
        measured = coverage.Coverage(data_file=None, config_file=False, include=files)
        seconds = {}
        signal.signal(signal.SIGPROF, _too_long)
        measured.start()
        items = list(self.items.values())
        for number, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            measured.switch_context(str(number))
            begin = _processor_time()
            fork.limit_cpu(LONGEST)
            reports = runtestprotocol(item, nextitem=following, log=False)
            fork.limit_cpu(0)
            taken = _processor_time() - begin
            if all(report.passed for report in reports) and taken < LONGEST:
                seconds[item.nodeid] = taken
        measured.stop()
        data, names = measured.get_data(), list(self.items)
        lines = {
            Path(path).relative_to(ROOT).as_posix(): {
                line: {names[int(context)] for context in contexts if context}
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
        return Reach(lines, seconds).to_json()

    def _results(self) -> Iterator[Result]:
        self.queue = deque(mutant for mutant in self.mutants if mutant.function)
        self.left += [mutant for mutant in self.mutants if not mutant.function]
        while self.queue and time.monotonic() < self.until:
            for (mutant, tests), outcome, by in fork.outcomes(self._tasks(), self._run, jobs=self.jobs, wall=120 + 10 * self.budget):  # fmt: skip
                if by == str(OTHER_CODE):
                    self.left.append(mutant)
                elif outcome == "killed" and by and not self.reach.passes_alone(by, self._run):
                    self.queue.append(mutant)
                else:
                    if outcome == "killed" and by:
                        self.reach.has_killed(by, mutant)
                    yield Result(mutant, outcome if tests else "unreached", by, len(tests))

    def _tasks(self) -> Iterator[Task]:
        while self.queue and time.monotonic() < self.until:
            mutant = self.queue.popleft()
            yield mutant, self.reach.tests_of(mutant, self.budget)

    def _run(self, task: Task, folder: Path) -> int:
        """In a child: put the mutant in place and run the tests until one fails."""
        mutant, tests = task
        note = folder / fork.NOTE
        if mutant is not None:
            path = ROOT / mutant.path
            try:
                new = compiled(path, mutant.source(ROOT))
                if not swap(mutant.function, self.functions[str(path)], self.codes[str(path)], new):
                    raise ValueError("there is no live function of this name")
            except SyntaxError:
                return fork.INVALID
            except ValueError:
                note.write_text(str(OTHER_CODE))
                return OTHER_CODE
        items = [self.items[test] for test in tests]
        if items:
            own = folder / "tests"
            own.mkdir()
            items[0].config._tmp_path_factory._basetemp = own
        for item, following in zip(items, [*items[1:], None], strict=True):
            fork.limit_cpu(self.reach.limit(item.nodeid))
            reports = runtestprotocol(item, nextitem=following, log=False)
            if any(report.failed for report in reports):
                note.write_text(item.nodeid)
                return fork.KILLED
        return fork.SURVIVED
