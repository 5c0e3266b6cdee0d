"""Mutation testing: one small change of the program at a time, which some test must notice.

python tests/proofs/mutate.py losses                  every mutant of a room
python tests/proofs/mutate.py --count 200 --seed 7    200 of each room
python tests/proofs/mutate.py ops --log ops.jsonl     keep what became of each
python tests/proofs/mutate.py ops --again ops.jsonl   those that survived
python tests/proofs/mutate.py ops --file pooling.py   those of one file
python tests/proofs/mutate.py --record ops.jsonl      into mutation.json
python tests/proofs/mutate.py --check --seconds 150   mutants of the record, those of changed files first

Mutations are those of mutmut (`pip install mutmut coverage`) and four kinds that it lacks. Compiled
kernels run as Python functions. A mutant is tried by the tests of its room (mutation/rooms.py) that execute
what it changes. Exit code 1: a mutant survives that the record does not list.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ENVIRONMENT = {
    "NUMBA_DISABLE_JIT": "1",
    "CI": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
os.environ.update(ENVIRONMENT)  # before NumPy and Numba are imported
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from campaign import Campaign
from mutation import record
from mutation.mutants import Mutant
from mutation.record import MISSED, Entry
from mutation.rooms import ROOMS
from mutation.trial import Trial, mutants_in
from mutation.warm import Result

ALL = 10**9


class Log:
    """A file with a line per result, which the processes of a campaign append to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, room: str, result: Result) -> None:
        """Append a result."""
        line = {
            "room": room,
            "mutant": result.mutant.key,
            "outcome": result.outcome,
            "by": result.by,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"tests": result.tests}) + "\n")

    def outcomes(self) -> dict[str, str]:
        """The last that is known of each mutant."""
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        lines = map(json.loads, text.splitlines())
        return {line["mutant"]: line["outcome"] for line in lines}


def tried(room: str, mutants: list[Mutant], given: argparse.Namespace, log: Log) -> dict[str, str]:
    """Try mutants of a room; their outcomes."""
    until = time.monotonic() + given.left
    trial = Trial(
        room,
        jobs=given.jobs,
        budget=given.budget,
        until=until,
        report=lambda one: log.note(room, one),
    )
    trial.run(mutants)
    keys = {mutant.key for mutant in mutants}
    return {key: outcome for key, outcome in log.outcomes().items() if key in keys}


def figures(mutants: list[Mutant], outcomes: dict[str, str], entry: Entry) -> dict[str, object]:
    """Counts and the score."""
    known = {
        one.key: outcomes[one.key]
        for one in mutants
        if outcomes.get(one.key, "invalid") != "invalid"
    }
    counts = Counter(how for key, how in known.items() if key not in entry.equivalent)
    missed = sum(counts[how] for how in MISSED)
    return {
        "mutants": len(known),
        "killed": counts["killed"],
        "timed out": counts["timed out"],
        "survived": missed,
        "equivalent": len(known) - counts.total(),
        "score": round(1 - missed / max(counts.total(), 1), 4),
    }


def try_rooms(campaign: Campaign, given: argparse.Namespace, log: Log) -> None:
    """The campaign."""
    known, again, rooms = record.read(), Log(given.again).outcomes() if given.again else None, {}
    end = time.monotonic() + given.left
    for room in given.rooms or ROOMS:
        given.left = end - time.monotonic()
        if given.left <= 0:
            break
        mutants = sorted(mutants_in(room, given.file), key=lambda one: one.rank(given.seed))
        if again is not None:
            mutants = [
                one
                for one in mutants
                if again.get(one.key) in MISSED and one.key not in known[room].equivalent
            ]
        chosen = mutants[: given.count]
        done = log.outcomes() if again is None else {}
        outcomes = done | tried(room, [one for one in chosen if one.key not in done], given, log)
        outcomes = {one.key: outcomes[one.key] for one in chosen if one.key in outcomes}
        missed = sorted(
            key
            for key, how in outcomes.items()
            if how in MISSED and key not in known[room].equivalent
        )
        rooms[room] = {
            "in the room": len(mutants),
            **figures(chosen, outcomes, known[room]),
            "survivors": missed,
        }
    campaign.end(sum(one["mutants"] for one in rooms.values()), [], rooms=rooms)


def check(campaign: Campaign, given: argparse.Namespace, log: Log) -> None:
    """Try mutants that the record tells of: none may survive that it does not list as a survivor.

    Rooms and files that have changed come first, then by the date. A mutant that survives is tried once
    more with all tests, so that no bound of time fails a change. Nor do survivors where neither the room
    nor its tests have changed, such as with other versions of packages: they are told.
    """
    known, day = record.read(), datetime.now(UTC).date().toordinal()
    names = [room for room in given.rooms or ROOMS if known[room].figures]
    names = names[day % len(names) :] + names[: day % len(names)]
    end, faults, rooms = time.monotonic() + given.left, [], {}
    for room in sorted(names, key=lambda one: not known[one].changed_files(one)):
        given.left = end - time.monotonic()
        if given.left < given.left_at_least:
            break
        entry, changed, mutants = known[room], known[room].changed_files(room), mutants_in(room)
        expected = [one for one in mutants if one.rank() < entry.below and one.key not in {*entry.survivors, *entry.equivalent}]  # fmt: skip
        expected.sort(key=lambda one: (one.path not in changed, one.rank(day)))
        outcomes = tried(room, expected, given, log)
        missed = [one for one in expected if outcomes.get(one.key) in MISSED]
        if unknown := entry.unknown(missed, mutants):
            given.left, given.budget, bounded = ALL, ALL, given.budget
            again = tried(room, [one for one in missed if one.key in unknown], given, log)
            given.budget = bounded
            missed = [one for one in missed if again.get(one.key) in MISSED]
            outcomes |= again
        found = entry.unknown(missed, mutants)
        faults += found if changed else []
        counts = figures(expected, outcomes, entry)
        rooms[room] = {"changed files": len(changed), **counts, "not in the record": found}
    campaign.end(sum(one["mutants"] for one in rooms.values()), faults, rooms=rooms)


def keep(logs: list[Path]) -> None:
    """Put the outcomes of logs into the record."""
    entries, outcomes = record.read(), {}
    for path in logs:
        outcomes |= Log(path).outcomes()
    tried_rooms = {
        json.loads(line)["room"] for path in logs for line in path.read_text().splitlines()
    }
    for room in tried_rooms:
        date = datetime.now(UTC).date().isoformat()
        entries[room] = record.updated(room, entries[room], mutants_in(room), outcomes, date)
        print(room, entries[room].figures)
    record.write(entries)


def main() -> None:
    """The command."""
    campaign = Campaign("mutate", __doc__, count=ALL, what="mutants")
    parser = campaign.parser
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--budget", type=float, default=15, help="seconds of tests per mutant")
    parser.add_argument(
        "--log", type=Path, help="append a line per mutant to this file; those in it are done"
    )
    parser.add_argument("--file", metavar="NAME", help="only mutants of files of this name")
    parser.add_argument("--again", type=Path, help="only those that survived in this log")
    parser.add_argument("--check", action="store_true", help="fail where the record is not reached")
    parser.add_argument("--record", type=Path, nargs="+", metavar="LOG", help="logs to be recorded")
    given = campaign.begin()
    if unknown := set(given.rooms) - set(ROOMS):
        parser.error(f"no room {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    if given.record:
        keep(given.record)
        return
    given.left, given.left_at_least = given.seconds or ALL, 40.0 if given.seconds else 0.0
    with tempfile.TemporaryDirectory() as folder:
        log = Log(given.log or Path(folder) / "log.jsonl")
        (check if given.check else try_rooms)(campaign, given, log)


if __name__ == "__main__":
    main()
