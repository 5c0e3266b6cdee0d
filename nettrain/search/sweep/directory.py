"""The sweep directory: its layout, and the file of its trials."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nettrain.config.dump import as_yaml
from nettrain.errors import RunError
from nettrain.files import read_bytes
from nettrain.search.directory import SearchKind
from nettrain.search.sweep.config import as_mapping
from nettrain.search.sweep.spec import SweepSpec
from nettrain.search.sweep.trial import Trial
from nettrain.training.artifacts.files import append_line, write_atomically, write_json
from nettrain.training.artifacts.spreadsheet import csv_text

KIND = SearchKind("sweep", "nettrain sweep", "sweep.yaml")


class SweepDirectory:
    """A sweep's files, in an absolute path such as runs/digits_random.

    They are sweep.yaml, trials.jsonl, trials/000 ..., trials.csv, best.yaml, importances.json,
    final/ and summary.json. trials.jsonl grows by one complete line per trial that has ended; only
    trials that are made again are removed from it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / KIND.mark
        self.rows = path / "trials.jsonl"
        self.summary = path / "summary.json"

    def write_spec(self, spec: SweepSpec) -> None:
        """The sweep, complete and runnable."""
        write_atomically(self.spec, as_yaml(as_mapping(spec)).encode())

    def append(self, trial: Trial) -> None:
        """Append one complete line, handed to the system at once: it outlives this process."""
        append_line(self.rows, trial.line())

    def recorded(self) -> list[Trial]:
        """The trials that have ended.

        A torn last line, as a crash of the machine may leave, is cut off the file.
        """
        if not self.rows.exists():
            return []
        try:
            lines = read_bytes(self.rows).splitlines(keepends=True)
        except OSError as error:
            raise RunError(f"{self.rows}: cannot be read: {error.strerror or error}") from error
        trials = []
        for number, line in enumerate(lines, start=1):
            try:
                trials.append(Trial.read(json.loads(line)))
                if not line.endswith(b"\n"):
                    raise ValueError("no line break")
            except (ValueError, TypeError, RecursionError):
                if number < len(lines):
                    raise RunError(
                        f"{self.rows}:{number}: is no trial: the file was changed; "
                        "restore it, or begin a new sweep"
                    ) from None
                write_atomically(self.rows, b"".join(lines[:-1]))
                del trials[number - 1 :]
        counts = Counter(trial.index for trial in trials)
        twice = sorted(index for index, count in counts.items() if count > 1)
        if twice:
            raise RunError(
                f"{self.rows}: trial {twice[0]} stands there twice: the file was changed; "
                "restore it, or begin a new sweep"
            )
        return trials

    def drop(self, trials: Sequence[Trial]) -> list[Trial]:
        """Remove the lines of these trials, which are made again; returns the others."""
        dropped = {trial.index for trial in trials}
        kept = [trial for trial in self.recorded() if trial.index not in dropped]
        write_atomically(self.rows, "".join(f"{trial.line()}\n" for trial in kept).encode())
        return kept

    def write_table(self, trials: Sequence[Trial], parameters: Sequence[str]) -> None:
        """trials.csv: one row per trial, in order; one column per parameter."""
        header = ["trial", "status", "metric", "seconds", *parameters]
        rows = [
            [
                trial.index,
                trial.status,
                trial.metric,
                trial.seconds,
                *(_cell(trial.parameters.get(path, "")) for path in parameters),
                trial.same_as,
                trial.run_directory,
                trial.message,
            ]
            for trial in trials
        ]
        content = csv_text([*header, "same_as", "run_directory", "message"], rows)
        write_atomically(self.path / "trials.csv", content)

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
