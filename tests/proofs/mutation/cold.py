"""The mutants of class and module bodies: each is imported anew, in a child that has imported other packages only."""

import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mutation import fork
from mutation.mutants import Mutant
from mutation.reach import Reach, Task
from mutation.rooms import ROOT
from mutation.swap import Importer
from mutation.warm import FLAGS, Result, quick_hypothesis

MORE = 3  # times the budget: these are few, and any test may read what they change


def foreign_modules() -> list[str]:
    """What this process has imported that is not of this project."""
    return [
        name
        for name, module in list(sys.modules.items())
        if (file := getattr(module, "__file__", None))
        and ROOT not in Path(file).parents
        and name != "__main__"
    ]


class _Limits:
    """A plugin of pytest: bounds every test, and notes the first that fails."""

    def __init__(self, reach: Reach, note: Path) -> None:
        self.reach, self.note = reach, note

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Before the tests are imported."""
        quick_hypothesis()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before each test."""
        fork.limit_cpu(self.reach.limit(item.nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After each test."""
        if report.failed and not self.note.exists():
            self.note.write_text(report.nodeid)


class Cold:
    """Tries mutants in processes that import them."""

    def __init__(
        self, reach: Reach, modules: list[str], *, jobs: int, budget: float, until: float
    ) -> None:
        self.reach, self.jobs, self.budget, self.until = reach, jobs, budget, until
        for name in modules:
            with suppress(Exception):
                importlib.import_module(name)

    def results(self, mutants: list[Mutant]) -> Iterator[Result]:
        """What becomes of them."""
        for (mutant, tests), outcome, by in fork.outcomes(self._tasks(mutants), self._run, jobs=self.jobs, wall=120 + 10 * self.budget):  # fmt: skip
            if outcome == "killed" and by and not self.reach.passes_alone(by, self._run):
                yield from self.results([mutant])
            else:
                if outcome == "killed" and by:
                    self.reach.has_killed(by, mutant)
                yield Result(mutant, outcome if tests else "unreached", by, len(tests))

    def _tasks(self, mutants: list[Mutant]) -> Iterator[Task]:
        for mutant in mutants:
            if time.monotonic() > self.until:
                return
            yield mutant, self.reach.tests_of(mutant, MORE * self.budget)

    def _run(self, task: Task, folder: Path) -> int:
        mutant, tests = task
        if not tests:
            return fork.SURVIVED
        if mutant is not None:
            try:
                importer = Importer(ROOT / mutant.path, mutant.source(ROOT), ROOT)
                importer.get_code("")
            except SyntaxError:
                return fork.INVALID
            importer.install()
        plugin: Any = _Limits(self.reach, folder / fork.NOTE)
        fork.limit_cpu(60.0)
        arguments = [
            *FLAGS,
            "-x",
            "--basetemp",
            str(folder / "tests"),
            *(str(ROOT / test) for test in tests),
        ]
        return fork.SURVIVED if pytest.main(arguments, [plugin]) == 0 else fork.KILLED
