"""Runs that are all needed: handed to an executor, as many at a time as it has slots, and the first that goes wrong ends the rest."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nettrain.errors import Diverged, NettrainError
from nettrain.search.executors.base import Ended, Executor, Job
from nettrain.training.loop import Interrupted
from nettrain.training.signals import stop_signals

WAIT = 0.2  # seconds after which it is asked whether a signal came

Results = dict[int, Mapping[str, Any]]


class RunFailed(NettrainError):
    """A run that failed, was killed, or used up the memory, though data and network had been found good before."""

    exit_code = 1


def run_all(
    executor: Executor,
    jobs: Sequence[Job],
    ended: Callable[[Job, Mapping[str, Any]], None],
    go_on: str,
) -> Results:
    """The results of all jobs, by index.

    Raises Diverged or RunFailed for the first that does not finish, Interrupted on a signal.
    ended  is told of each run that finishes; go_on: the command that goes on after an interruption
    """
    waiting, running = list(jobs), dict[int, Job]()
    results: Results = {}
    with stop_signals() as signalled:
        while waiting or running:
            while waiting and len(running) < executor.slots:
                job = waiting.pop(0)
                running[job.index] = job
                executor.submit(job)
            event = executor.next_event(WAIT)
            number = signalled()
            if number is not None:
                raise Interrupted(
                    f"interrupted after {len(results)} of {len(jobs)} runs; to go on: {go_on}",
                    number,
                )
            if isinstance(event, Ended):
                job = running.pop(event.index)
                if event.status != "finished" or event.result is None:
                    raise _failure(job, event, go_on)
                results[job.index] = event.result
                ended(job, event.result)
    return results


def finished(job: Job) -> Mapping[str, Any] | None:
    """The result that an earlier attempt left, if it came to its end."""
    try:
        found = json.loads(
            (Path(job.parent) / job.name / "summary.json").read_text(encoding="utf-8")
        )
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("metrics") else None


def _failure(job: Job, event: Ended, go_on: str) -> NettrainError:
    path = Path(job.parent) / job.name
    if event.status == "diverged":
        return Diverged(f"{path}: {event.message}")
    return RunFailed(
        f"{path}: {event.status.replace('_', ' ')}: {event.message}; to try once more: {go_on}"
    )
