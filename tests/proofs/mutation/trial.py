"""Mutants of a room, tried by its tests: those of functions in one warm process, the others imported anew."""

from collections.abc import Callable

import pytest
from mutation import fork
from mutation.cold import Cold, foreign_modules
from mutation.mutants import Mutant, mutants_of
from mutation.reach import Reach
from mutation.rooms import ROOMS, ROOT
from mutation.warm import FLAGS, Result, Warm


def mutants_in(room: str, name: str | None = None) -> list[Mutant]:
    """All mutants of a room, or those of its files of one name."""
    files = [path for path in ROOMS[room].source_files() if name in (None, path.name)]
    return [mutant for path in files for mutant in mutants_of(path, ROOT)]


class Trial:
    """Mutants of a room, tried.

    Args:
        room: Of mutation/rooms.py.
        jobs: Processes at once.
        budget: Seconds of tests that one mutant is given.
        until: When no further mutant is begun, by the monotonic clock.
        report: Called with every result, in one of several processes.
    """

    def __init__(
        self, room: str, *, jobs: int, budget: float, until: float, report: Callable[[Result], None]
    ) -> None:
        self.room, self.report = ROOMS[room], report
        self.jobs, self.budget, self.until = jobs, budget, until

    def run(self, mutants: list[Mutant]) -> None:
        """Try them all."""
        by_key = {mutant.key: mutant for mutant in mutants}
        found = fork.call(lambda: self._warm(mutants))
        reach = Reach.from_json(found["reach"])
        fork.call(
            lambda: self._cold([by_key[key] for key in found["left"]], reach, found["modules"])
        )

    def _warm(self, mutants: list[Mutant]) -> dict:
        plugin = Warm(
            self.room,
            mutants,
            jobs=self.jobs,
            budget=self.budget,
            until=self.until,
            report=self.report,
        )
        code = pytest.main([*FLAGS, *map(str, self.room.test_files())], [plugin])
        if not plugin.reach.seconds:
            raise RuntimeError(f"no test was run; pytest ended with {code!r}")
        return {
            "left": [mutant.key for mutant in plugin.left],
            "modules": foreign_modules(),
            "reach": plugin.reach.to_json(),
        }

    def _cold(self, mutants: list[Mutant], reach: Reach, modules: list[str]) -> None:
        cold = Cold(reach, modules, jobs=self.jobs, budget=self.budget, until=self.until)
        for result in cold.results(mutants):
            self.report(result)
