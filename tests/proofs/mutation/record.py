"""The record that the repository keeps: the score of every room, its survivors, and mutants that change nothing."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutation.mutants import Mutant
from mutation.rooms import ROOMS, ROOT

PATH = Path(__file__).parents[1] / "mutation.json"
DETECTED = ("killed", "timed out")
MISSED = ("survived", "unreached")


@dataclass
class Entry:
    """What is known of a room.

    Args:
        below: Mutants whose rank is below this number were tried, which is a sample unless it is 1.
        figures: Counts and the score, as published.
        survivors: Mutants that no test notices.
        equivalent: Mutants that compute the same as the original, with the reason.
        files: Digest of each file of the room and of its tests at that time.
    """

    below: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    survivors: list[str] = field(default_factory=list)
    equivalent: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def changed_files(self, room: str) -> set[str]:
        """The files that are not as they were."""
        return {path for path, digest in digests(room).items() if self.files.get(path) != digest}

    def unknown(self, missed: Iterable[Mutant], mutants: list[Mutant]) -> list[str]:
        """Of the mutants that no test noticed, those by which a file has more than before.

        A mutant has another name once its line is written anew: those that are no longer there make
        room for as many new ones in their file.
        """
        known = {*self.survivors, *self.equivalent}
        gone = [key.partition("::")[0] for key in known - {mutant.key for mutant in mutants}]
        new = []
        for mutant in missed:
            if mutant.key in known:
                continue
            if mutant.path in gone:
                gone.remove(mutant.path)
            else:
                new.append(mutant.key)
        return new


def digests(room: str) -> dict[str, str]:
    """A short digest of every file of a room and of its tests."""
    files = ROOMS[room].source_files() + ROOMS[room].test_files()
    return {
        path.relative_to(ROOT).as_posix(): hashlib.blake2b(
            path.read_bytes(), digest_size=4
        ).hexdigest()
        for path in files
    }


def read() -> dict[str, Entry]:
    """The record; rooms without one are empty."""
    content = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    return {room: Entry(**content.get(room, {})) for room in ROOMS}


def write(record: dict[str, Entry]) -> None:
    """Replace the record."""
    content = {room: vars(entry) for room, entry in record.items() if entry.figures}
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def updated(
    room: str, entry: Entry, mutants: list[Mutant], outcomes: dict[str, str], date: str
) -> Entry:
    """The entry after a campaign: of all mutants up to the first, by rank, that was not tried."""
    tried, below = [], 1.0
    for mutant in sorted(mutants, key=Mutant.rank):
        if mutant.key not in outcomes:
            below = mutant.rank()
            break
        if outcomes[mutant.key] != "invalid":
            tried.append(mutant)
    equivalent = {
        key: why for key, why in entry.equivalent.items() if key in {one.key for one in mutants}
    }
    counted = [outcomes[mutant.key] for mutant in tried if mutant.key not in equivalent]
    missed = [one.key for one in tried if outcomes[one.key] in MISSED and one.key not in equivalent]
    figures = {
        "mutants": len(mutants),
        "tried": len(tried),
        "killed": counted.count("killed"),
        "timed out": counted.count("timed out"),
        "survived": len(missed),
        "equivalent": len(tried) - len(counted),
        "score": round(sum(how in DETECTED for how in counted) / max(len(counted), 1), 4),
        "date": date,
    }
    return Entry(below, figures, sorted(missed), equivalent, digests(room))
