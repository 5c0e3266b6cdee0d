"""The sweep directory: its layout, how it comes to be, and the file of its trials."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from nettrain.config.dump import as_yaml
from nettrain.errors import RunError, nearest
from nettrain.search.directory import new_directory
from nettrain.search.sweep.config import as_mapping
from nettrain.search.sweep.spec import SweepSpec
from nettrain.search.sweep.trial import Trial
from nettrain.training.artifacts.files import disk_errors, write_atomically, write_json
from nettrain.training.artifacts.run_directory import RunDirectory


class SweepDirectory:
    """runs/digits_random: sweep.yaml, trials.jsonl, trials/000 ..., trials.csv, best.yaml, importances.json, final/, summary.json.

    trials.jsonl only grows, by one complete line a trial that is over; this process alone writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "sweep.yaml"
        self.rows = path / "trials.jsonl"
        self.trials = path / "trials"
        self.summary = path / "summary.json"

    @classmethod
    def create(cls, parent: Path, name: str, *, exact: bool) -> Self:
        """A new, empty directory. A taken name gets a suffix (digits-2), or is an error where it was asked for exactly."""
        return cls(new_directory(parent, name, exact=exact))

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing sweep. Raises RunError where there is none."""
        found = cls(path)
        if not path.is_dir():
            siblings = (
                [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            )
            raise RunError(
                f"{path}: there is no such sweep directory{nearest(path.name, siblings)}"
            )
        if not found.spec.is_file():
            raise RunError(f"{path}: is not a sweep directory (it has no sweep.yaml)")
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other process works on this sweep. Raises RunError where one does."""
        with RunDirectory(self.path).locked():
            yield

    def write_spec(self, spec: SweepSpec) -> None:
        """The sweep, complete and runnable."""
        write_atomically(self.spec, as_yaml(as_mapping(spec)).encode())

    def append(self, trial: Trial) -> None:
        """One complete line, handed to the system at once: it outlives this process, however that ends."""
        with disk_errors(self.rows), open(self.rows, "ab", buffering=0) as file:
            file.write(trial.line().encode())

    def recorded(self) -> list[Trial]:
        """The trials that are over. A torn last line, which a crash of the machine may leave, is cut off the file."""
        if not self.rows.exists():
            return []
        lines = self.rows.read_bytes().splitlines(keepends=True)
        trials = []
        for number, line in enumerate(lines, start=1):
            try:
                trials.append(Trial.read(json.loads(line)))
                if not line.endswith(b"\n"):
                    raise ValueError("no line break")
            except (ValueError, TypeError):
                if number < len(lines):
                    raise RunError(
                        f"{self.rows}:{number}: is no trial: the file was changed; restore it, or begin a new sweep"
                    ) from None
                write_atomically(self.rows, b"".join(lines[:-1]))
                del trials[number - 1 :]
        twice = sorted(
            {
                trial.index
                for trial in trials
                if sum(other.index == trial.index for other in trials) > 1
            }
        )
        if twice:
            raise RunError(
                f"{self.rows}: trial {twice[0]} stands there twice: the file was changed; restore it, or begin a new sweep"
            )
        return trials

    def write_table(self, trials: Sequence[Trial], parameters: Sequence[str]) -> None:
        """trials.csv: a row a trial, in order; a column a parameter."""
        content = io.StringIO()
        table = csv.writer(content, lineterminator="\n")
        table.writerow(
            [
                "trial",
                "status",
                "metric",
                "seconds",
                *parameters,
                "same_as",
                "run_directory",
                "message",
            ]
        )
        for trial in trials:
            values = [_cell(trial.parameters.get(path, "")) for path in parameters]
            metric, same = (
                "" if value is None else value for value in (trial.metric, trial.same_as)
            )
            table.writerow(
                [
                    trial.index,
                    trial.status,
                    metric,
                    trial.seconds,
                    *values,
                    same,
                    trial.run_directory,
                    trial.message,
                ]
            )
        write_atomically(self.path / "trials.csv", content.getvalue().encode())

    def write_best(self, text: str) -> None:
        """The winner's run configuration."""
        write_atomically(self.path / "best.yaml", text.encode())

    def write_importances(self, importances: dict[str, Any]) -> None:
        """How much each parameter matters."""
        write_json(self.path / "importances.json", importances)


def _cell(value: object) -> object:
    return (
        value
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else json.dumps(value)
    )
