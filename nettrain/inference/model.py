"""One trained network, read from a checkpoint."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from nettrain.config.plugins import described_failures
from nettrain.data.dataset import Dataset
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.errors import CheckpointError, ConfigError, DataError
from nettrain.inference.conformal import Conformal
from nettrain.inference.predictor import Predictor
from nettrain.metrics import Decision, ValueOutcome, all_metrics, not_finite
from nettrain.training.artifacts.checkpoint import Checkpoint, check_shapes
from nettrain.training.artifacts.metadata import Metadata
from nettrain.training.artifacts.weights import Weights
from nettrain.training.build import build, input_shape, layers_for, loss_for
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.threads import ThreadPool, cores
from nettrain.training.evaluate import PartEvaluation, evaluate, predictions


class Model(Predictor):
    """A network with the transforms that were fitted for it.

    Attributes:
        epoch: After which its weights were saved.
        temperature: What its logits are divided by; 1: it is not calibrated.
        conformal: Its intervals, of numbers; None: it is not calibrated.
    """

    def _build(self, checkpoint: Checkpoint, metadata: Metadata) -> None:
        try:
            self.pipeline = Pipeline.unpack(metadata.pipeline, checkpoint.group("pipeline"))
        except CheckpointError as error:
            raise CheckpointError(f"{self.path}: pipeline: {error}") from None
        self.schema, self.names = self.pipeline.schema, self.pipeline.names
        self.epoch, self.temperature = metadata.epoch, metadata.temperature or 1.0
        self.decision = Decision(self.schema.positive_code, metadata.threshold)
        loss, shape = loss_for(self.config, self.schema.task), input_shape(self.pipeline)
        try:
            layers = layers_for(self.config, loss, self.schema, shape)
        except ConfigError as error:
            raise CheckpointError(
                f"{self.path}: its configuration does not fit its data ({error}); it is damaged"
            ) from None
        weights = self.config.training.class_weights
        if isinstance(weights, Mapping) and set(weights) != set(self.schema.classes or ()):
            raise CheckpointError(
                f"{self.path}: its configuration does not fit its data (training.class_weights: "
                "not those of the classes); it is damaged"
            )
        check_shapes(checkpoint, layers, self.path)
        if self.schema.task == "regression":
            decision, targets = Decision(levels=loss.levels), len(self.schema.targets)
            self.conformal = Conformal.read(checkpoint, self.path, decision, targets)
        self.network = build(layers, self.config, shape, self.config.training.kernels)
        Weights.read(checkpoint, self.network, self.path).put_into(self.network)

    def predictions_of(self, dataset: Dataset) -> np.ndarray:
        """What the network's outputs mean."""
        with described_failures(self.config.plugins), one_blas_thread(), _quiet():
            x = self.pipeline.inputs(dataset.features, self.config.dtype, dataset.place)
            with self._threads(len(x)) as pool:
                outputs = self.network.outputs(x, pool.run)
            predicted = predictions(outputs, self.loss, self.pipeline, self.temperature)
        self._check_finite(dataset, np.flatnonzero(~np.isfinite(predicted).all(axis=1)))
        return predicted

    def evaluate_dataset(self, dataset: Dataset) -> PartEvaluation:
        """The loss, weighted as in training, and every metric."""
        part = self.part_of(dataset)
        with _quiet(), self._threads(len(dataset)) as pool:
            evaluation = evaluate(
                self.network.outputs(part.x, pool.run),
                self.loss,
                self.pipeline,
                part,
                self.metrics,
                temperature=self.temperature,
                decision=self.decision,
            )
        outcome = evaluation.outcome
        self._check_finite(dataset, not_finite(outcome))
        if self.conformal is None or not isinstance(outcome, ValueOutcome):
            return evaluation
        outcome = self.conformal.added_to(outcome)
        loss = {"loss": evaluation.metrics["loss"]}
        return replace(
            evaluation, metrics=loss | all_metrics(outcome, self.metrics), outcome=outcome
        )

    def _threads(self, rows: int) -> AbstractContextManager[ThreadPool]:
        """As many as there are chunks of rows, and at most one per core."""
        chunks = -(-rows // self.network.batched_inference.chunk_size)
        return ThreadPool(max(1, min(cores(), chunks)))

    def part_of(self, dataset: Dataset) -> Part:
        """Raw rows made ready for the network, weighted as in training."""
        weights = self.config.training.class_weights
        return self.pipeline.part(
            dataset, self.config.dtype, weights if isinstance(weights, Mapping) else None
        )

    def _check_finite(self, dataset: Dataset, rows: np.ndarray) -> None:
        """Raises DataError for rows without a finite prediction: NaN would count as a class."""
        if len(rows):
            raise DataError(
                f"{dataset.place(int(rows[0]))}: the prediction is not finite (rows like that: "
                f"{len(rows)}): the features are too large for {self.config.dtype}; correct these "
                "rows or leave them out"
            )

    def truth(self, dataset: Dataset) -> np.ndarray:
        """Of an autoencoder the transformed inputs."""
        if not self.schema.autoencoder:
            return super().truth(dataset)
        x = self.pipeline.inputs(dataset.features, self.config.dtype, dataset.place)
        return x[:].reshape(len(x), -1)


def _quiet() -> np.errstate:
    """NumPy's warnings about overflow are left out: the rows concerned are named instead."""
    return np.errstate(over="ignore", invalid="ignore")
