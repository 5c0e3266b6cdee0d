"""`kill -9` of sweeps, cross-validations and ensembles, of their workers and of what starts these.

    python tests/proofs/crash_searches.py --seed 1 --count 200

A search goes on when a worker or the process that starts workers is killed, and is resumed when its
own process is. At the end every trial, fold or member is there once, its run directory is that of
the undisturbed search bit for bit, the results are equal, and no process is left.
"""

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from campaign import Campaign
from processes.descendants import descendants, still_running
from processes.networks import RUNS, write_data
from processes.run_content import json_lines, whole_content, without_seconds
from processes.system_calls import preloaded, run_preloaded
from processes.warm import Warm

MOST = 4  # kills in one session: a run whose process was killed five times is given up
PARENTS = 0.6  # share of the kills that strike the search itself
SERVERS = 0.15  # of the others: those that strike what starts the workers
KILLED = "killed"
MARKS = ("sweep.yaml", "cv.json", "ensemble.json")
PLACES = ("trials/*", "fold-*", "member-*", "final")  # of the runs of a search
BASE: dict[str, Any] = {
    **RUNS["mlp_with_averages"],
    "training": {"epochs": 12, "batch_size": 8, "ema": 0.9, "kernels": "numpy"},
    "diagnostics": False,
}
SWEEP: dict[str, Any] = {
    "base": BASE,
    "method": "random",
    "metric": "validation_accuracy",
    "trials": 10,
    "parameters": {
        "optimizer.lr": {"min": 1e-3, "max": 1e-1, "distribution": "log_uniform"},
        "model.hidden": {"values": [[6], [8, 8]]},
    },
}
SEARCHES: dict[str, Sequence[str]] = {
    "sweep": ("sweep", "sweep.yaml"),
    "cv": ("cv", "base.yaml", "--folds", "6", "--no-stratify", "--final"),
    "ensemble": ("ensemble", "base.yaml", "--set", "ensemble.members=6"),
    "bagging": ("ensemble", "base.yaml", "--set", "ensemble.method=bagging", "--set", "ensemble.members=5"),
}  # fmt: skip


class Searches:
    """The searches, their kills, and what came of them."""

    def __init__(self, folder: Path, warm: Warm, chance: random.Random) -> None:
        self._folder, self._warm, self._chance = folder, warm, chance
        self._whole: dict[str, Any] = {}
        self._seconds: dict[str, float] = {}
        self.faults: list[dict[str, Any]] = []
        self.kinds: Counter[str] = Counter()
        self.kills = self.searches = 0
        write_data(folder)
        for name, content in (("sweep", SWEEP), ("base", BASE)):
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def record(self, name: str) -> None:
        """Make one undisturbed."""
        began = time.monotonic()
        problem, _ = self._session(name, f"whole-{name}", 0, parent=False)
        if problem:
            raise RuntimeError(f"{name}, undisturbed: {problem}")
        self._seconds[name] = time.monotonic() - began
        self._whole[name] = search_content(self._folder / f"whole-{name}/search")

    def disturbed(self, name: str, most: int) -> None:
        """Kill processes of one until it has ended; resume it where it was killed itself."""
        self.searches += 1
        out, killed, problem = f"killed-{self.searches}", 0, KILLED
        while problem == KILLED:
            parent = killed < most and self._chance.random() < PARENTS
            left = min(MOST, most - killed)
            problem, more = self._session(name, out, left, parent=parent)
            killed += more
        self.kills += killed
        if not problem:
            problem = self._difference(name, out)
        if problem:
            self.faults.append({"search": name, "folder": out, "problem": problem})
        else:
            shutil.rmtree(self._folder / out)

    def _session(self, name: str, out: str, most: int, *, parent: bool) -> tuple[str, int]:
        """One process of the search: its problem (`KILLED`: by us), and the number of kills."""
        child = self._warm.start(self._words(name, out), watch=self._folder)
        ever, kills = set(), 0
        moment = time.monotonic() + self._chance.uniform(0.0, 1.0) * self._seconds.get(name, 1.0)
        while not child.ends_within(self._pause(name) if most else 1.0):
            below = descendants(child.pid)
            ever |= set(below)
            if parent and time.monotonic() >= moment:
                os.kill(child.pid, signal.SIGKILL)
                self.kinds["searches"] += 1
                kills += 1
                break
            if not parent and kills < most and len(below) > 1:
                first = self._chance.random() < SERVERS
                victim = below[0] if first else self._chance.choice(below[1:])
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kinds["servers" if first else "workers"] += 1
                kills += 1
        ended = child.ended()
        if left := still_running(ever):
            return f"processes are left: {left}", kills
        if ended.killed:
            return KILLED, kills
        return ("" if ended.code == 0 else ended.described()), kills

    def _pause(self, name: str) -> float:
        return self._chance.uniform(0.0, self._seconds.get(name, 1.0) / 6)

    def _words(self, name: str, out: str) -> list[str]:
        path = self._folder / out / "search"
        command, *rest = SEARCHES[name]
        if any((path / mark).exists() for mark in MARKS):
            return [command, "--resume", str(path), "--workers", "2", "--quiet"]
        shutil.rmtree(path, ignore_errors=True)  # killed before there was anything to resume
        where = ["-o", out, "--run-name", "search", "--workers", "2", "--quiet"]
        return [command, *rest, *where]

    def _difference(self, name: str, out: str) -> str:
        try:
            found, whole = search_content(self._folder / out / "search"), self._whole[name]
        except Exception as error:
            return f"damaged: {type(error).__name__}: {error}"
        if files := set(found["files"]) ^ set(whole["files"]):
            return f"missing, or too many: {', '.join(sorted(files))}"
        different = [key for key in {*found, *whole} if found.get(key) != whole.get(key)]
        return f"differs in {', '.join(sorted(different))}" if different else ""


def search_content(path: Path) -> dict[str, Any]:
    """Its results, the list of its trials, each of its runs, the names of its other files."""
    summary = (path / "summary.json").read_text().replace(str(path), "")
    found: dict[str, Any] = {"summary": _plain(json.loads(summary))}
    if (path / "trials.jsonl").exists():
        rows = [_plain(row) for row in json_lines(path / "trials.jsonl")]
        found["trials"] = sorted(rows, key=lambda row: row["index"])
    runs = [run for pattern in PLACES for run in sorted(path.glob(pattern))]
    for run in runs:
        content = whole_content(run)
        content.pop("config")  # has the folder of the search in it
        found[str(run.relative_to(path))] = content
    found["files"] = sorted(
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file() and not any(file.is_relative_to(run) for run in runs)
    )
    return found


def _plain(value: Any) -> Any:
    """Without times, paths and what differs with the name of the folder."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in without_seconds(value).items()}
    return value


def main() -> None:
    """The command."""
    campaign = Campaign("crash_searches", __doc__, count=200, what="kills")
    campaign.parser.add_argument("--keep", type=Path, help="a folder for what faults have left")
    given = campaign.begin()
    run_preloaded()
    chance = random.Random(given.seed)
    scratch = Path(tempfile.mkdtemp(prefix="nettrain-searches-"))
    try:
        (scratch / "streams").mkdir()
        os.chdir(scratch)
        searches = Searches(scratch, Warm(scratch / "streams", preloaded()), chance)
        for name in SEARCHES:
            searches.record(name)
        while not campaign.is_over(searches.kills):
            most = min(chance.randint(1, 6), given.count - searches.kills)
            searches.disturbed(chance.choice(list(SEARCHES)), most)
        for fault in searches.faults if given.keep is not None else []:
            shutil.copytree(scratch / fault["folder"], given.keep / fault["folder"])
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
    equal = searches.searches - len(searches.faults)
    figures = {"searches": searches.searches, "equal": equal, "kinds": dict(searches.kinds)}
    campaign.end(searches.kills, searches.faults, **figures)


if __name__ == "__main__":
    main()
