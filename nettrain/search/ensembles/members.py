"""The runs of an ensemble's members: the same configuration on other seeds, bootstrap samples, or weighted rows."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.component import to_mapping
from nettrain.config.run_config import RunConfig
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.data.readers.arrays import read_npy
from nettrain.data.weights import row_weights
from nettrain.errors import RunError
from nettrain.inference.load import load
from nettrain.search.cv.fold_configs import run_on_rows, write_rows
from nettrain.search.ensembles.boosting import boosting_round
from nettrain.search.executors.base import Executor, Job
from nettrain.search.executors.run_group import finished, run_all
from nettrain.streams import generator
from nettrain.training.artifacts.run_directory import scored_checkpoint
from nettrain.training.build import data_seed

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Member:
    """One trained network of an ensemble.

    weight  of its vote
    rows    the training rows that it saw, where not all
    """

    name: str
    directory: Path
    result: Mapping[str, Any]
    weight: float = 1.0
    rows: np.ndarray | None = None


@dataclass(frozen=True)
class Training:
    """What the members are made of. loaded: the configuration's rows, divided; data_rows: how many the source has."""

    config: RunConfig
    count: int
    loaded: LoadedData
    data_rows: int
    executor: Executor
    directory: Path
    loader: Loader
    tell: Tell

    def seeds(self) -> tuple[list[Member], list[str]]:
        """Seeds seed, seed + 1 ..., on the same data and split."""
        return self._run({place: self._mapping(place) for place in range(self.count)}, {}), []

    def bagging(self) -> tuple[list[Member], list[str]]:
        """As many rows as the training part has, drawn with replacement, for each member; the other parts stay what they are."""
        train = self.loaded.rows["train"]
        drawn = {
            place: np.sort(train[self._stream(place).integers(0, len(train), len(train))])
            for place in range(self.count)
        }
        configs = {}
        for place, rows in drawn.items():
            path = write_rows(
                self.directory / "splits" / f"{_name(place)}.npz",
                {**self.loaded.rows, "train": rows},
            )
            configs[place] = run_on_rows(self.config, path, seed=self.config.seed + place)
        return self._run(configs, drawn), []

    def boosting(self) -> tuple[list[Member], list[str]]:
        """One after the other, each on rows that weigh more where those before were wrong; ends early as `boosting_round` says."""
        train, rows = self.loaded.part("train"), self.loaded.rows["train"]
        own = row_weights(train, None)
        own = np.ones(len(train)) if own is None else own
        weights, members = own, list[Member]()
        for place in range(self.count):
            path = self._write_weights(
                place, rows, np.divide(weights, own, out=np.zeros(len(own)), where=own > 0)
            )
            [member] = self._run({place: self._mapping(place, weights=str(path))}, {})
            model = load(scored_checkpoint(member.directory, self.config), allow_plugins=True)
            wrong = model.predictions_of(train).argmax(axis=1) != model.truth(train)
            found = boosting_round(weights, wrong, len(train.target.classes))  # type: ignore[union-attr,arg-type]
            if found is None:
                if not members:
                    raise RunError(
                        f"{member.directory}: the first member is no better than chance on its training rows, and boosting "
                        "needs one that is: give it more epochs or units, or use ensemble.method: bagging"
                    )
                return members, [
                    f"ended before {member.name}, which is no better than chance on the weighted rows; it has no vote"
                ]
            members.append(replace(member, weight=found.weight))
            if found.perfect:
                return members, [f"ended with {member.name}, which is right on every training row"]
            weights = found.weights
        return members, []

    def _write_weights(self, place: int, rows: np.ndarray, factor: np.ndarray) -> Path:
        """What the rows of the source weigh beside their own weights: `factor` those of the training part, 1 the others."""
        found = np.ones(self.data_rows)
        found[rows] = factor
        if self.config.dataset.weights is not None:
            found *= read_npy(Path(self.config.dataset.weights)).reshape(-1)
        path = self.directory / "weights" / f"{_name(place)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, found)
        return path

    def _mapping(self, place: int, **dataset: Any) -> dict[str, Any]:
        """The configuration with another seed for all but the data."""
        config = self.config
        changed = replace(config.dataset, seed=data_seed(config), **dataset)
        return dict(to_mapping(replace(config, seed=config.seed + place, dataset=changed)))  # type: ignore[call-overload]

    def _stream(self, place: int) -> np.random.Generator:
        return generator(self.config.seed, "bootstrap", place)

    def _run(
        self, configs: Mapping[int, Mapping[str, Any]], drawn: Mapping[int, np.ndarray]
    ) -> list[Member]:
        """The members of some configurations, those that an earlier attempt has finished included."""
        jobs = [
            Job(place, config, str(self.directory), _name(place))
            for place, config in configs.items()
        ]
        earlier = {job.index: result for job in jobs if (result := finished(job)) is not None}

        def ended(job: Job, result: Mapping[str, Any]) -> None:
            part = next(
                part for part in ("test", "validation", "train") if part in result["metrics"]
            )
            figures = "  ".join(
                f"{part}_{name} {value:.4f}"
                for name, value in list(result["metrics"][part].items())[:2]
            )
            self.tell(
                f"{job.name}: {figures}  {result['epochs']} epochs in {result['seconds']:.1f} s"
            )

        waiting = [job for job in jobs if job.index not in earlier]
        results = earlier | run_all(
            self.executor,
            waiting,
            ended,
            f"nettrain ensemble --resume {shlex.quote(str(self.directory))}",
        )
        return [
            Member(
                job.name, self.directory / job.name, results[job.index], rows=drawn.get(job.index)
            )
            for job in jobs
        ]


def _name(place: int) -> str:
    return f"member-{place + 1}"


def out_of_bag(members: Sequence[Member], rows: np.ndarray) -> np.ndarray:
    """(m, n): 1 where a member did not see a training row, 0 where it did."""
    return np.array(
        [~np.isin(rows, rows if member.rows is None else member.rows) for member in members],
        dtype=np.float64,
    )
