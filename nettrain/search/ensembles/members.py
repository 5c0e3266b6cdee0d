"""The members of an ensemble: one run on other seeds, on bootstrap samples, or on weighted rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.ensemble_config import EnsembleRun
from nettrain.data.loaded_data import LoadedData
from nettrain.data.readers.arrays import read_npy
from nettrain.data.weights import row_weights
from nettrain.errors import RunError
from nettrain.inference.load import load
from nettrain.search.cv.fold_configs import run_on_rows, write_rows
from nettrain.search.ensembles.boosting import boosting_round
from nettrain.search.observer import Overview
from nettrain.search.run_group import RunGroup, RunResult, finished_result, run_outcome
from nettrain.streams import generator
from nettrain.training.build import data_seed

Method = Literal["seeds", "bagging", "boosting"]


@dataclass(frozen=True)
class Member:
    """One trained network of an ensemble.

    Attributes:
        weight: Of its vote.
        rows: The training rows that it saw, where not all.
    """

    name: str
    directory: Path
    result: RunResult
    weight: float = 1.0
    rows: np.ndarray | None = None


class MemberTraining:
    """Trains the members.

    Args:
        config: The run of which they are variations, and how many there are.
        loaded: The rows of the configuration, divided.
        data_rows: How many rows the source has.
        group: Where the runs are made.
        allow_plugins: Whether the plugins of the configuration may be imported.
    """

    def __init__(
        self,
        config: EnsembleRun,
        loaded: LoadedData,
        data_rows: int,
        group: RunGroup,
        *,
        allow_plugins: bool,
    ) -> None:
        self._config = config.base
        self._count = config.ensemble.members
        self._loaded = loaded
        self._data_rows = data_rows
        self._group = group
        self._allow_plugins = allow_plugins

    def train(self, method: Method) -> tuple[list[Member], list[str]]:
        """The members, and what was decided on the way."""
        names = [_name(place) for place in range(self._count)]
        done = [
            run_outcome(name, place, result)
            for place, name in enumerate(names)
            if (result := finished_result(self._group.path / name)) is not None
        ]
        self._group.observer.begin(Overview("members", self._count, done))
        methods = {"seeds": self._seeds, "bagging": self._bagging, "boosting": self._boosting}
        return methods[method]()

    def _seeds(self) -> tuple[list[Member], list[str]]:
        """Seeds seed, seed + 1 ..., on the same rows and split."""
        return self._run({place: self._mapping(place) for place in range(self._count)}, {}), []

    def _bagging(self) -> tuple[list[Member], list[str]]:
        """For each member as many rows as the training part has, drawn with replacement."""
        train = self._loaded.rows["train"]
        drawn = {
            place: np.sort(train[self._stream(place).integers(0, len(train), len(train))])
            for place in range(self._count)
        }
        configs = {}
        for place, rows in drawn.items():
            file = self._group.path / "splits" / f"{_name(place)}.npz"
            write_rows(file, {**self._loaded.rows, "train": rows})
            configs[place] = run_on_rows(self._config, file, seed=self._config.seed + place)
        return self._run(configs, drawn), []

    def _boosting(self) -> tuple[list[Member], list[str]]:
        """One after the other, each on rows that weigh more where those before were wrong.

        It ends early as `boosting_round` says.
        """
        train, rows = self._loaded.part("train"), self._loaded.rows["train"]
        own = row_weights(train, None)
        own = np.ones(len(train)) if own is None else own
        weights, members = own, list[Member]()
        for place in range(self._count):
            factor = np.divide(weights, own, out=np.zeros(len(own)), where=own > 0)
            path = self._write_weights(place, rows, factor)
            [member] = self._run({place: self._mapping(place, weights=str(path))}, {})
            model = load(member.directory, allow_plugins=self._allow_plugins)
            wrong = model.predictions_of(train).argmax(axis=1) != model.truth(train)
            found = boosting_round(weights, wrong, len(train.target.classes))  # type: ignore[union-attr,arg-type]
            if found is None:
                if not members:
                    raise RunError(
                        f"{member.directory}: the first member is no better than chance on its "
                        "training rows, and boosting needs one that is: give it more epochs or "
                        "units, or use ensemble.method: bagging"
                    )
                return members, [
                    f"ended before {member.name}, which is no better than chance on the weighted "
                    "rows; it has no vote"
                ]
            members.append(replace(member, weight=found.weight))
            if found.perfect:
                return members, [f"ended with {member.name}, which is right on every training row"]
            weights = found.weights
        return members, []

    def _write_weights(self, place: int, rows: np.ndarray, factor: np.ndarray) -> Path:
        """The weights of all rows of the source, beside their own.

        Args:
            place: Of the member.
            rows: Those of the training part.
            factor: Their weights; that of all other rows is 1.
        """
        weights = np.ones(self._data_rows)
        weights[rows] = factor
        if self._config.dataset.weights is not None:
            weights *= read_npy(Path(self._config.dataset.weights)).reshape(-1)
        path = self._group.path / "weights" / f"{_name(place)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, weights)
        return path

    def _mapping(self, place: int, **dataset: Any) -> dict[str, Any]:
        """The configuration with another seed for all but the data."""
        config = self._config
        changed = replace(config.dataset, seed=data_seed(config), **dataset)
        return dict(to_mapping(replace(config, seed=config.seed + place, dataset=changed)))  # type: ignore[call-overload]

    def _stream(self, place: int) -> np.random.Generator:
        return generator(self._config.seed, "bootstrap", place)

    def _run(
        self, configs: Mapping[int, Mapping[str, Any]], drawn: Mapping[int, np.ndarray]
    ) -> list[Member]:
        """The members of some configurations; finished ones are not trained again."""
        path = self._group.path
        jobs = [
            self._group.job(place, config, _name(place), allow_plugins=self._allow_plugins)
            for place, config in configs.items()
        ]
        return [
            Member(job.name, path / job.name, result, rows=drawn.get(job.index))
            for job, result in zip(jobs, self._group.run_required(jobs), strict=True)
        ]


def _name(place: int) -> str:
    return f"member-{place + 1}"


def out_of_bag(members: Sequence[Member], rows: np.ndarray) -> np.ndarray:
    """(m, n): 1 where a member did not see a training row, 0 where it did."""
    return np.array(
        [~np.isin(rows, rows if member.rows is None else member.rows) for member in members],
        dtype=np.float64,
    )
