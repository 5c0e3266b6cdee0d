"""Inputs of every kind, made from a grammar: none ends in a traceback, a hang, a write elsewhere, or foreign code.

    python tests/proofs/fuzz.py [KIND ...] --seed 1 --count 10000      the inputs are divided among the kinds
    python tests/proofs/fuzz.py KIND --guided --seconds 600            changed by what they reach (needs atheris)
    python tests/proofs/fuzz.py --replay                               the corpus of inputs that were faults once

Each kind has a process of its own (those of the corpus one for all), which is ended where one input takes it more than 10 seconds of
CPU, or a minute in all, in which it did not wait for a CPU that others had. Faults are written into the folder of --faults as files of the corpus.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from campaign import Campaign
from fuzzing.case import Case
from fuzzing.guard import scratch

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
KINDS = sorted(path.stem for path in (HERE / "fuzzing" / "kinds").glob("[a-z]*.py"))
WITHOUT_FILES = {"training"}  # --guided changes files
REACHED = re.compile(
    r"^#\d+\s\w+\s+cov: (\d+)", re.MULTILINE
)  # how many edges of nettrain's code libFuzzer has seen
CPU, WALL = 10.0, 60.0  # seconds for one input
PAUSE = 0.2  # seconds between two looks at a worker
START = 120.0  # seconds for the imports, and for what a kind prepares


class Watched:
    """A worker, its answers, and the time that its present input has taken."""

    def __init__(
        self, what: str, seed: int, count: int, seconds: float, module: str = "worker"
    ) -> None:
        self._folder = scratch()
        self._current = self._folder / "current.json"
        module = f"fuzzing.{module}"
        command = [sys.executable, "-B", "-m", module, what, seed, count, seconds, self._folder]
        path = os.pathsep.join(map(str, (HERE, HERE.parents[1])))
        answers, errors = self._folder / "answers", self._folder / "errors"
        with answers.open("w") as output, errors.open("w") as messages:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdout=output,
                stderr=messages,
                cwd=HERE,
                env=os.environ | {"PYTHONPATH": path},
            )

    def answers(self) -> list[dict[str, Any]]:
        """What the worker printed until it ended, and the fault that ended it."""
        why = self._watch()
        lines = (self._folder / "answers").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        if why is None and self._process.returncode:
            why = f"crash: exit code {self._process.returncode}"
        if why is not None:
            case = self._current.read_text() if self._current.exists() else "{}"
            errors = (self._folder / "errors").read_text(errors="replace")
            found.append({"signature": why, "message": errors[-4000:], "case": case})
        reached = REACHED.findall((self._folder / "errors").read_text(errors="replace"))
        found += [{"edges": int(edges)} for edges in reached[-1:]]
        shutil.rmtree(self._folder, ignore_errors=True)
        return found

    def _watch(self) -> str | None:
        """Wait for the end; why the worker was ended before it."""
        seen, since, cpu = None, self._time(), 0.0
        while self._process.poll() is None:
            time.sleep(PAUSE)
            stamp = self._current.stat().st_mtime_ns if self._current.exists() else None
            if stamp != seen:
                seen, since, cpu = stamp, self._time(), self._cpu()
            wall, used = self._time() - since, self._cpu() - cpu
            limit = WALL if seen is not None else START
            if wall > limit or (seen is not None and used > CPU):
                self._process.kill()
                return f"hang: {used:.0f} s of CPU, {wall:.0f} s in all"
        return None

    def _time(self) -> float:
        """Seconds, but for those in which the process could run and had no CPU."""
        try:
            waited = Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[1]
        except OSError:
            waited = "0"
        return time.monotonic() - int(waited) / 1e9

    def _cpu(self) -> float:
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fuzzed(kind: str, seed: int, count: int, seconds: float, module: str) -> dict[str, Any]:
    """The counts and faults of one kind. A worker that had to be ended is followed by another."""
    end = time.monotonic() + seconds
    total = {"kind": kind, "inputs": 0, "refused": 0, "slowest": 0.0, "peak": 0}
    faults: dict[str, dict[str, Any]] = {}
    while total["inputs"] < count and time.monotonic() < end:
        left = count - total["inputs"]
        answers = Watched(kind, seed, left, end - time.monotonic(), module).answers()
        counted = [answer for answer in answers if "inputs" in answer]
        for answer in answers:
            if "signature" in answer:
                faults.setdefault(answer["signature"].split(":")[0], answer)
            if "edges" in answer:
                total["edges"] = max(total.get("edges", 0), answer["edges"])
        if counted:
            last = counted[-1]
            total["inputs"] += last["inputs"]
            total["refused"] += last["refused"]
            total["slowest"] = max(total["slowest"], last["slowest"])
            total["peak"] = max(total["peak"], last["peak"])
        seed += 10_000
        if not counted and answers and "case" in answers[-1] and answers[-1]["case"] == "{}":
            break  # it cannot even begin
    total["peak"] = round(total["peak"] / 2**20, 1)
    total["slowest"] = round(total["slowest"], 2)
    return total | {"faults": list(faults.values())}


def replayed(folder: Path) -> dict[str, Any]:
    """Every input of a corpus, in one process; what ends it is followed by another for the kinds after its own."""
    names = [path.name for path in sorted(folder.glob("*.json"))]
    kinds = list(dict.fromkeys(name.partition("-")[0] for name in names))
    faults: list[dict[str, Any]] = []
    while kinds:
        answers = Watched(f"{','.join(kinds)}={folder.absolute()}", 0, 0, 0.0).answers()
        faults += answers
        last = json.loads(answers[-1]["case"]).get("kind") if answers else None
        ended = last in kinds and answers[-1]["signature"].startswith(("hang", "crash"))
        kinds = kinds[kinds.index(last) + 1 :] if ended else []
    return {"kind": "corpus", "inputs": len(names), "faults": faults}


def keep(fault: dict[str, Any], folder: Path) -> str:
    """Write the input of a fault as a file of the corpus; returns its name."""
    text = fault["case"]
    kind = json.loads(text).get("kind", "none")
    name = f"{kind}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}.json"
    folder.mkdir(parents=True, exist_ok=True)
    broken = fault["signature"]
    case = text if text == "{}" else Case.from_json(text).to_json(fault=broken)
    (folder / name).write_text(case, encoding="utf-8")
    return name


def main() -> None:
    """The command."""
    campaign = Campaign("fuzz", __doc__, count=10_000, what="inputs")
    campaign.parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    campaign.parser.add_argument("--replay", action="store_true", help="try the corpus alone")
    campaign.parser.add_argument("--guided", action="store_true", help="by coverage (atheris)")
    campaign.parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of --replay")
    campaign.parser.add_argument("--faults", type=Path, help="folder for the inputs of faults")
    given = campaign.begin()
    if unknown := set(given.kinds) - set(KINDS):
        campaign.parser.error(f"no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    if given.guided:
        given.kinds = given.kinds or sorted(set(KINDS) - WITHOUT_FILES)
        if WITHOUT_FILES & set(given.kinds):
            campaign.parser.error(f"no files to change: {', '.join(WITHOUT_FILES)}")
        if importlib.util.find_spec("atheris") is None:
            campaign.parser.error("--guided needs atheris: pip install atheris")
    if given.replay:
        results = [replayed(given.corpus)]
    else:
        kinds = given.kinds or KINDS
        share, seconds = given.count // len(kinds), (given.seconds or 1e9) / len(kinds)
        module = "guided" if given.guided else "worker"
        results = [fuzzed(kind, given.seed * 10**6, share, seconds, module) for kind in kinds]
    faults = [fault for result in results for fault in result.pop("faults")]
    for fault in faults:
        if given.faults is not None:
            fault["file"] = keep(fault, given.faults)
        fault.pop("case")
    campaign.end(sum(result["inputs"] for result in results), faults, kinds=results)


if __name__ == "__main__":
    main()
