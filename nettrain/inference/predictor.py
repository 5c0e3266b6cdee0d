"""A trained model, one network or an ensemble, as all that evaluates and predicts sees it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nettrain.config.plugins import described_failures, in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.align import align
from nettrain.data.arrays import weights_from
from nettrain.data.data_frame import DataFrame
from nettrain.data.dataset import Dataset
from nettrain.data.divide import load_data
from nettrain.data.in_memory import features_for, target_in_memory
from nettrain.data.loaded_data import LoadedData
from nettrain.data.loader import Loader
from nettrain.data.missing_target import with_complete_target
from nettrain.data.schema import Schema
from nettrain.data.target import Target
from nettrain.data.task import check_values
from nettrain.data.written_columns import WrittenColumns
from nettrain.errors import DataError, NettrainError
from nettrain.inference.conformal import Conformal, check_calibrated
from nettrain.inference.html import model_html
from nettrain.metrics import Decision, Outcome, RowLosses, all_metrics, baseline, task_metrics
from nettrain.training.artifacts.checkpoint import Checkpoint, configuration, recorded_plugins
from nettrain.training.artifacts.metadata import Metadata
from nettrain.training.build import data_seed, loss_for, target_requirements, target_size
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.evaluate import PartEvaluation

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a model on some rows.

    Attributes:
        metrics: By name.
        baseline: The same of the baseline; empty where the training targets are not known, or the
            configuration leaves it out.
        outcome: From which the metrics were computed.
        losses: Of the rows; None for an ensemble.
    """

    metrics: dict[str, float]
    baseline: dict[str, float]
    outcome: Outcome
    losses: RowLosses | None


class Predictor(ABC):
    """A trained model, one network or an ensemble: raw data in, as it was before any transform.

    Attributes:
        path: Of its checkpoint.
        config: How it was made.
        task: classification, regression or multilabel.
        classes: The names of its classes; None where it predicts numbers.
        schema: The columns that it needs, and its targets.
        names: Of its network's inputs; empty for images.
        decision: How it decides between classes, and which quantiles it predicts.
        conformal: The intervals of its values, if `nettrain calibrate` has made any.
        metrics: Those of its task by name, a plugin's too.
        changed_plugins: Files that define components of it and have changed since its training.
    """

    schema: Schema
    names: tuple[str, ...]
    decision: Decision = Decision()
    conformal: Conformal | None = None

    def __init__(
        self,
        path: Path,
        checkpoint: Checkpoint,
        *,
        allow_plugins: bool = False,
        loader: Loader | None = None,
    ) -> None:
        self.path = path
        metadata = checkpoint.metadata(path)
        self.config: RunConfig = configuration(
            checkpoint, path, allow_plugins=allow_plugins, same_plugins=False
        )
        recorded = {
            plugin.path: plugin.fingerprint for plugin in recorded_plugins(metadata.config, path)
        }
        self.changed_plugins = [
            plugin.path
            for plugin in self.config.plugins
            if plugin.fingerprint != recorded.get(plugin.path)
        ]
        self.fingerprint = metadata.data_fingerprint
        self._loader, self._allow_plugins = loader, allow_plugins
        with in_use(self.config.plugins):
            self._build(checkpoint, metadata)
            self.task = self.schema.task
            self.metrics = task_metrics(self.task)
            self.loss = loss_for(self.config, self.task)
        self.decision = replace(self.decision, levels=self.loss.levels)
        self.classes = self.schema.classes

    @abstractmethod
    def _build(self, checkpoint: Checkpoint, metadata: Metadata) -> None:
        """Set `schema`, `names`, and what predicts. Raises CheckpointError for what is damaged."""

    @abstractmethod
    def predictions_of(self, dataset: Dataset) -> np.ndarray:
        """Of rows of `read`: probabilities (n, k) or (n, l), or values (n, t) in original units.

        Of k quantiles (n, k t); see `Decision`.
        """

    @abstractmethod
    def evaluate_dataset(self, dataset: Dataset) -> PartEvaluation:
        """Every metric of rows that `read` returned, and what it was computed from."""

    def truth(self, dataset: Dataset) -> np.ndarray:
        """The targets as metrics take them.

        Returns:
            Codes (n,), labels (n, l), or numbers (n, t) in the units of the predictions.
        """
        if dataset.target is None:
            raise ValueError("rows without targets have no truth")
        return dataset.target.values

    def predict(self, x: object) -> np.ndarray:
        """What the model predicts for raw features x.

        Args:
            x: An array, or a DataFrame: its columns are found by name, others are passed over.

        Returns:
            Classes (n,) in the type in which they came for training (numbers, true and false, or
            strings), labels (n, l) of 0 and 1, or values (n,) or (n, t) in original units.
        """
        return self.decided(self.predictions_of(self.rows(x)))

    def probabilities(self, x: object) -> np.ndarray:
        """Of each class (n, k) or label (n, l). Raises NettrainError for regression."""
        if self.task == "regression":
            raise NettrainError("a regression model has no probabilities: use predict")
        return self.predictions_of(self.rows(x))

    def evaluate(self, x: object, y: object = None, weights: object = None) -> dict[str, float]:
        """The loss and every metric of the task.

        Args:
            x: Raw features: an array, or a DataFrame, whose columns are found by name.
            y: Their targets; None for an autoencoder, and where x has the target columns.
            weights: Of the rows in the loss (n,); None: all count alike.
        """
        features = features_for(x, self.schema)
        target = None if self.schema.autoencoder else self._target(x, y)
        if target is not None and len(features) != len(target):
            raise DataError(f"x has {len(features)} rows and y has {len(target)}")
        of_rows = None if weights is None else weights_from(weights, len(features))
        dataset = Dataset(features, target, origin="x, y", weights=of_rows)
        aligned = self._complete(align(dataset, self.schema, with_target=True))
        return self.evaluation(_with_notes_said(aligned, "x, y")).metrics

    def decided(self, found: np.ndarray) -> np.ndarray:
        """From probabilities to classes or labels, from quantiles to the one nearest the median.

        Values stay; those of a single target column are (n,).
        """
        if self.task == "classification":
            return self.schema.labels[self.decision.classes(found)]
        if self.task == "multilabel":
            labels = found >= 0.5
            return labels if self.schema.label_type == "boolean" else labels.astype(np.int64)
        return _of_one(self.decision.values(found))

    def quantiles(self, x: object) -> np.ndarray:
        """The quantiles that a model trained with `loss: quantile` predicts for raw features x.

        Args:
            x: An array, or a DataFrame: its columns are found by name, others are passed over.

        Returns:
            (n, k) in the order of `decision.levels`; of t targets (n, k, t), in original units.

        Raises:
            NettrainError: It predicts none.
        """
        if not self.decision.levels:
            raise NettrainError("this model predicts no quantiles: train it with loss: quantile")
        found = self.decision.quantiles(self.predictions_of(self.rows(x)))
        return _of_one(found)

    def interval(self, x: object, level: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The conformal intervals of a model that `nettrain calibrate` has calibrated.

        Args:
            x: See `quantiles`.
            level: The share of new rows that should lie within; None: that of the calibration.

        Returns:
            Lower and upper ends, each (n,) or (n, t), in original units.

        Raises:
            RunError: The model is not calibrated.
            ConfigError: There are too few validation rows for the level.
        """
        conformal = check_calibrated(self.conformal, self.path)
        conformal = conformal if level is None else conformal.at(level)
        lower, upper = conformal.interval(self.predictions_of(self.rows(x)))
        return _of_one(lower), _of_one(upper)

    def at_level(self, level: float | None) -> None:
        """Give intervals at another level from now on; None: as they are.

        Raises:
            RunError: The model is not calibrated.
            ConfigError: There are too few calibration rows for the level.
        """
        if level is not None:
            self.conformal = check_calibrated(self.conformal, self.path).at(level)

    def read(self, path: Path, *, with_target: bool) -> Dataset:
        """A file with the model's columns, read in the manner of its training source."""
        with in_use(self.config.plugins):
            source = self.config.dataset.source.with_path(path.absolute())
            with_target = with_target and not self.schema.autoencoder
            dataset = self._complete(source.load_for(self.schema, with_target=with_target))
        return _with_notes_said(dataset, str(path))

    def written_columns(self, path: Path, asked: Sequence[str]) -> WrittenColumns:
        """Columns of a file as they stand in it, of the rows that `read` returns.

        Raises:
            DataError: A column is not there, or the file has no named columns.
        """
        with in_use(self.config.plugins):
            source = self.config.dataset.source.with_path(path.absolute())
            return source.written_columns(asked, self.schema)

    @cached_property
    def training_data(self) -> LoadedData:
        """The rows of the run, loaded and divided as for training.

        Raises:
            DataError: They are gone.
        """
        with in_use(self.config.plugins):
            return load_data(
                self.config.dataset,
                data_seed(self.config),
                requirements=target_requirements(self.loss),
                loader=self._loader,
            )

    @property
    def data_changed(self) -> bool:
        """Whether the data that `training_data` found is not what the model was trained on."""
        return self.fingerprint is not None and self.training_data.fingerprint != self.fingerprint

    def evaluation(self, dataset: Dataset, train: Dataset | None = None) -> Evaluation:
        """The metrics on some rows, beside those of the baseline.

        Args:
            dataset: Rows with targets, that `read` returned.
            train: The training rows, whose targets are all that the baseline knows; None: there is
                no baseline.
        """
        asked = target_requirements(self.loss)
        if asked is not None and self.task == "regression":
            check_values(dataset, asked)
        with described_failures(self.config.plugins), one_blas_thread():
            evaluated = self.evaluate_dataset(dataset)
            beside: dict[str, float] = {}
            if train is not None and self.config.compares_with("constant"):
                targets, size = evaluated.outcome.targets, target_size(self.schema)
                levels = self.decision.levels
                outcome = baseline(self.truth(train), targets, self.task, size, levels)
                beside = all_metrics(outcome, self.metrics)
            return Evaluation(evaluated.metrics, beside, evaluated.outcome, evaluated.losses)

    def _repr_html_(self) -> str:
        """What a notebook shows: the model, and the metrics and curves of its run."""
        inputs = len(self.schema.numbers) + len(self.schema.texts)
        shape = f"{inputs} columns" if inputs else f"images {self.schema.shape}"
        classes = "" if self.classes is None else f", {len(self.classes)} classes"
        return model_html(type(self).__name__, self.path, f"{self.task} of {shape}{classes}")

    def _complete(self, dataset: Dataset) -> Dataset:
        """The rows with a target, as for training. Raises DataError where all must have one."""
        return with_complete_target(dataset, self.config.dataset.missing_target)

    def rows(self, x: object) -> Dataset:
        """Raw features x in memory as rows for `predictions_of`."""
        dataset = Dataset(features_for(x, self.schema), None, origin="x")
        return _with_notes_said(align(dataset, self.schema, with_target=False), "x")

    def _target(self, x: object, y: object) -> Target:
        """y, or the target columns of the DataFrame x."""
        if y is not None:
            return target_in_memory(y)
        frame = DataFrame.of(x, "x")
        if frame is None:
            raise DataError("y: the targets are missing; give evaluate(x, y)")
        frame.require("target", self.schema.targets)
        return frame.select(self.schema.targets).target()


def _of_one(values: np.ndarray) -> np.ndarray:
    """The values (..., t) without the last axis, if there is a single target."""
    return values[..., 0] if values.shape[-1] == 1 else values


def _with_notes_said(dataset: Dataset, origin: str) -> Dataset:
    """The same rows; what was assumed about them is logged."""
    for note in dataset.notes:
        _LOG.warning("%s: %s", origin, note)
    return dataset
