"""The same computations by nettrain and by its peers: random cases by a seed, every deviation a fault.

    python tests/proofs/differential.py ROOM --seed 1 --count 500      a room, or all
    python tests/proofs/differential.py networks --case 137            one case of that seed, and no other
    python tests/proofs/differential.py networks --file case.json      a case as a deviation shows it

Needs what a room compares with: PyTorch, scikit-learn, or onnx and onnxruntime. A deviation is shown
with its number and made as small as possible. A component or a key that no case has tried is a fault too,
in campaigns of at least as many cases as a room asks for. One that is interrupted reports what it has done.
"""

import contextlib
import importlib
import json
import math
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from against.chance import Chance
from against.comparison import Comparison, Deviation, Refused
from against.reduction import smallest
from campaign import Campaign

ROOMS = sorted(
    path.stem for path in (Path(__file__).parent / "against" / "rooms").glob("[a-z]*.py")
)
MOST_FAULTS = 20


class Room:
    """The cases of one room, and what came of them."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self._seed = name, seed
        self._module = importlib.import_module(f"against.rooms.{name}")
        self._coverage = self._module.coverage()
        self.total: float = getattr(self._module, "total", lambda: math.inf)()
        self._comparison = Comparison()
        self.cases = self.refused = 0
        self.faults: list[dict[str, Any]] = []

    def case(self, number: int) -> Any:
        """One of the cases of the seed."""
        return self._module.draw(Chance(self._seed, self.name, number))

    def attempt(self, case: Any, label: str) -> None:
        """Compare one case; keep what is wrong."""
        try:
            with quiet():
                self._coverage.add(*self._module.compare(case, self._comparison))
        except Refused:
            self.refused += 1
        except Exception as error:
            self.faults.append(self._fault(case, label, error))
            print(json.dumps(self.faults[-1]), file=sys.stderr)
        self.cases += 1

    def _fault(self, case: Any, label: str, error: Exception) -> dict[str, Any]:
        kind = _kind(error)

        def fails(candidate: Any) -> bool:
            try:
                with quiet():
                    self._module.compare(candidate, Comparison())
            except Exception as found:
                return _kind(found) == kind
            return False

        found = smallest(case, fails)
        said = str(error) if isinstance(error, Deviation) else traceback.format_exc()[-1500:]
        return {"room": self.name, "case": label, "message": said, "smallest": found}

    def result(self) -> dict[str, Any]:
        """The figures; adds what was never tried to the faults."""
        if self.cases >= self._module.CASES:
            for name in self._coverage.missing():
                self.faults.append({"room": self.name, "message": f"{name} was not tried"})
        compared = self._comparison
        return {
            "room": self.name,
            "cases": self.cases,
            "refused": self.refused,
            "compared": dict(sorted(compared.counts.items())),
            "largest deviations": {
                name: float(f"{share:.2g}") for name, share in sorted(compared.largest.items())
            },
            "set aside": dict(compared.notes),
            "tried": dict(sorted(self._coverage.counts.items())),
        }


def _kind(error: Exception) -> str:
    """What a smaller case must have in common with a failing one."""
    if isinstance(error, Deviation):
        return error.what.partition(":")[0]
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {place.filename} {place.name}"


@contextlib.contextmanager
def quiet() -> Any:
    """Inside, what layers report on standard error goes nowhere."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def main() -> None:
    """The command."""
    campaign = Campaign("differential", __doc__, count=2_000, what="cases")
    campaign.parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}")
    campaign.parser.add_argument("--case", type=int, help="the number of the one case to try")
    campaign.parser.add_argument("--first", type=int, default=0, help="number of the first case")
    campaign.parser.add_argument("--file", type=Path, help="a case to try")
    given = campaign.begin()
    if unknown := set(given.rooms) - set(ROOMS):
        campaign.parser.error(f"no room {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    rooms = [Room(name, given.seed) for name in given.rooms or ROOMS]
    with contextlib.suppress(KeyboardInterrupt):
        for room in rooms:
            if given.file is not None:
                room.attempt(json.loads(given.file.read_text()), given.file.name)
            elif given.case is not None:
                room.attempt(room.case(given.case), str(given.case))
            else:
                while not campaign.is_over(room.cases) and len(room.faults) < MOST_FAULTS:
                    number = given.first + room.cases
                    if number >= room.total:
                        break
                    room.attempt(room.case(number), f"--seed {given.seed} --case {number}")
                    if sys.stderr.isatty() or number % 100 == 0:
                        print(f"{room.name} {number}, {len(room.faults)} faults", file=sys.stderr)
    cases = sum(room.cases for room in rooms)
    results = [room.result() for room in rooms]
    faults = [fault for room in rooms for fault in room.faults]
    campaign.end(cases, faults, rooms=results)


if __name__ == "__main__":
    main()
