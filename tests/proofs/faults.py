"""Faults of the system at every call: each command says what failed, and nothing that was there is lost.

    python tests/proofs/faults.py [COMMAND ...] --seed 1 --count 2000

Every call on a command's files (open, write, fsync, rename, close, truncate, mkdir, unlink) fails in
turn: the disk is full, fails, becomes read-only, a call is interrupted, a write is short. The command
must end with a message that names the file and the reason, or do without the call and leave what it
leaves undisturbed. Afterwards every reader of the directory works, the last checkpoint loads, and
the same again, or resumed, leaves what there would be without the fault; what an earlier fault had
left to the byte, but for times, is not tried again. --count cases are drawn of
all (default: all); --first goes on where an earlier campaign of the same seed and commands ended.
Needs a C compiler and Linux.
"""

import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from campaign import Campaign
from processes.commands import COMMANDS, OLD, Command, write_files
from processes.file_state import state_of
from processes.networks import write_data
from processes.system_calls import NOTHING, TROUBLES, Trouble, preloaded, run_preloaded
from processes.warm import Ended, Warm

from nettrain.training.artifacts.files import final_name

ALL = 10**6


class Faults:
    """The commands, their failing calls, and what came of them."""

    def __init__(self, folder: Path, warm: Warm) -> None:
        self._data, self._folder, self._warm = folder / "data", folder / "work", warm
        self._faults: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.outcomes: Counter[str] = Counter()
        self._afterwards: dict[tuple[str, bytes, bool], list[str]] = {}
        self._whole: dict[str, Any] = {}
        self._data.mkdir()
        write_data(self._data)
        write_files(self._data)
        self._folder.mkdir()
        for name in ("run", "disk"):
            os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
            warm.train(self._data / f"{name}.yaml", folder / "warm")
        self._make("done", "2")
        self._make("out", "1")

    @property
    def faults(self) -> list[dict[str, Any]]:
        """One of each kind, with the number of cases."""
        return list(self._faults.values())

    @property
    def states(self) -> int:
        """Different contents of the folder that were read and resumed from."""
        return len(self._afterwards)

    def _make(self, name: str, epochs: str) -> None:
        """A run that has ended, or that was interrupted after an epoch."""
        os.chdir(self._data)
        how = ["--set", f"training.epochs={epochs}", "--quiet"]
        words = ["fit", "run.yaml", "-o", name, "--run-name", "run", *how]
        self._succeed(words, self._data)
        if name == "out":
            config = self._data / "out/run/config.yaml"
            config.write_text(config.read_text().replace("epochs: 1\n", "epochs: 2\n"))

    def cases(self, name: str) -> list[tuple[str, Trouble, int]]:
        """Every call of a command with everything that can happen to it; it is run undisturbed."""
        command, cases = COMMANDS[name], []
        for trouble in TROUBLES:
            command.prepare(self._folder, self._data)
            counting = Trouble(trouble.name, trouble.calls, NOTHING)
            ended = self._run(command.words, command, counting, 0)
            if ended.code:
                raise RuntimeError(f"{name}, undisturbed: {ended.described()}")
            self._warm.learn(ended)
            self._whole[name] = command.leaves(self._folder)
            cases += [(name, trouble, place) for place in range(1, ended.counted + 1)]
        return cases

    def tried(self, name: str, trouble: Trouble, place: int) -> None:
        """Let one call fail, and see."""
        command = COMMANDS[name]
        command.prepare(self._folder, self._data)
        ended = self._run(command.words, command, trouble, place)
        problems = [problem for problem in self._problems(name, command, trouble, ended) if problem]
        self.outcomes["did without" if ended.code == 0 else "told"] += 1
        if problems:
            call = ended.struck.replace(str(self._folder), "")
            fault = {"command": name, "trouble": trouble.name, "place": place, "call": call}
            cause = problems[0].splitlines()[-1].replace(str(self._folder), "")
            if (name, trouble.name, cause) not in self._faults:
                print(json.dumps(fault | {"problems": problems}), file=sys.stderr, flush=True)
            known = self._faults.setdefault((name, trouble.name, cause), fault | {"cases": 0})
            known["cases"] += 1
            known["problems"] = problems

    def _problems(self, name: str, command: Command, trouble: Trouble, ended: Ended) -> list[str]:
        found = [self._complaint(command, trouble, ended)]
        went_on = ended.code == 0 and self._difference(name, command)
        if went_on:
            told = "".join((self._folder / name).read_text() for name in command.tells)
            found.append(self._untold(command, trouble, ended, told) and went_on)
        failed = bool(ended.code or went_on)
        state = (name, state_of(self._folder), failed)
        if state not in self._afterwards:  # most faults leave what another one has left before
            self._afterwards[state] = self._problems_afterwards(name, command, failed=failed)
        return found + self._afterwards[state]

    def _problems_afterwards(self, name: str, command: Command, *, failed: bool) -> list[str]:
        """What is wrong with what was left: with its readers, and with the same again."""
        found: list[str] = []
        if command.writes:
            path = self._folder / command.writes
            old = path.exists() and path.read_bytes() == OLD
            if not (path.exists() and (old or self._difference(name, command) == "")):
                found.append(f"{command.writes} is neither the old file nor the new one")
        for words in command.readers:
            reader = self._run(words, command)
            loads = command.loads and all((self._folder / name).exists() for name in command.loads)
            if "Traceback" in reader.err or reader.code < 0 or (reader.code and loads):
                found.append(f"afterwards {' '.join(words)}: {reader.described()}")
        if failed:
            words = command.again(self._folder) if command.again else command.words
            again = self._run(words, command)
            if again.code:
                found.append(f"afterwards {' '.join(words)}: {again.described()}")
            elif different := self._difference(name, command):
                found.append(f"after {' '.join(words)}: {different}")
        return found

    def _difference(self, name: str, command: Command) -> str:
        try:
            found, whole = command.leaves(self._folder), self._whole[name]
        except Exception as error:
            return f"damaged: {type(error).__name__}: {error}"
        if isinstance(found, dict):
            different = [key for key in {*found, *whole} if found.get(key) != whole.get(key)]
            return f"other {', '.join(sorted(different))}" if different else ""
        return "" if found == whole else "it left something else"

    def _complaint(self, command: Command, trouble: Trouble, ended: Ended) -> str:
        """What is wrong with how the command ended."""
        said = ended.err
        if "Traceback" in said or ended.code < 0:
            return ended.described()
        if ended.code == 0:
            return ""
        return self._untold(command, trouble, ended, said)

    def _untold(self, command: Command, trouble: Trouble, ended: Ended, said: str) -> str:
        """What a message lacks: the reason, or the file."""
        if not any(reason in said.lower() for reason in trouble.reasons):
            return f"no reason told: {ended.described()}"
        path = Path(ended.struck.partition(" ")[2])
        names = (final_name(path.name), str(self._folder / command.watch), command.watch + "/")
        if not any(name in said for name in names):
            return f"no file told: {ended.described()}"
        return ""

    def _run(self, words: Any, command: Command, trouble: Trouble | None = None, place: int = 0) -> Ended:  # fmt: skip
        watch = self._folder / command.watch
        if trouble is not None:
            return self._warm.run(words, watch=watch, before=self._enter, trouble=trouble, place=place)  # fmt: skip
        ended = self._warm.run(words, watch=watch, before=self._enter)
        self._warm.learn(ended)
        return ended

    def _succeed(self, words: list[str], folder: Path) -> None:
        ended = self._warm.run(words, watch=folder)
        if ended.code:
            raise RuntimeError(ended.described())

    def _enter(self) -> None:
        """In the child: the folder of the command, its own cache, a checkpoint at each epoch's end."""
        from nettrain.training.callbacks import checkpoints

        os.chdir(self._folder)
        os.environ["XDG_CACHE_HOME"] = str(self._folder / "cache")
        checkpoints.BETWEEN_EPOCHS = 0.0


def main() -> None:
    """The command."""
    campaign = Campaign("faults", __doc__, count=ALL, what="cases")
    campaign.parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"of {', '.join(COMMANDS)}")  # fmt: skip
    campaign.parser.add_argument(
        "--first", type=int, default=0, help="number of the first case drawn"
    )
    given = campaign.begin()
    if unknown := set(given.commands) - set(COMMANDS):
        campaign.parser.error(f"no command {', '.join(sorted(unknown))}; there are {', '.join(COMMANDS)}")  # fmt: skip
    run_preloaded()
    calls = preloaded()
    if calls.absent:
        campaign.end(0, [], without=calls.absent)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # no disk to wait for
    scratch = Path(tempfile.mkdtemp(prefix="nettrain-faults-", dir=memory))
    try:
        (scratch / "streams").mkdir()
        faults = Faults(scratch, Warm(scratch / "streams", calls))
        cases = [case for name in given.commands or COMMANDS for case in faults.cases(name)]
        everything = Counter(name for name, _, _ in cases)
        random.Random(given.seed).shuffle(cases)
        tried: Counter[str] = Counter()
        for name, trouble, place in cases[given.first :]:
            if campaign.is_over(tried.total()):
                break
            faults.tried(name, trouble, place)
            tried[name] += 1
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
    shares = {name: f"{tried[name]} of {count}" for name, count in everything.items()}
    figures = {"outcomes": dict(faults.outcomes), "states": faults.states}
    campaign.end(tried.total(), faults.faults, commands=shares, **figures)


if __name__ == "__main__":
    main()
