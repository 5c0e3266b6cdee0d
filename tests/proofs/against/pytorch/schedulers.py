"""PyTorch's learning rate schedulers for nettrain's schedules, where their periods are whole steps."""

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from against.schedule_formulas import exact
from torch.optim import lr_scheduler


def rates(schedule: Any, lr: float, steps_per_epoch: int, epochs: int) -> np.ndarray | None:
    """The rates of all steps after the warm-up; None where PyTorch has no such scheduler."""

    def whole(time: float | Fraction) -> int | None:
        steps = (time if isinstance(time, Fraction) else exact(time)) * steps_per_epoch
        return int(steps) if steps.denominator == 1 and steps > 0 else None

    warmup = exact(schedule.warmup) * steps_per_epoch
    if warmup.denominator != 1:
        return None
    left = steps_per_epoch * epochs - int(warmup)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    make = getattr(_Makers, schedule.name(), None)
    scheduler = None if make is None or left < 1 else make(schedule, optimizer, lr, left, whole)
    if scheduler is None:
        return None
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(left):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return np.array(found)


class _Makers:
    """By the name of the schedule."""

    @staticmethod
    def constant(s, o, lr, left, whole):
        return lr_scheduler.ConstantLR(o, factor=1.0, total_iters=0)

    @staticmethod
    def cosine(s, o, lr, left, whole):
        return lr_scheduler.CosineAnnealingLR(o, left, s.floor * lr)

    @staticmethod
    def cosine_restarts(s, o, lr, left, whole):
        period = whole(s.period)
        if period is None or s.stretch != int(s.stretch):
            return None
        return lr_scheduler.CosineAnnealingWarmRestarts(o, period, int(s.stretch), s.floor * lr)

    @staticmethod
    def exponential(s, o, lr, left, whole):
        return lr_scheduler.ExponentialLR(o, s.by ** (1 / whole(1.0)))

    @staticmethod
    def linear(s, o, lr, left, whole):
        return lr_scheduler.LinearLR(o, 1.0, s.floor, left)

    @staticmethod
    def polynomial(s, o, lr, left, whole):
        return None if s.floor else lr_scheduler.PolynomialLR(o, left, s.power)

    @staticmethod
    def one_cycle(s, o, lr, left, whole):
        return lr_scheduler.OneCycleLR(
            o, lr, total_steps=left + 1, pct_start=(s.rise * left + 1) / (left + 1),
            div_factor=1 / s.start, final_div_factor=s.start / s.end, cycle_momentum=False,
        )  # fmt: skip

    @staticmethod
    def step(s, o, lr, left, whole):
        every = whole(s.every)
        return None if every is None else lr_scheduler.StepLR(o, every, s.by)

    @staticmethod
    def piecewise(s, o, lr, left, whole):
        boundaries = [whole(one) for one in s.boundaries]
        if None in boundaries:
            return None
        return lr_scheduler.LambdaLR(o, lambda t: s.factors[sum(t >= b for b in boundaries)])


def plateau(schedule: Any, lr: float, values: list[float], *, higher: bool) -> list[float]:
    """The rate after each epoch's metric.

    The improvement that counts is a share of |best| here, as documented; PyTorch's relative
    threshold is one of best itself, so that a negative best may be left without any.
    """
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    theirs = lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="max" if higher else "min",
        factor=schedule.by,
        patience=schedule.patience,
        threshold_mode="abs",
        cooldown=schedule.cooldown,
        min_lr=min(schedule.min_lr, lr),
        eps=0,
    )
    found = []
    for value in values:
        first = np.isinf(theirs.best)
        theirs.threshold = 0.0 if first else schedule.threshold * abs(theirs.best)
        theirs.step(value)
        found.append(optimizer.param_groups[0]["lr"])
    return found
