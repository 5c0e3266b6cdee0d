"""What the tests of a room reach, how long they take, and which of them can be trusted."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mutation import fork
from mutation.mutants import Mutant

Task = tuple[Mutant | None, list[str]]  # a mutant, or the program as it is, and the tests to be run


@dataclass
class Reach:
    """What the tests reach: {path: {line: tests}}, and seconds of processor time per test that passes."""

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    killers: dict[str, Counter[str]] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)

    def tests_of(self, mutant: Mutant, budget: float) -> list[str]:
        """The tests that may notice a mutant, up to so many seconds, the most promising first.

        Of a function they are those that execute the changed lines. What stands in a class or module
        body may be read by any test.
        """
        lines = self.lines.get(mutant.path, {})
        near = {
            test
            for line in (mutant.lines if mutant.function else lines)
            for test in lines.get(line, ())
        }
        tests = near & self.seconds.keys() if mutant.function else self.seconds.keys()
        kills, stem = self.killers.get(mutant.path, Counter()), Path(mutant.path).stem
        chosen, used = [], 0.0
        for test in sorted(
            tests,
            key=lambda one: (
                -min(kills[one], 3),
                one not in near and stem not in one,
                self.seconds[one],
                one,
            ),
        ):
            used += self.seconds[test]
            if chosen and used > budget:
                break
            chosen.append(test)
        return chosen

    def to_json(self) -> dict[str, Any]:
        """For another process, which trusts no test yet."""
        lines = {
            path: {str(line): sorted(tests) for line, tests in of_file.items()}
            for path, of_file in self.lines.items()
        }
        return {"lines": lines, "seconds": self.seconds, "killers": self.killers}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """What `to_json` returned."""
        lines = {
            path: {int(line): set(tests) for line, tests in of_file.items()}
            for path, of_file in content["lines"].items()
        }
        killers = {path: Counter(counts) for path, counts in content["killers"].items()}
        return cls(lines, content["seconds"], killers)

    def has_killed(self, test: str, mutant: Mutant) -> None:
        """Remember it: other mutants of the file meet this test first."""
        self.killers.setdefault(mutant.path, Counter())[test] += 1

    def passes_alone(self, test: str, run: Callable[[Task, Path], int]) -> bool:
        """Whether a test that has killed a mutant passes without one, by itself; else it counts no more."""
        if test not in self.trusted:
            _, outcome, _ = next(fork.outcomes([(None, [test])], run, jobs=1, wall=math.inf))
            if outcome != "survived":
                self.seconds.pop(test, None)
                return False
            self.trusted.add(test)
        return True

    def limit(self, test: str) -> float:
        """Processor time after which a test has timed out."""
        return 2.0 + 5 * self.seconds.get(test, 1.0)
