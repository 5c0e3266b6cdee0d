"""`kill -9` of trainings at any moment: resumed, each is the undisturbed one, bit for bit.

    python tests/proofs/crash.py --seed 1 --count 1000

Small runs of every kind (`processes/networks.py`) with both kernel sets and 1 to 3 threads. A run is
killed up to five times, while it trains and while it is resumed, at random moments and at single
system calls: before one, after one, within a write. Of --count kills, --programs are of `nettrain`
as a program of its own, and --mpi of one of up to three processes that train together. What is left at the end is compared: checkpoints, metrics, summary, splits,
snapshots, predictions, and that there are no other files.
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign import Campaign
from processes.networks import RUNS, rows_of, write_data, write_run
from processes.programs import SLOWER, Programs, mpi_is_installed
from processes.run_content import whole_content
from processes.system_calls import KILLS, preloaded, run_preloaded
from processes.warm import COUNT, Ended, Warm

KERNELS = ("numpy", "numba")
MOST = 5  # kills of one run
AGAIN = 0.6  # chance that a resumed run is killed too
AIMED = 0.5  # share of kills at a system call


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing disturbed.

    Attributes:
        config: Its file.
        content: Of its directory.
        predictions: The file that `nettrain predict` makes of it.
        seconds: That it takes.
        calls: System calls on its files.
    """

    config: Path
    content: dict[str, Any]
    predictions: bytes
    seconds: float
    calls: dict[str, int]


class Crashes:
    """The runs, their kills, and what came of them.

    Args:
        folder: For everything.
        warm: Forks the processes.
        chance: Decides moments.
    """

    def __init__(self, folder: Path, warm: Warm, chance: random.Random) -> None:
        self.folder, self._warm, self._chance = folder, warm, chance
        self._known: dict[tuple[str, str], Undisturbed] = {}
        self.faults: list[dict[str, Any]] = []
        self.kinds: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.runs = self.kills = 0

    def disturbed(self, name: str, kernels: str, most: int) -> None:
        """Kill one run a few times, resume it, compare."""
        whole = self._undisturbed(name, kernels)
        self.runs += 1
        out = self.folder / "killed"
        shutil.rmtree(out, ignore_errors=True)
        history: list[str] = []
        ended = None
        while ended is None or ended.killed:
            kill = len(history) < most and (not history or self._chance.random() < AGAIN)
            words = self._words(whole.config, out)
            ended = self._killed(words, out, whole, history) if kill else self._run(words, out)
            if ended.killed:
                self.kills += 1
                self.left[_what_is_left(out / "run")] += 1
        try:
            problem = self._problem(ended, out, whole, name)
        except Exception as error:  # the directory is damaged in a way that nobody thought of
            problem = f"{type(error).__name__}: {error}"
        if problem:
            fault = {"run": name, "kernels": kernels, "kills": history, "problem": problem}
            self.faults.append(fault)
            shutil.copytree(out, self.folder / f"fault-{len(self.faults)}", dirs_exist_ok=True)

    def _problem(self, ended: Ended, out: Path, whole: Undisturbed, name: str) -> str:
        if ended.code:
            return ended.described()
        found = whole_content(out / "run")
        different = [key for key in {*found, *whole.content} if found.get(key) != whole.content.get(key)]  # fmt: skip
        if different:
            return f"differs from the undisturbed run in {', '.join(sorted(different))}"
        if self._predictions(out / "run", name) != whole.predictions:
            return "predicts something else than the undisturbed run"
        return ""

    def _undisturbed(self, name: str, kernels: str) -> Undisturbed:
        if (name, kernels) not in self._known:
            self._known[name, kernels] = self._recorded(name, kernels)
        return self._known[name, kernels]

    def _recorded(self, name: str, kernels: str) -> Undisturbed:
        config = write_run(self.folder, name, kernels)
        out = self.folder / f"whole-{name}-{kernels}"
        words = self._words(config, out, threads=1)
        self._warm.train(config, self.folder / "warm")
        began = time.monotonic()
        self._succeeds(words, out)
        seconds = time.monotonic() - began
        calls = {}
        for trouble in KILLS:
            again = self.folder / "counted"
            words = self._words(config, again, threads=1)
            ended = self._warm.run(words, watch=again, trouble=_counting(trouble), before=often)
            calls[trouble.name] = ended.counted
            shutil.rmtree(again)
        content = whole_content(out / "run")
        return Undisturbed(config, content, self._predictions(out / "run", name), seconds, calls)

    def _succeeds(self, words: list[object], out: Path) -> None:
        ended = self._run(words, out)
        if ended.code:
            raise RuntimeError(f"undisturbed: {ended.described()}")

    def _words(self, config: Path, out: Path, threads: int | None = None) -> list[object]:
        """What is typed next: to begin, to begin again, or to resume."""
        run = out / "run"
        how: list[object] = ["--threads", threads or self._chance.randint(1, 3), "--quiet"]
        if (run / "config.yaml").exists():
            return ["fit", "--resume", run, *how]
        again = (
            ["--overwrite"] if run.exists() else []
        )  # killed before there was anything to resume
        return ["fit", config, "-o", out, "--run-name", "run", *again, *how]

    def _run(self, words: list[object], out: Path) -> Ended:
        return self._warm.run(words, watch=out, before=often)

    def _killed(self, words: list[object], out: Path, whole: Undisturbed, history: list[str]) -> Ended:  # fmt: skip
        verb = "resume" if "--resume" in words else "fit"
        if not self._warm.calls.absent and self._chance.random() < AIMED:
            trouble = self._chance.choice(KILLS)
            place = self._chance.randint(1, whole.calls[trouble.name])
            history.append(f"{verb}: {trouble.name} {place}")
            self.kinds[trouble.name] += 1
            ended = self._warm.run(words, watch=out, trouble=trouble, place=place, before=often)
        else:
            moment = self._chance.uniform(0.0, 1.05) * whole.seconds
            history.append(f"{verb}: after {moment:.4f} s")
            self.kinds["at any moment"] += 1
            child = self._warm.start(words, watch=out, before=often)
            child.kill_after(moment)
            ended = child.ended()
        if not ended.killed:
            self.kinds["too late"] += 1
        return ended

    def _predictions(self, run: Path, name: str) -> bytes:
        file = self.folder / "predictions.csv"
        file.unlink(missing_ok=True)
        words = ["predict", run, self.folder / rows_of(name), "-o", file]
        ended = self._warm.run(words, watch=self.folder)
        return file.read_bytes() if ended.code == 0 else ended.described().encode()

    def programs(self, count: int, kind: str, ranks: int = 0) -> None:
        """Kill `nettrain fit` as a program of its own, and the one that resumes it."""
        for left, name in zip(range(len(SLOWER), 0, -1), SLOWER, strict=True):
            share = count // left
            count -= share
            programs = Programs(name, self.folder, self._chance, ranks) if share > 0 else None
            while programs is not None and share > 0:
                kills, history, problem = programs.disturbed(share)
                share -= max(kills, 1)
                self.runs += 1
                self.kills += kills
                self.kinds[kind] += kills
                if problem:
                    fault = {"run": f"{kind}: {name}", "kills": history, "problem": problem}
                    self.faults.append(fault)


def often() -> None:
    """In the child: a checkpoint at each epoch's end, however short, and some within."""
    from nettrain.training.callbacks import checkpoints

    checkpoints.BETWEEN_EPOCHS, checkpoints.WITHIN_AN_EPOCH = 0.0, 0.004


def _counting(trouble: Any) -> Any:
    return COUNT if trouble.calls == COUNT.calls else type(trouble)("", trouble.calls, COUNT.action)


def _what_is_left(run: Path) -> str:
    """How far a killed run had come."""
    for file in ("summary.json", "checkpoints/last.safetensors", "checkpoints/best.safetensors", "config.yaml"):  # fmt: skip
        if (run / file).exists():
            return file
    return "a directory" if run.exists() else "nothing"


def main() -> None:
    """The command."""
    campaign = Campaign("crash", __doc__, count=1000, what="kills")
    campaign.parser.add_argument("--programs", type=int, default=20, help="kills of real programs")
    campaign.parser.add_argument("--mpi", type=int, default=10, help="kills of processes of MPI")
    campaign.parser.add_argument("--keep", type=Path, help="a folder for what faults have left")
    given = campaign.begin()
    run_preloaded()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="nettrain-crash-") as name:
        folder = Path(name)
        (folder / "streams").mkdir()
        os.chdir(folder)
        write_data(folder)
        crashes = Crashes(folder, Warm(folder / "streams", preloaded()), chance)
        crashes.programs(min(given.programs, given.count), "programs")
        if mpi_is_installed():
            crashes.programs(min(given.mpi, given.count - crashes.kills), "processes of MPI", 3)
        chosen = [(run, kernels) for run in RUNS for kernels in KERNELS]
        while not campaign.is_over(crashes.kills):
            run, kernels = chance.choice(chosen)
            crashes.disturbed(run, kernels, min(MOST, given.count - crashes.kills))
        if given.keep is not None:
            for path in folder.glob("fault-*"):
                shutil.copytree(path, given.keep / path.name)
        absent = preloaded().absent
        campaign.end(
            crashes.kills,
            crashes.faults,
            runs=crashes.runs,
            equal=crashes.runs - len(crashes.faults),
            kinds=dict(crashes.kinds),
            left_by_kills=dict(crashes.left),
            without=[why for why in (absent, "" if mpi_is_installed() else "no MPI") if why],
        )


if __name__ == "__main__":
    main()
