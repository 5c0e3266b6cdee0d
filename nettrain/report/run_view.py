"""What figures and pages of one run draw from: each thing computed once, when first needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.config.plugins import in_use
from nettrain.data.dataset import Dataset
from nettrain.data.loaded_data import LoadedData
from nettrain.errors import ConfigError, DataError, NettrainError, RunError, nearest
from nettrain.inference.load import load
from nettrain.inference.model import Model
from nettrain.inference.predictor import Evaluation, Predictor
from nettrain.inspection.dependence import PartialDependence, partial_dependence
from nettrain.inspection.directory_kind import CALLED
from nettrain.inspection.importance import Importance, permutation_importance
from nettrain.inspection.intervals import Interval, metric_intervals
from nettrain.inspection.raw_features import column_names
from nettrain.inspection.recorded_run import RecordedRun, inner_runs, open_run
from nettrain.inspection.runs import MAIN_METRICS
from nettrain.metrics import ClassOutcome, LabelOutcome, ValueOutcome
from nettrain.nn.layer import Output
from nettrain.training.engine.blas import one_blas_thread

Need = Literal[
    "epochs",
    "snapshots",
    "model",
    "network",
    "rows",
    "probabilities",
    "classes",
    "values",
    "table",
    "images",
]
T = TypeVar("T")
PARTS = ("test", "validation", "train")  # the first that has rows is shown
MOST_CELLS = 2e7  # rows x features x repeats of the importance in a page
EMBEDDED = 2000  # rows of the embedding


@dataclass
class RunView:
    """One run or ensemble, for figures.

    Attributes:
        record: Its directory.
        allow_plugins: Whether the Python files that its configuration names may be imported.
        chosen_part: test, validation or train; None: the first of these that has rows.
        row: The row whose feature maps are drawn.
        features: The columns on which the figure depends, where the user named them.
        find_lr: The file that `nettrain fit --find-lr` wrote.
        parameters: The two over which the loss is drawn; None: decided by the model.
        principal: Whether the loss is drawn over principal directions of the path instead.
        others: Further runs on the same picture.
    """

    record: RecordedRun
    allow_plugins: bool = False
    chosen_part: str | None = None
    row: int = 0
    features: tuple[str, ...] = ()
    find_lr: Path | None = None
    parameters: tuple[str, str] | None = None
    principal: bool = False
    others: tuple["RunView", ...] = ()
    _attempts: dict[str, Any] = field(default_factory=dict, repr=False)

    def lacks(self, *needs: Need) -> str | None:
        """Returns why the first of these needs is not met; None: all are."""
        for need in needs:
            if reason := getattr(self, f"_lacks_{need}")():
                return cast(str, reason)
        return None

    @property
    def predictor(self) -> Predictor:
        """The trained model. Raises NettrainError where it cannot be loaded."""
        return self._once("model", lambda: load(self.record.path, allow_plugins=self.allow_plugins))

    @property
    def data(self) -> LoadedData:
        """All rows, divided as in training. Raises NettrainError where they are gone."""
        return self._once("data", lambda: self.predictor.training_data)

    @property
    def part(self) -> str:
        """The part that is shown. Raises ConfigError for one that the run does not have."""
        rows = self.data.rows
        if self.chosen_part is None:
            return next(name for name in PARTS if name in rows and len(rows[name]))
        if self.chosen_part not in rows:
            hint = nearest(self.chosen_part, rows)
            raise ConfigError(
                f"--part {self.chosen_part}: this run has no such part{hint} (it has "
                f"{', '.join(rows)})"
            )
        return self.chosen_part

    @cached_property
    def dataset(self) -> Dataset:
        """The raw rows of the part."""
        return self.data.part(self.part)

    @cached_property
    def train(self) -> Dataset:
        """The raw rows of the training part."""
        return self.data.part("train")

    @cached_property
    def evaluation(self) -> Evaluation:
        """The metrics of the part, and those of the baseline."""
        return self.predictor.evaluation(self.dataset, self.train)

    @property
    def outcome(self) -> ClassOutcome | LabelOutcome | ValueOutcome:
        """The targets of the part and the predictions for it."""
        return self.evaluation.outcome

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The 95 % intervals of the metrics of the part."""
        with in_use(self.predictor.config.plugins):
            found = self.evaluation
            return metric_intervals(found.metrics, found.outcome, found.losses)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, or the labels."""
        return self.predictor.classes or self.predictor.schema.targets

    @property
    def main_metric(self) -> str:
        """The name of the metric that is drawn beside the loss."""
        known = {key.partition("_")[2] for row in self.record.epochs for key in row}
        return next((name for name in MAIN_METRICS if name in known), "loss")

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept."""
        best = self.record.summary.get("best_epoch")
        if best is None and self.lacks("network") is None:
            best = cast(Model, self.predictor).epoch
        return best if isinstance(best, int) else None

    @cached_property
    def importance(self) -> Importance:
        """The permutation importance on the part; on its first rows where it is large."""
        columns = max(1, len(column_names(self.dataset.features)))
        most = max(200, int(MOST_CELLS / columns / columns / 10))
        rows = self.dataset.take(np.arange(min(len(self.dataset), most)))
        return permutation_importance(self.predictor, rows)

    @cached_property
    def dependences(self) -> list[PartialDependence]:
        """The partial dependence on the named columns, or on the five most important ones."""
        names = self.features or tuple(one.feature for one in self.importance.features[:5])
        rows = self.dataset.take(np.arange(min(len(self.dataset), 1000)))
        return [partial_dependence(self.predictor, rows, name) for name in names]

    def layer_outputs(self, dataset: Dataset) -> list[Output]:
        """The output of every layer for some rows, in evaluation mode."""
        model = cast(Model, self.predictor)
        with in_use(model.config.plugins), one_blas_thread():
            x = model.pipeline.inputs(dataset.features, model.config.dtype, dataset.place)
            return model.network.watched(Tensor(x[:]))[1]

    @property
    def weights(self) -> Mapping[str, np.ndarray]:
        """The parameters of the network by name: `dense_1.w`."""
        return cast(Model, self.predictor).network.vector.views

    def _once(self, name: str, compute: Callable[[], T]) -> T:
        """Computes once; a failure is remembered as well, since it may have taken long."""
        if name not in self._attempts:
            try:
                self._attempts[name] = compute()
            except NettrainError as error:
                self._attempts[name] = error
        found = self._attempts[name]
        if isinstance(found, NettrainError):
            raise found
        return cast(T, found)

    def _failure(self, compute: Callable[[], object]) -> str | None:
        try:
            compute()
        except NettrainError as error:
            return str(error)
        return None

    def _lacks_epochs(self) -> str | None:
        if self.record.epochs:
            return None
        return "its metrics.jsonl holds no epoch" if self.record.kind == "run" else "it is no run"

    def _lacks_snapshots(self) -> str | None:
        if self.record.kind != "run":
            return f"it is {CALLED[self.record.kind]}; name one of its runs"
        count = len(self.record.snapshots)
        if count > 1:
            return None
        found = "has one snapshot, and needs two" if count else "needs snapshots"
        return f"{found}: train with training.snapshots: {self._sensible_interval()}"

    def _sensible_interval(self) -> int:
        """Epochs from one snapshot to the next that give some thirty pictures."""
        epochs = self.record.value("training.epochs")
        return max(1, epochs // 30) if isinstance(epochs, int) else 1

    def _lacks_model(self) -> str | None:
        return self._failure(lambda: self.predictor)

    def _lacks_network(self) -> str | None:
        if reason := self._lacks_model():
            return reason
        return None if isinstance(self.predictor, Model) else "an ensemble is not one network"

    def _lacks_rows(self) -> str | None:
        return self._lacks_model() or self._failure(self._rows)

    def _rows(self) -> None:
        if not len(self.dataset):
            raise DataError(f"its {self.part} part has no rows")

    def _lacks_probabilities(self) -> str | None:
        regression = self.predictor.task == "regression"
        return "it predicts values, not classes" if regression else None

    def _lacks_classes(self) -> str | None:
        return None if self.predictor.task == "classification" else "it does not predict classes"

    def _lacks_values(self) -> str | None:
        return None if self.predictor.task == "regression" else "it does not predict values"

    def _lacks_table(self) -> str | None:
        schema = self.predictor.schema
        return None if schema.numbers or schema.texts else "its inputs are images"

    def _lacks_images(self) -> str | None:
        return None if len(self.predictor.schema.shape) == 3 else "its inputs are not images"


def open_views(paths: Sequence[Path], *, several: bool, **options: Any) -> list[RunView]:
    """The views of several runs.

    Args:
        paths: Of their directories.
        several: Whether a sweep stands for its trials.
        **options: Of every view.

    Raises:
        RunError: One of them is no run, or a sweep has no trial that is one run.
    """
    found = []
    for path in paths:
        record = RecordedRun.open(path)
        if not several or record.kind != "sweep":
            found.append(open_view(path, **options))
            continue
        runs = [one for one in inner_runs(record) if one.kind == "run"]
        trials = [one for one in runs if one.path.parent.name == "trials"]
        if not trials:
            raise RunError(f"{path}: this sweep has no trial that is one run")
        found += [RunView(one, **options) for one in trials]
    return found


def open_view(path: Path, **options: Any) -> RunView:
    """The view of a run or an ensemble. Raises RunError for anything else, naming a run inside."""
    record = RecordedRun.open(path)
    return RunView(record if record.kind == "ensemble" else open_run(path), **options)
