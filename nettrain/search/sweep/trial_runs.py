"""The runs of a trial: one, one per repeat, or one per fold of each repeat; and their scores."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nettrain.data.loader import Loader
from nettrain.search.cv.fold_configs import Folds, divide_into_folds
from nettrain.search.executors.base import DatasetInfo, Job
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.reports import reports_of
from nettrain.search.sweep.space import Setting
from nettrain.search.sweep.trial import Trial

HELD_OUT = ("test",)  # until the winner is known
IN_FOLDERS = 3  # digits of a trial's folder


class TrialRuns:
    """Makes the jobs of trials and reads their results.

    Args:
        sweep: The sweep.
        folder: Its directory.
        info: What its data is.
        pause: The seconds between two reports of a run that only people look at.

    Attributes:
        count: The runs of a trial.
        report: Whether each epoch of a trial's first run is reported, since it may be pruned.
    """

    def __init__(self, sweep: Sweep, folder: Path, info: DatasetInfo, pause: float) -> None:
        self._pause = pause
        self._sweep = sweep
        self._folder = folder
        self._folds: dict[str, Folds] = {}
        self._loader = Loader()
        spec = sweep.spec
        self.report = spec.early_terminate.type != "none"
        self.count = spec.repeats * (spec.cross_validation or 1)
        self.metric = spec.metric.name
        self.part, _, self._name = self.metric.partition("_")
        logged = spec.cross_validation is None or self.part in info.rows
        self._monitor = self.metric if logged else None

    def jobs(self, index: int, setting: Setting) -> list[Job]:
        """Of a trial. Raises ConfigError where folds cannot be made of its data."""
        name = f"{index:0{IN_FOLDERS}}"
        if self.count == 1:
            return [
                self._job(index, 0, self._sweep.mapping(setting), self._folder / "trials", name)
            ]
        parent = self._folder / "trials" / name
        if self._sweep.spec.cross_validation is not None:
            runs = self._fold_runs(setting)
        else:
            runs = {
                f"repeat-{repeat + 1}": self._sweep.mapping(setting, repeat)
                for repeat in range(self.count)
            }
        return [
            self._job(index, place, config, parent, run)
            for place, (run, config) in enumerate(runs.items())
        ]

    def directory(self, index: int) -> str:
        """Where the runs of a trial are, relative to the sweep."""
        return f"trials/{index:0{IN_FOLDERS}}"

    def reports(self, trial: Trial) -> dict[int, float]:
        """The metric by epoch of the first run of a trial that has ended, or that it repeats."""
        return reports_of(self._folder / trial.run_directory, self.metric)

    def score(self, result: Mapping[str, Any]) -> float | None:
        """Of one run; None where the metric is not defined for its rows."""
        part = self.part if self._sweep.spec.cross_validation is None else "test"
        value = result["metrics"][part].get(self._name)
        return None if value is None else float(value)

    def folds(self, setting: Setting) -> Folds:
        """The folds of a setting's rows. Settings that have the same rows share them."""
        config = self._sweep.config(setting)
        key = self._rows(setting)
        if key not in self._folds:
            spec = self._sweep.spec
            assert spec.cross_validation is not None
            self._folds[key] = divide_into_folds(
                config, folds=spec.cross_validation, repeats=spec.repeats, loader=self._loader
            )
        return replace(self._folds[key], config=config)

    def _fold_runs(self, setting: Setting) -> dict[str, dict[str, Any]]:
        folds = self.folds(setting)
        folder = (
            self._folder
            / "folds"
            / hashlib.blake2b(self._rows(setting).encode(), digest_size=4).hexdigest()
        )
        return {folds.name(fold): folds.run_config(fold, folder) for fold in folds.folds}

    def _rows(self, setting: Setting) -> str:
        """What decides the rows and their targets."""
        config = self._sweep.mapping(setting)
        decides = {
            name: value for name, value in config["dataset"].items() if "transforms" not in name
        }
        return json.dumps([decides, config["seed"], config["loss"]], sort_keys=True)

    def _job(self, index: int, place: int, config: dict[str, Any], parent: Path, name: str) -> Job:
        asked = self.report and place == 0
        held_out = HELD_OUT if self._sweep.spec.cross_validation is None else ()
        return Job(
            index * self.count + place,
            config,
            str(parent),
            name,
            self._monitor,
            0.0 if asked else self._pause,
            held_out,
            self._sweep.allow_plugins,
        )
