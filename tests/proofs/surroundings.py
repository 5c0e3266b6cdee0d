"""What a machine does to a command: each time a clear message, and nothing lost.

    python tests/proofs/surroundings.py

The clock is set back, directories are removed, permissions taken, files and memory run out, the
terminal is closed, two processes want one directory. A command must end with 0, or with another code
and a message of a few lines; what it was doing is then resumed, and equals the undisturbed run.
Without root's rights it is another user that has none, so permissions are tried as root only.
"""

import os
import random
import resource
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from campaign import Campaign
from processes.commands import CONFIG, SWEEP
from processes.networks import write_data
from processes.run_content import whole_content
from processes.system_calls import Calls, preloaded, run_preloaded
from processes.warm import Child, Ended, Warm

import nettrain

NOBODY = 65534
EPOCHS = 400  # of a run to which something happens while it trains
LONGEST = 12  # lines of a message
PATIENCE = 60.0

Problems = list[str]


class Place:
    """A folder with data and configurations, and the commands in it.

    Attributes:
        folder: Where they are.
        calls: The preloaded library.
    """

    def __init__(self, folder: Path, warm: Warm) -> None:
        self.folder, self._warm, self.calls = folder, warm, warm.calls
        self.before: Callable[[], None] = lambda: None
        self.whole: dict[str, Any] = {}

    def make(self) -> None:
        """Make it anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        os.chmod(self.folder, 0o755)
        write_data(self.folder)
        training = CONFIG["training"] | {"epochs": EPOCHS, "batch_size": 10, "snapshots": 100}
        for name, content in {
            "short": CONFIG,
            "long": CONFIG | {"training": training},
            "sweep": SWEEP,
        }.items():
            path = self.folder / f"{name}.yaml"
            path.write_text(yaml.safe_dump(content, sort_keys=False))
        self.before = lambda: None

    def start(self, *words: object) -> Child:
        """Begin a command."""

        def enter() -> None:
            from nettrain.training.callbacks import checkpoints

            os.chdir(self.folder)
            os.environ["XDG_CACHE_HOME"] = str(self.folder / "cache")
            checkpoints.BETWEEN_EPOCHS = 0.02
            self.before()

        return self._warm.start(words, watch=self.folder, before=enter)

    def run(self, *words: object) -> Ended:
        """Run one to its end."""
        return self.start(*words).ended()

    def fit(self, name: str, *more: object) -> Child:
        """Begin to train `short` or `long` as out/NAME."""
        return self.start("fit", f"{name}.yaml", "-o", "out", "--run-name", name, "--quiet", *more)

    def resumed(self, name: str) -> Problems:
        """Resume out/NAME, or begin it where there is nothing to resume, and compare."""
        self.before = lambda: None
        run = self.folder / "out" / name
        if (run / "config.yaml").exists():
            ended = self.run("fit", "--resume", run, "--quiet")
        else:
            ended = self.fit(name, *(["--overwrite"] if run.exists() else [])).ended()
        if ended.code:
            return [f"afterwards: {ended.described()}"]
        found, whole = whole_content(run), self.whole[name]
        different = [key for key in {*found, *whole} if found.get(key) != whole.get(key)]
        return [f"differs in {', '.join(sorted(different))}"] if different else []

    def wait_for(self, path: str, child: Child) -> None:
        """Wait until a file is there."""
        last = time.monotonic() + PATIENCE
        while not (self.folder / path).exists():
            if child.ends_within(0.005) or time.monotonic() > last:
                raise RuntimeError(f"{path} never came: {child.ended().described()}")


def told(ended: Ended, *fragments: str, codes: tuple[int, ...] = (1, 2)) -> Problems:
    """What is wrong with a failure: its code, a traceback, what the message lacks."""
    problems = []
    if ended.code not in codes:
        problems.append(f"expected exit code {codes}: {ended.described()}")
    if "Traceback" in ended.err or len(ended.err.splitlines()) > LONGEST:
        problems.append(f"no message: {ended.described()}")
    lacks = [one for one in fragments if one.lower() not in ended.err.lower()]
    return problems + [f"the message lacks {one!r}: {ended.described()}" for one in lacks]


def clock_set_back(place: Place) -> Problems:
    """By an hour, each time that it is read."""
    place.before = lambda: place.calls.set_back(3600.0)
    child = place.fit("long", "--set", "training.loggers=[tensorboard]")
    place.wait_for(LAST, child)
    os.kill(child.pid, signal.SIGTERM)
    problems = told(child.ended(), "to resume", codes=(143,))
    shutil.rmtree(place.folder / "out")
    ended = place.fit("short").ended()
    problems += [] if ended.code == 0 else [ended.described()]
    for words in (["eval", "out/short"], ["runs", "out"], ["report", "out/short", "-o", "p.html"]):
        ended = place.run(*words)
        problems += [] if ended.code == 0 else [f"{words[0]}: {ended.described()}"]
    return problems + place.resumed("short")


def run_directory_removed(place: Place) -> Problems:
    """While it trains."""
    child = place.fit("long")
    place.wait_for(LAST, child)
    os.rename(place.folder / "out/long", place.folder / "elsewhere")
    problems = told(child.ended(), "out/long", "no such file or directory")
    if (place.folder / "out/long").exists():
        problems.append("a part of it was made anew")
    os.rename(place.folder / "elsewhere", place.folder / "out/long")
    return problems + place.resumed("long")


def sweep_directory_removed(place: Place) -> Problems:
    """While its trials train."""
    child = place.start("sweep", "sweep.yaml", "-o", "out", "--run-name", "s", "--executor", "serial", "--quiet", "--set", "base.training.epochs=400")  # fmt: skip
    place.wait_for("out/s/trials/000/checkpoints/last.safetensors", child)
    os.rename(place.folder / "out/s", place.folder / "elsewhere")
    return told(child.ended(), "out/s", "no such file or directory")


def working_directory_removed(place: Place) -> Problems:
    """Before it begins; its data is named by absolute paths."""
    gone = place.folder / "gone"
    gone.mkdir()

    def enter() -> None:
        os.chdir(gone)
        gone.rmdir()

    place.before = enter
    return told(place.run("fit", "../short.yaml"), "directory")


def output_not_permitted(place: Place) -> Problems:
    """A folder of somebody else."""
    (place.folder / "out").mkdir()
    place.before = _as_nobody
    return told(place.fit("short").ended(), "out/short", "no permission")


def permission_taken(place: Place) -> Problems:
    """While it trains: the directory becomes somebody else's."""
    _give(place.folder)
    place.before = _as_nobody
    child = place.fit("long")
    place.wait_for(LAST, child)
    run = place.folder / "out/long"
    folders = (run, run / "checkpoints", run / "snapshots")
    for path in folders:
        os.chown(path, 0, 0)
    problems = told(child.ended(), "out/long", "no permission")
    for path in folders:
        os.chown(path, NOBODY, NOBODY)
    return problems + place.resumed("long")


def file_not_permitted(place: Place) -> Problems:
    """A file that may not be read: data, configuration, checkpoint, metrics."""
    problems = _ended_well(place.fit("short").ended())
    _give(place.folder)
    place.before = _as_nobody
    run = "out/short"
    for file, words in {
        "rows.npz": ["fit", "short.yaml", "-o", "other"],
        "short.yaml": ["fit", "short.yaml", "-o", "other"],
        f"{run}/checkpoints/best.safetensors": ["eval", run],
        f"{run}/checkpoints/last.safetensors": ["fit", "--resume", run],
        f"{run}/config.yaml": ["fit", "--resume", run],
        f"{run}/metrics.jsonl": ["fit", "--resume", run],
        f"{run}/summary.json": ["runs", "out"],
    }.items():
        os.chown(place.folder / file, 0, 0)
        os.chmod(place.folder / file, 0)
        ended = place.run(*words)
        if ended.code or "Traceback" in ended.err:
            problems += told(ended, Path(file).name)
            if not any(word in ended.err.lower() for word in ("permi", "readable")):
                problems.append(f"no reason told: {ended.described()}")
        os.chown(place.folder / file, NOBODY, NOBODY)
        os.chmod(place.folder / file, 0o644)
        listed = place.run("runs", "out")
        problems += [] if listed.code == 0 else [f"runs: {listed.described()}"]
    return problems + place.resumed("short")


def file_handles_exhausted(place: Place) -> Problems:
    """A few more than those that are open; at some number it goes."""
    problems: Problems = []
    for more in range(1, 12):  # with none no message could be told

        def enter(more: int = more) -> None:
            count = len(os.listdir("/proc/self/fd")) - 1 + more
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

        place.before = enter
        ended = place.fit("short").ended()
        if ended.code:
            problems += told(ended, "too many open files")
        problems += place.resumed("short")
        shutil.rmtree(place.folder / "out")
    return problems + ([ended.described()] if ended.code else [])


def memory_limit(place: Place) -> Problems:
    """A few MB more than what is used; at some number it goes."""
    problems: Problems = []
    for megabytes in (0, 1, 2, 4, 8, 16, 32, 64, 512):

        def enter(megabytes: int = megabytes) -> None:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            limit = used + megabytes * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        place.before = enter
        ended = place.fit("short", "--threads", "2", "--set", "training.shards=2").ended()
        if ended.code:
            problems += told(ended, "memory", codes=(1, 2))
        shutil.rmtree(place.folder / "out", ignore_errors=True)
    return problems + ([ended.described()] if ended.code else [])


def threads_exhausted(place: Place) -> Problems:
    """No thread more than the one that there is."""
    _give(place.folder)

    def enter() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        _as_nobody()

    place.before = enter
    ended = place.fit("short", "--threads", "3", "--set", "training.shards=3").ended()
    return told(ended, "thread") if ended.code else []


def terminal_closed(place: Place) -> Problems:
    """The window is closed while the run shows its progress in it."""
    master, slave = os.openpty()

    def enter() -> None:
        import fcntl
        import termios

        os.close(master)
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(slave, number)

    place.before = enter
    child = place.start("fit", "long.yaml", "-o", "out", "--run-name", "long")
    os.close(slave)
    with _drained(master) as shown:
        place.wait_for(LAST, child)
    if b"epoch" not in shown:
        return [f"no progress was shown: {shown!r}"]
    os.close(master)
    ended = child.ended()
    problems = [] if ended.code == 129 else [f"expected exit code 129: {ended.described()}"]
    log = (place.folder / "out/long/log.txt").read_text()
    if "interrupted in epoch" not in log:
        problems.append(f"log.txt does not tell: {log}")
    return problems + place.resumed("long")


def terminal_closed_under_nohup(place: Place) -> Problems:
    """Nobody listens to the hangup: the run goes on to its end."""
    place.before = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN) and None
    child = place.fit("long")
    place.wait_for(LAST, child)
    os.kill(child.pid, signal.SIGHUP)
    return _ended_well(child.ended()) + place.resumed("long")


def standard_streams_closed(place: Place) -> Problems:
    """Before it begins, one or all of them."""
    problems: Problems = []
    for numbers in ((0,), (1,), (2,), (0, 1, 2)):
        place.before = lambda numbers=numbers: [os.close(number) for number in numbers] and None
        problems += _ended_well(place.fit("short").ended()) + place.resumed("short")
        shutil.rmtree(place.folder / "out")
    return problems


def reader_gone(place: Place) -> Problems:
    """`nettrain predict | head -1`."""
    problems = _ended_well(place.fit("short").ended())

    def enter() -> None:
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, 1)

    place.before = enter
    for words in (["predict", "out/short", "rows.npz"], ["eval", "out/short", "--json"], ["runs", "out"]):  # fmt: skip
        ended = place.run(*words)
        if "Traceback" in ended.err or ended.code not in (0, 1):
            problems.append(f"{words[0]}: {ended.described()}")
    return problems


def two_processes(place: Place) -> Problems:
    """On one run, and on one name: one works, the others say so and take nothing from it."""
    child = place.fit("long")
    place.wait_for(LAST, child)
    problems: Problems = []
    for words in (
        ["fit", "--resume", "out/long"],
        ["fit", "long.yaml", "-o", "out", "--run-name", "long", "--overwrite"],
    ):
        problems += told(place.run(*words), "another process")
    words = ["fit", "long.yaml", "-o", "out", "--run-name", "long"]
    problems += told(place.run(*words), "exists already")
    for words in (["runs", "out"], ["eval", "out/long"]):
        problems += _ended_well(place.run(*words))
    problems += _ended_well(child.ended()) + place.resumed("long")
    several = [place.fit("short") for _ in range(3)]
    codes = sorted(one.ended().code for one in several)
    return problems + place.resumed("short") + ([] if codes == [0, 2, 2] else [f"{codes}"])


LAST = "out/long/checkpoints/last.safetensors"
CASES: dict[str, Callable[[Place], Problems]] = {
    one.__name__: one
    for one in (
        clock_set_back,
        run_directory_removed,
        sweep_directory_removed,
        working_directory_removed,
        output_not_permitted,
        permission_taken,
        file_not_permitted,
        file_handles_exhausted,
        memory_limit,
        threads_exhausted,
        terminal_closed,
        terminal_closed_under_nohup,
        standard_streams_closed,
        reader_gone,
        two_processes,
    )
}
AS_ROOT = ("output_not_permitted", "permission_taken", "file_not_permitted", "threads_exhausted")
WITH_LIBRARY = ("clock_set_back",)


def left_out(calls: Calls) -> dict[str, str]:
    """The cases that this machine cannot try."""
    if os.geteuid() != 0:
        root = dict.fromkeys(AS_ROOT, "needs root, to become another user")
    elif not all(map(_is_open_to_all, (Path(nettrain.__file__), Path(sys.prefix), Path(sys.base_prefix)))):  # fmt: skip
        root = dict.fromkeys(AS_ROOT, "another user cannot read the program")
    else:
        root = {}
    return root | (dict.fromkeys(WITH_LIBRARY, calls.absent) if calls.absent else {})


def _is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def _as_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _give(folder: Path) -> None:
    """Everything in it to nobody."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


def _ended_well(ended: Ended) -> Problems:
    return [] if ended.code == 0 else [ended.described()]


@contextmanager
def _drained(master: int) -> Iterator[bytearray]:
    """What a terminal shows: it takes only so much before somebody reads it."""
    import threading

    over, shown = threading.Event(), bytearray()
    os.set_blocking(master, False)

    def drain() -> None:
        while not over.wait(0.01):
            with suppress(OSError):
                shown.extend(os.read(master, 2**16))

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        yield shown
    finally:
        over.set()
        thread.join()


def main() -> None:
    """The command."""
    campaign = Campaign("surroundings", __doc__, count=1, what="rounds")
    campaign.parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    given = campaign.begin()
    run_preloaded()
    calls = preloaded()
    absent = left_out(calls)
    scratch = Path(tempfile.mkdtemp(prefix="nettrain-surroundings-"))
    os.chmod(scratch, 0o755)
    faults, results = [], {}
    try:
        (scratch / "streams").mkdir()
        place = Place(scratch / "place", Warm(scratch / "streams", calls))
        for name in ("short", "long"):
            place.make()
            place._warm.train(place.folder / "short.yaml", scratch / "warm")
            ended = place.fit(name).ended()
            if ended.code:
                raise RuntimeError(ended.described())
            place.whole[name] = whole_content(place.folder / f"out/{name}")
        rounds = 0
        while not campaign.is_over(rounds):
            names = [name for name in given.cases or CASES if name not in absent]
            random.Random(given.seed + rounds).shuffle(names)
            for name in names:
                place.make()
                try:
                    problems = CASES[name](place)
                except Exception as error:
                    problems = [f"{type(error).__name__}: {error}"]
                results[name] = "well" if not problems else "not well"
                faults += [{"case": name, "problem": problem} for problem in problems]
            rounds += 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    campaign.end(rounds, faults, cases=results, left_out=absent)


if __name__ == "__main__":
    main()
