"""A set-up under examination: its run as configured, and the small runs that checks make of it."""

import dataclasses
from functools import cached_property

import numpy as np

from nettrain.config.run_config import RunConfig
from nettrain.data.in_memory import Data
from nettrain.data.loader import Loader
from nettrain.data.part import Part
from nettrain.diagnosis.constant_loss import best_constant
from nettrain.diagnosis.layer_statistics import Statistics
from nettrain.errors import Diverged
from nettrain.inspection.doctor.noise import without_noise
from nettrain.inspection.doctor.sample import (
    Sample,
    draw_sample,
    evenly,
    inputs_of,
    targets_of,
    truth_of,
)
from nettrain.inspection.doctor.short_training import ShortTraining, train_briefly
from nettrain.inspection.doctor.small_config import in_memory, shortened
from nettrain.inspection.doctor.standardized_linear import StandardizedLinear, fit_standardized
from nettrain.inspection.doctor.workload import Workload, workload
from nettrain.optim import ClosureOptimizer
from nettrain.schedules import MetricSchedule
from nettrain.streams import generator
from nettrain.training.build import encoded, target_size
from nettrain.training.callbacks.diagnostics import statistics_of
from nettrain.training.initialize import initial_weights
from nettrain.training.run import Run
from nettrain.training.run_plan import plan_run

PROBE_ROWS = 512


class Setup:
    """What all checks look at.

    Args:
        run: Of the whole configuration, with the weights before its first step.
        seconds: That the examination may take.
        data: Its rows, if they are in memory.
        loader: Remembers the source that the run was made of.

    Attributes:
        config: The final configuration.
        small: The same for runs in memory.
        work: The bounds of a short training.
        sample: The rows of short trainings.
    """

    def __init__(
        self, run: Run, seconds: float, data: Data | None = None, loader: Loader | None = None
    ) -> None:
        self.run, self.seconds = run, seconds
        self.data, self.loader = data, loader
        run.network.report = _ignore
        self.config: RunConfig = run.config
        self.small: RunConfig = in_memory(run.config)
        self.work: Workload = workload(run, seconds)
        self.sample: Sample = draw_sample(run.parts, self.work.rows, self.config.seed)

    @property
    def task(self) -> str:
        """classification, regression or multilabel."""
        return self.run.pipeline.schema.task

    @property
    def is_table(self) -> bool:
        """Whether the inputs are columns; else they are pixels."""
        return bool(self.run.pipeline.names)

    @property
    def uses_closure(self) -> bool:
        """Whether the optimizer chooses its steps itself."""
        return isinstance(self.config.optimizer, ClosureOptimizer)

    @property
    def target_size(self) -> int:
        """The number of classes, or of target columns."""
        return target_size(self.run.pipeline.schema)

    def generator(self, name: str) -> np.random.Generator:
        """A random stream of a check."""
        return generator(self.config.seed, f"doctor.{name}")

    def encoded(self, part: Part) -> np.ndarray:
        """The targets of a part as the loss takes them."""
        return encoded(self.run.loss, targets_of(part), self.target_size, self.run.network.dtype)

    @cached_property
    def probe(self) -> Part:
        """A few training rows, for checks that only look."""
        return evenly(self.sample.train, PROBE_ROWS)

    @cached_property
    def constant(self) -> tuple[np.ndarray, float]:
        """The best constant outputs (o,) for the training rows, and their loss: the baseline."""
        train = self.sample.train
        return best_constant(
            self.run.loss, self.encoded(train), self.run.network.output_shape[0], train.weights
        )

    @cached_property
    def layers(self) -> Statistics:
        """The statistics of the layers before the first step."""
        return statistics_of(self.run).layers()

    @property
    def training(self) -> ShortTraining:
        """A short training on the sample, as configured.

        Raises:
            Diverged: The loss or the weights became NaN or infinite.
        """
        if isinstance(self._training, Diverged):
            raise self._training
        return self._training

    @cached_property
    def _training(self) -> ShortTraining | Diverged:
        try:
            return self.train_briefly(self.sample.train)
        except Diverged as error:
            return error

    @cached_property
    def linear(self) -> StandardizedLinear | None:
        """A linear model of the training rows; None where there can be none."""
        train = self.sample.train
        return fit_standardized(self.run.pipeline, inputs_of(train), truth_of(train))

    def train_briefly(self, train: Part, validation: Part | None = None) -> ShortTraining:
        """Train as configured, but shorter.

        Args:
            train: The rows.
            validation: The rows that it is judged on; None: those of the sample.

        Raises:
            Diverged: The loss or the weights became NaN or infinite.
        """
        batch = min(self.run.plan.step_rows, len(train))
        per_epoch = -(-len(train) // batch)
        epochs = max(1, min(self.work.steps // per_epoch, self.config.training.epochs))
        if per_epoch < self.run.plan.steps_per_epoch:  # fewer rows: as many steps, more epochs
            epochs = max(1, self.work.steps // per_epoch)
        judged = self.sample.validation if validation is None else validation
        return train_briefly(self.build(train, judged, config=shortened(self.small, epochs)))

    def build(
        self,
        train: Part,
        validation: Part | None = None,
        *,
        config: RunConfig | None = None,
        noise: bool = True,
    ) -> Run:
        """A run of the same network, initial weights included, on other rows. It writes nothing.

        Args:
            train, validation: Its parts.
            config: Its configuration, made of `small`; None: that one.
            noise: Whether layers such as dropout draw random numbers.
        """
        config = config or self.small
        parts = {"train": _as(train, config.dtype)}
        if validation is not None:
            parts["validation"] = _as(validation, config.dtype)
        rows = {name: np.arange(len(part)) for name, part in parts.items()}
        prepared = dataclasses.replace(self.run.prepared, parts=parts, rows=rows, notes=[])
        plan = plan_run(config, prepared)
        if not isinstance(config.schedule, MetricSchedule):
            plan = dataclasses.replace(plan, metrics={})  # the loss is all that is looked at
        if not noise:
            plan = dataclasses.replace(plan, layers=[without_noise(one) for one in plan.layers])
        run = Run(plan, prepared)
        run.network.report = _ignore
        initial_weights(plan.layers, config.initialize_from).copy_into(run.network)
        return run


def _as(part: Part, dtype: str) -> Part:
    """The part in another number format; codes of classes stay codes."""
    y = targets_of(part)
    x = np.asarray(part.x).astype(dtype, copy=False)
    return dataclasses.replace(part, x=x, y=y if y.dtype.kind == "i" else y.astype(dtype))


def _ignore(path: str, text: str) -> None:
    """Takes what layers show: a dozen small runs would show it a dozen times."""
