"""`nettrain` as a program of its own, or as several processes of MPI, killed and resumed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from processes.descendants import descendants, still_running
from processes.networks import RUNS, write_run
from processes.run_content import whole_content

PROGRAM = [sys.executable, "-c", "from nettrain.cli.main import run; run()"]
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
KERNELS = "numpy"
SLOWER = {"mlp_with_averages": 40, "mlp_of_a_large_matrix": 8}  # times as many epochs as elsewhere
MOST = 5  # kills of one run
AGAIN = 0.6  # chance that a resumed run is killed too


class Programs:
    """One run, killed again and again.

    Args:
        name: Which.
        folder: Where.
        chance: Decides moments, and how many processes there are.
        ranks: At most; 0: without MPI.
    """

    def __init__(self, name: str, folder: Path, chance: random.Random, ranks: int = 0) -> None:
        self._folder, self._chance, self._ranks = folder, chance, ranks
        config = write_run(folder, name, KERNELS)
        longer = f"training.epochs={RUNS[name]['training']['epochs'] * SLOWER[name]}"
        shutil.rmtree(folder / "program", ignore_errors=True)
        self._begin = ["fit", config, "--run-name", "run", "--set", longer, "--quiet"]
        began = time.monotonic()
        _, said = self._start([*self._begin, "-o", folder / "program"]).communicate()
        self._seconds = time.monotonic() - began
        if not (folder / "program/run/summary.json").exists():
            raise RuntimeError(f"undisturbed: {said}")
        self._whole = self._content(folder / "program/run")

    def disturbed(self, most: int) -> tuple[int, list[str], str]:
        """Kill one run and resume it to its end: the kills, what they were, what is wrong."""
        out, history = self._folder / "killed-program", []
        shutil.rmtree(out, ignore_errors=True)
        while True:
            process = self._start(self._words(out))
            kill = len(history) < min(MOST, most) and (not history or self._chance.random() < AGAIN)
            seconds = self._chance.uniform(0.3, 1.0) * self._seconds
            try:
                _, said = process.communicate(timeout=seconds if kill else None)
            except subprocess.TimeoutExpired:
                history.append(f"after {seconds:.2f} s")
                if problem := self._kill(process):
                    return len(history), history, problem
                continue
            if process.returncode:
                return len(history), history, said[-1500:]
            different = [key for key, part in self._content(out / "run").items() if part != self._whole.get(key)]  # fmt: skip
            return len(history), history, f"differs in {different}" if different else ""

    def _content(self, run: Path) -> dict[str, Any]:
        found = whole_content(run)
        if self._ranks:  # whether steps are too short to be divided is a matter of time
            found["summary"].pop("warnings")
        return found

    def _kill(self, process: subprocess.Popen) -> str:
        """Kill it, or one of the processes of MPI; what is wrong with how all of them end."""
        below = descendants(process.pid)
        victims = [pid for pid in below if _is_nettrain(pid)] if self._ranks else []
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice([*victims, process.pid]), signal.SIGKILL)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return "the other processes did not end"
        left = still_running(pid for pid in below if _is_nettrain(pid))
        return f"processes are left: {left}" if left else ""

    def _words(self, out: Path) -> list[Any]:
        if (out / "run/config.yaml").exists():
            return ["fit", "--resume", out / "run", "--quiet"]
        again = ["--overwrite"] if (out / "run").exists() else []
        return [*self._begin, "-o", out, *again]

    def _start(self, words: Sequence[Any]) -> subprocess.Popen:
        command = [*PROGRAM, *map(str, words)]
        if self._ranks:
            ranks = str(self._chance.randint(1, self._ranks))
            command = ["mpirun", "-n", ranks, "--oversubscribe", *command, "--distributed", "mpi"]
        return subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | AS_ROOT,
        )


def mpi_is_installed() -> bool:
    """Whether several processes can be started."""
    return shutil.which("mpirun") is not None and find_spec("mpi4py") is not None


def _is_nettrain(pid: int) -> bool:
    with suppress(OSError):
        return b"nettrain" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
