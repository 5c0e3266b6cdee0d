"""Configurations of the small runs that checks make: shorter, or without all that hides a fault."""

import dataclasses
from typing import Literal

from nettrain.config.run_config import Regularization, RunConfig
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule

Dtype = Literal["float32", "float64"]


def in_memory(config: RunConfig) -> RunConfig:
    """The configuration without what writes files, ends the training early or compiles kernels."""
    training = dataclasses.replace(
        config.training, shards=None, kernels="numpy", monitor=None, snapshots=None, loggers=()
    )
    return dataclasses.replace(config, training=training, early_stopping=None, diagnostics=False)


def shortened(config: RunConfig, epochs: int) -> RunConfig:
    """The configuration with so many epochs, to which its schedule and its warm-up shrink."""
    schedule, training = config.schedule, config.training
    warmup = schedule.warmup * epochs / training.epochs
    return dataclasses.replace(
        config,
        schedule=dataclasses.replace(schedule, warmup=warmup),
        training=dataclasses.replace(training, epochs=epochs),
    )


def one_plain_batch(
    config: RunConfig, *, dtype: Dtype | None = None, optimizer: Optimizer | None = None
) -> RunConfig:
    """The configuration with all rows in one batch, and nothing between the loss and the update.

    Dropout, augmentation, penalties, clipping and averages of the weights are left out.

    Args:
        config: Of the run.
        dtype: In place of the configured one.
        optimizer: In place of the configured one and its schedule.
    """
    training = dataclasses.replace(
        config.training,
        batch_size=None,
        accumulate=1,
        clip_norm=None,
        clip_value=None,
        ema=None,
        swa=None,
    )
    return dataclasses.replace(
        config,
        dtype=dtype or config.dtype,
        optimizer=optimizer or config.optimizer,
        schedule=Schedule.parse("constant") if optimizer else config.schedule,
        training=training,
        regularization=Regularization(),
        dataset=dataclasses.replace(config.dataset, augmentation=()),
    )
