"""The process that makes inputs of one kind and tries them; `fuzz.py` starts and watches it.

    python -m fuzzing.worker KIND SEED COUNT SECONDS SCRATCH

It prints a JSON line for each fault, with the smallest input that hypothesis found for it, and one
with the counts after each batch. With KIND,KIND=FOLDER it tries the inputs of these kinds in a corpus.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from fuzzing.attempt import MOST_MEMORY, Attempts, Fault, Outcome, described
from fuzzing.case import Case
from fuzzing.guard import Guard, known_folders
from hypothesis import HealthCheck, Phase, given, seed, settings

import nettrain

BATCH = 300  # inputs between two reports; hypothesis remembers those of one batch
SHRINKING = 20.0  # seconds for making a failing input smaller


@dataclass
class Tally:
    """How many inputs were tried, and the extremes among them."""

    inputs: int = 0
    refused: int = 0
    slowest: float = 0.0
    peak: int = 0

    def add(self, outcome: Outcome) -> None:
        """One more input, which broke no claim."""
        self.inputs += 1
        self.refused += outcome.is_refused
        self.slowest = max(self.slowest, outcome.seconds)
        self.peak = max(self.peak, outcome.peak)

    def counts(self) -> dict[str, float]:
        """As the watching process reads them."""
        return asdict(self)


class Fuzzer:
    """Batches of inputs of one kind."""

    def __init__(self, kind: ModuleType, attempts: Attempts) -> None:
        self._cases, self._attempts = kind.cases(), attempts
        self.tally = Tally()
        self._known: set[str] = set()
        self._faults: dict[str, tuple[Case, Fault]] = {}
        self._failed_since: float | None = None

    def batch(self, number: int, count: int) -> None:
        """Try some inputs; print the faults among them, and the counts so far."""
        self._faults, self._failed_since = {}, None

        @seed(number)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(self._cases)
        def tried(case: Case) -> None:
            self._try(case)

        try:
            tried()
        except (Fault, ExceptionGroup):
            pass
        except Exception as error:  # a fault that does not come again: hypothesis calls it flaky
            if not self._faults:
                raise error
        for name, (case, fault) in self._faults.items():
            self._known.add(name)
            print(described(case, fault), flush=True)
        print(json.dumps(self.tally.counts()), flush=True)

    def _try(self, case: Case) -> None:
        late = self._failed_since is not None and time.monotonic() > self._failed_since + SHRINKING
        if late:
            return
        try:
            self.tally.add(self._attempts.attempt(case))
        except Fault as fault:
            self.tally.inputs += 1
            if fault.signature in self._known:
                return
            self._failed_since = self._failed_since or time.monotonic()
            smallest = self._faults.get(fault.signature)
            if smallest is None or len(case.to_json()) < len(smallest[0].to_json()):
                self._faults[fault.signature] = (case, fault)
            raise


def replay(corpus: Path, kind: str, attempts: Attempts) -> None:
    """Try the inputs of a kind in a corpus; print the faults."""
    for file in sorted(corpus.glob(f"{kind}-*.json")):
        case = Case.from_json(file.read_text(encoding="utf-8"))
        try:
            attempts.attempt(case)
        except Fault as fault:
            print(described(case, fault), flush=True)


def drawn(kind: ModuleType, number: int, count: int) -> list[Case]:
    """Some inputs of the grammar, not tried."""
    cases: list[Case] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(kind.cases())
    def kept(case: Case) -> None:
        cases.append(case)

    kept()
    return cases


def prepared(name: str, folder: Path) -> tuple[ModuleType, Attempts]:
    """A kind that is ready, and what tries its inputs, in a folder of this process."""
    kind = importlib.import_module(f"fuzzing.kinds.{name}")
    own = folder / "own"  # what libraries keep, and temporary files
    own.mkdir(exist_ok=True)
    shutil.rmtree(folder / "prepared", ignore_errors=True)  # of the kind before
    os.environ["MPLCONFIGDIR"] = os.environ["XDG_CACHE_HOME"] = tempfile.tempdir = str(own)
    kind.prepare(folder / "prepared")
    os.chdir(folder)
    package = Path(nettrain.__file__).parent
    here = Path(__file__).parents[1]
    guard = Guard(*known_folders(package), here, allowed=own)
    most = getattr(kind, "MOST_MEMORY", MOST_MEMORY)
    return kind, Attempts(kind.run, folder / "input", folder / "current.json", guard, most)


def main() -> None:
    """Try the inputs of a corpus, or batches of fresh ones until a bound is reached."""
    what, first, count, seconds, scratch = sys.argv[1:]
    names, _, corpus = what.partition("=")
    if corpus:
        for name in names.split(","):
            replay(Path(corpus), name, prepared(name, Path(scratch))[1])
        return
    kind, attempts = prepared(what, Path(scratch))
    fuzzer = Fuzzer(kind, attempts)
    end, number = time.monotonic() + float(seconds), int(first)
    while fuzzer.tally.inputs < int(count) and time.monotonic() < end:
        fuzzer.batch(number, min(BATCH, int(count) - fuzzer.tally.inputs))
        number += 1


if __name__ == "__main__":
    main()
