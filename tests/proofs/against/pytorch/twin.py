"""A network of nettrain in PyTorch, with its data, weights and random numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from against.pytorch import losses
from against.pytorch.augmentations import Augmented
from against.pytorch.gradients import gradients
from against.pytorch.network import forward
from against.pytorch.parameters import roles
from against.pytorch.places import Mode, Place, Tensor
from against.recorder import Recorder
from against.schedule_formulas import rate

from nettrain import streams


class Twin:
    """The same function of the same weights.

    Args:
        recorder: Of the run.

    Attributes:
        x, y, w: The training rows as nettrain prepared them; their weights, or None.
        augmented: Changes images in each step; None: no augmentation does.
        tensors, state: By nettrain's names.
        trained: Those of the tensors that are trained.
        roles: What each tensor is.
        last_outputs: Of each micro-batch of the last mean loss.
    """

    def __init__(self, recorder: Recorder) -> None:
        run = self._run = recorder.run
        self._config, self._loss = run.config, run.loss
        self._layers = [bound.layer for bound in run.plan.layers]
        part, schema = run.parts["train"], run.pipeline.schema
        classes = schema.task == "classification"
        size = len(schema.classes) if classes else len(schema.targets)
        self.x = torch.tensor(part.x)
        images = recorder.images
        self.augmented = None if images is None else Augmented(self._config, images)
        self.y = losses.encoded(self._loss, part.y, size)
        self.w = None if part.weights is None else torch.tensor(part.weights)
        names = list(run.network.vector.views)
        self.roles = roles(self._layers, vars(self._config.training.learning_rates), names)
        self.tensors = {
            name: torch.tensor(array, requires_grad=self.roles[name].trainable)
            for name, array in run.network.vector.views.items()
        }
        self.trained = {
            name: tensor for name, tensor in self.tensors.items() if self.roles[name].trainable
        }
        self.last_outputs: list[Tensor] = []
        self.state = {name: torch.tensor(array) for name, array in recorder.initial_state.items()}

    def load(self, vector: np.ndarray) -> None:
        """Take over nettrain's weights."""
        with torch.no_grad():
            for name, array in self._run.network.vector.named(vector).items():
                self.tensors[name].copy_(torch.tensor(array))

    def copied_state(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.state.items()}

    def restore_state(self, state: dict[str, Tensor]) -> None:
        for name, tensor in state.items():
            self.state[name].copy_(tensor)

    def rate(self, schedule: Any, lr: float, step: int) -> float:
        """A rate, or another number that follows a schedule."""
        plan = self._run.plan
        return rate(schedule, lr, step, plan.steps_per_epoch, self._config.training.epochs)

    def number(self, step: int) -> Callable[[Any], float]:
        """What a number that may follow a schedule is in a step."""

        def at(number: Any) -> float:
            if isinstance(number, int | float):
                return number
            return self.rate(number.schedule, number.value, step)

        return at

    def losses(self, step: int, micro_batch: int, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """The weighted losses of the rows of a micro-batch, and their weights."""
        mode = self._training_mode(step, micro_batch, len(rows), self._run.plan.shards)
        w = torch.ones(len(rows)) if self.w is None else self.w[rows]
        x, mixed = self.x[rows], None
        if self.augmented is not None:
            x, mixed = self.augmented(rows, step, micro_batch)
        outputs = self._outputs(x, mode)
        self.last_outputs.append(outputs)
        found = losses.row_losses(self._loss, outputs, self.y[rows]) * w
        if mixed is not None:
            partner, share = mixed
            other = losses.row_losses(self._loss, outputs, self.y[rows][partner]) * w[partner]
            found = share * found + (1 - share) * other
        return found, w

    def gradients(self, step: int, rows: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Of the mean loss with respect to each trained tensor, and to the outputs."""
        self.last_outputs.clear()
        loss = self.mean_loss(step, rows)
        outputs = {f"outputs of {i}": y for i, y in enumerate(self.last_outputs) if y.requires_grad}
        return gradients(loss, self.trained | outputs)

    def mean_loss(self, step: int, rows: list[np.ndarray]) -> Tensor:
        """Over the rows of all micro-batches; 0 where they weigh nothing."""
        parts = [self.losses(step, i, part) for i, part in enumerate(rows)]
        total = torch.stack([values.sum() for values, _ in parts]).sum()
        weight = sum(w.sum().item() for _, w in parts)
        return total / weight if weight else total * 0

    def is_finite(self, step: int, rows: list[np.ndarray]) -> bool:
        """Whether the loss of each micro-batch is finite."""
        found = [self.losses(step, i, part)[0].sum() for i, part in enumerate(rows)]
        return bool(torch.isfinite(torch.stack(found)).all())

    def evaluated(self) -> Tensor:
        """The outputs for all training rows in evaluation mode."""
        return self._outputs(self.x, Mode(training=False))

    def predictions(self, outputs: Tensor) -> Tensor:
        return losses.predictions(self._loss, outputs, self._run.pipeline.schema.task)

    def recomputed_statistics(self) -> dict[str, Tensor]:
        """The mean over batches of the statistics of each, as PyTorch's swa_utils.update_bn."""
        size = self._run.plan.batch_size
        kept, sums = self.copied_state(), dict[str, list[Tensor]]()
        for count, start in enumerate(range(0, len(self.x), size)):
            rows = np.arange(start, min(start + size, len(self.x)))
            mode = self._training_mode(count, 0, len(rows), 1)
            with torch.no_grad():
                self._outputs(self.x[rows], mode)
            for path, (mean, variance) in mode.moments.items():
                sums.setdefault(f"{path}.mean", []).append(mean)
                sums.setdefault(f"{path}.variance", []).append(variance)
        means = {
            name: torch.stack(found).mean(dim=0).reshape(kept[name].shape)
            for name, found in sums.items()
        }
        return kept | means

    def _outputs(self, x: Tensor, mode: Mode) -> Tensor:
        return forward(self._layers, x, Place("", self.tensors | self.state, mode))

    def _training_mode(self, step: int, micro_batch: int, n: int, shards: int) -> Mode:
        """Random numbers are drawn shard by shard from nettrain's streams."""

        def draw(path: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
            stream = streams.StepStream(self._config.seed, f"layer.{path}")
            drawn = []
            for i, rows in enumerate(np.array_split(np.arange(n), min(shards, n))):
                generator = stream.seek(step, micro_batch * shards + i)
                draws = generator.random if kind == "uniform" else generator.standard_normal
                drawn.append(draws((len(rows), *shape[1:])))
            return np.concatenate(drawn)

        return Mode(True, draw, self.number(step))
