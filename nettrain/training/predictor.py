"""A trained model, read from a checkpoint: predictions and figures for raw data, as it was before any transform."""
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nettrain.config.plugins import in_use
from nettrain.data.arrays import features_from, target_from, weights_from
from nettrain.data.conform import conform
from nettrain.data.dataset import Dataset
from nettrain.data.pipeline import Pipeline
from nettrain.data.prepare import Loaded, load_parts
from nettrain.data.task import check_values
from nettrain.errors import CheckpointError, ConfigError, DataError, NettrainError
from nettrain.metrics import Outcome
from nettrain.nn.network import Network
from nettrain.training.blas import one_blas_thread
from nettrain.training.build import layers_for, loss_for, rows_of, wanted
from nettrain.training.checkpoint import Checkpoint, check_shapes, configuration
from nettrain.training.evaluate import evaluate, predictions, trivial
from nettrain.training.run_directory import RunDirectory
from nettrain.training.weights import Weights


@dataclass(frozen=True)
class Evaluation:
    """The figures of a model on one part; the trivial baseline's beside them where the training targets are known."""

    metrics: dict[str, float]
    baseline: dict[str, float]
    outcome: Outcome


def load(path: str | os.PathLike[str], *, allow_plugins: bool = False) -> "Predictor":
    """The model in a checkpoint; a run directory stands for its best checkpoint (for its last where there is no best).

    allow_plugins  whether the Python files that its configuration names may be imported
    """
    return Predictor(Path(path), allow_plugins=allow_plugins)


class Predictor:
    """A trained model. `classes` and `task` say what it predicts, `config` how it was made.

    changed_plugins  the files that define components of it and are no longer what they were in training
    """

    def __init__(self, path: Path, *, allow_plugins: bool = False) -> None:
        self.path = checkpoint_path(path)
        checkpoint = Checkpoint.read(self.path)
        self.config = configuration(checkpoint, self.path, allow_plugins=allow_plugins, same_plugins=False)
        recorded = {plugin["path"]: plugin["fingerprint"] for plugin in checkpoint.content["config"].get("plugins", ())}
        self.changed_plugins = [plugin.path for plugin in self.config.plugins if plugin.fingerprint != recorded[plugin.path]]
        with in_use(self.config.plugins):
            self._build(checkpoint)

    def _build(self, checkpoint: Checkpoint) -> None:
        self.pipeline = Pipeline.unpack(checkpoint.content.get("pipeline"), checkpoint.group("pipeline"))
        self.fingerprint = checkpoint.content.get("data_fingerprint")
        self.epoch = checkpoint.content.get("epoch")
        self.task = self.pipeline.schema.task
        self.classes = self.pipeline.schema.classes
        self.loss = loss_for(self.config, self.task)
        try:
            placed = layers_for(self.config, self.loss, self.pipeline.schema, self.pipeline.shape)
        except ConfigError as error:
            raise CheckpointError(f"{self.path}: its configuration does not fit its data ({error}); it is damaged") from None
        check_shapes(checkpoint, placed, self.path)
        self.network = Network([p.layer for p in placed], self.pipeline.shape, seed=self.config.seed, dtype=self.config.dtype)
        Weights.read(checkpoint, self.network, self.path).put_into(self.network)

    def predict(self, x: object) -> np.ndarray:
        """Class names (n,), labels (n, l) of 0 and 1, or values (n,) or (n, t) in original units, for raw features x."""
        return self.decided(self._predictions(self._dataset(x)))

    def probabilities(self, x: object) -> np.ndarray:
        """Of each class (n, k) or label (n, l). Raises NettrainError for regression."""
        if self.task == "regression":
            raise NettrainError("a regression model has no probabilities: use predict")
        return self._predictions(self._dataset(x))

    def evaluate(self, x: object, y: object = None, weights: object = None) -> dict[str, float]:
        """The loss and every metric of the task. y: not for an autoencoder; weights: of the rows in the loss, None: all count alike."""
        features = features_from(x)
        target = None if self.pipeline.schema.itself else target_from(y)
        if target is not None and len(features) != len(target):
            raise DataError(f"x has {len(features)} rows and y has {len(target)}")
        of_rows = None if weights is None else weights_from(weights, len(features))
        dataset = Dataset(features, target, origin="x, y", weights=of_rows)
        return self.evaluation(conform(self._named(dataset), self.pipeline.schema, with_target=True)).metrics

    def decided(self, found: np.ndarray) -> np.ndarray:
        """From probabilities to classes or labels; values stay, a single target column as (n,)."""
        if self.task == "classification":
            return np.array(self.classes)[found.argmax(axis=1)]
        if self.task == "multilabel":
            return (found >= 0.5).astype(np.int64)
        return found[:, 0] if found.shape[1] == 1 else found

    def read(self, path: Path, *, with_target: bool) -> Dataset:
        """A file with the columns that the model was trained on, in the manner of its training source."""
        schema = self.pipeline.schema
        with in_use(self.config.plugins):
            source = self.config.dataset.source.like(path.absolute())
            return source.load_again(schema, with_target=with_target and not schema.itself)

    def predictions_of(self, dataset: Dataset) -> np.ndarray:
        """Probabilities (n, k), or values (n, t) in original units, for rows that `read` gave."""
        return self._predictions(dataset)

    @cached_property
    def training_data(self) -> Loaded:
        """The rows of the run, loaded and divided again as they were for training. Raises DataError where they are gone."""
        with in_use(self.config.plugins):
            return load_parts(**rows_of(self.config), wanted=wanted(self.loss))

    @property
    def data_changed(self) -> bool:
        """Whether the data that `training_data` found is not what the model was trained on."""
        return self.fingerprint is not None and self.training_data.fingerprint != self.fingerprint

    def evaluation(self, dataset: Dataset, train: Dataset | None = None) -> Evaluation:
        """The figures on some rows, beside those of the trivial baseline, which knows the targets of `train` alone."""
        asked, weights = wanted(self.loss), self.config.training.class_weights
        if asked is not None and self.task == "regression":
            check_values(dataset, asked)
        with in_use(self.config.plugins), one_blas_thread():
            part = self.pipeline.part(dataset, self.config.dtype, weights if isinstance(weights, Mapping) else None)
            metrics, outcome = evaluate(self.network, self.loss, self.pipeline, part)
            baseline = {} if train is None else trivial(self.pipeline.part(train, self.config.dtype), part, self.pipeline)
        return Evaluation(metrics, baseline, outcome)

    def _predictions(self, dataset: Dataset) -> np.ndarray:
        with in_use(self.config.plugins), one_blas_thread():
            x = self.pipeline.inputs(dataset.features, self.config.dtype, dataset.place)
            return predictions(self.network.outputs(x), self.loss, self.pipeline)

    def _dataset(self, x: object) -> Dataset:
        return conform(self._named(Dataset(features_from(x), None, origin="x")), self.pipeline.schema, with_target=False)

    def _named(self, dataset: Dataset) -> Dataset:
        """Arrays have no column names: a table of the right width is taken in the order of training."""
        schema, found = self.pipeline.schema, dataset.features
        if schema.texts:
            raise DataError(f"the model wants the texts of the columns {', '.join(schema.texts)}: give it a file (nettrain predict)")
        if found.numbers.ndim == 2 and len(schema.numbers) == found.numbers.shape[1]:
            dataset = replace(dataset, features=replace(found, names=schema.numbers))
        return dataset


def checkpoint_path(path: Path) -> Path:
    """The file meant by a path: itself, or the best (else the last) checkpoint of a run directory."""
    if not path.is_dir():
        return path
    directory = RunDirectory.open(path)
    for found in (directory.best, directory.last):
        if found.exists():
            return found
    raise CheckpointError(f"{path}: this run has no checkpoint yet; go on with it: nettrain fit --resume {path}")
