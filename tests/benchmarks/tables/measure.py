"""One fit in a process of its own: its score on the test rows, its seconds, its memory."""

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from catalogue import TABLES
from methods import METHODS
from prepare import files, read, word
from results import Fit
from task import Task


def measured(method: str, table: str, split: int, folder: Path, threads: int) -> Fit:
    """Start a process for it, in the environment of a user, and read what it prints."""
    command = [sys.executable, str(Path(__file__).parent), "fit", method, table, str(split),
               "--folder", str(folder), "--threads", str(threads)]  # fmt: skip
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))  # fmt: skip
    done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True)
    if done.returncode == 0:
        return Fit(**json.loads(done.stdout.splitlines()[-1]))
    last = (done.stderr.strip().splitlines() or [""])[-1]
    print(f"{method} {table} {split}: code {done.returncode}: {last}", file=sys.stderr, flush=True)
    return Fit(method, table, split, METHODS[method].version)


def fit(method: str, table: str, split: int, folder: Path, threads: int) -> Fit:
    """In this process."""
    row = METHODS[method]
    if row.limit is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (row.limit, row.limit))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        task, x, y = load(table, split, folder, threads, Path(scratch))
        for module in row.modules:
            importlib.import_module(module)
        fit_method = row.fit()
        started = clocks()
        predict = fit_method(task)
        fitted = clocks()
        found = predict(x)
        ended = clocks()
    score, log_loss = scores(found, y, task)
    return Fit(
        method, table, split, row.version, score, log_loss,
        fit_cpu=fitted[0] - started[0], fit_wall=fitted[1] - started[1],
        predict_cpu=ended[0] - fitted[0], predict_wall=ended[1] - fitted[1], peak_mb=peak(),
    )  # fmt: skip


def load(
    table: str, split: int, folder: Path, threads: int, scratch: Path
) -> tuple[Task, "object", np.ndarray]:
    """The task, the features and the targets of the test rows."""
    at, target = files(table, split, folder), word(TABLES[table].target)
    x, y = read(at.csv, target)
    classes: tuple[str, ...] = ()
    if TABLES[table].task == "classification":
        texts = y.astype(str)
        classes = tuple(sorted(texts.unique()))
        y = texts.map({name: i for i, name in enumerate(classes)})
    with np.load(at.rows) as rows:
        part = {name: rows[name] for name in rows.files}
    values = y.to_numpy()
    task = Task(
        at.csv, at.rows, target, classes, x.iloc[part["train"]], values[part["train"]],
        x.iloc[part["validation"]], values[part["validation"]], split, threads, scratch,
    )  # fmt: skip
    return task, x.iloc[part["test"]], values[part["test"]]


def clocks() -> tuple[float, float]:
    """CPU seconds of this process and of its children that ended; wall seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used), time.perf_counter()


def peak() -> float:
    """The largest resident size of this process or of a child of it, in MB."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(one.ru_maxrss for one in used) / 1024


def scores(found: np.ndarray, y: np.ndarray, task: Task) -> tuple[float, float | None]:
    """Accuracy and mean logarithmic loss in nats, with probabilities of 1e-7 at least; or R2 and nothing."""
    if not task.classes:
        return 1 - float(np.mean((y - found) ** 2) / np.var(y)), None
    right = found[np.arange(len(y)), y]
    loss = -float(np.mean(np.log(np.clip(right, 1e-7, 1))))
    return float(np.mean(found.argmax(axis=1) == y)), loss
