"""The formulas of the schedules, from their papers, with boundaries decided in rational numbers.

A time is a Fraction of epochs, so that `every 0.3 epochs` of 10 steps begins at step 3 exactly.
"""

import math
from fractions import Fraction


def exact(value: float) -> Fraction:
    """The decimal number that a configuration has."""
    return Fraction(repr(float(value)))


def rate(schedule, lr: float, step: int, steps_per_epoch: int, epochs: int) -> float:
    """The rate of a step, counted from 0."""
    time, warmup = Fraction(step, steps_per_epoch), exact(schedule.warmup)
    if time < warmup:
        return lr * float(min(Fraction(1), (time + Fraction(1, steps_per_epoch)) / warmup))
    return lr * FACTORS[schedule.name()](schedule, time - warmup, epochs - warmup)


def progress(t: Fraction, horizon: Fraction) -> float:
    """The share of the run that is over, after the warm-up."""
    return float(min(t / horizon, Fraction(1))) if horizon > 0 else 1.0


def falling(share: float) -> float:
    """From 1 at 0 to 0 at 1, by a cosine."""
    return (1 + math.cos(math.pi * share)) / 2


def cosine(schedule, t: Fraction, horizon: Fraction) -> float:
    return schedule.floor + (1 - schedule.floor) * falling(progress(t, horizon))


def cosine_restarts(schedule, t: Fraction, horizon: Fraction) -> float:
    length, stretch = exact(schedule.period), exact(schedule.stretch)
    while t >= length:
        t, length = t - length, length * stretch
    return schedule.floor + (1 - schedule.floor) * falling(float(t / length))


def coslog4(schedule, t: Fraction, horizon: Fraction) -> float:
    return (1 - math.cos(2 * math.pi * math.log2(1 + 15 * progress(t, horizon)))) / 2


def flat_cos(schedule, t: Fraction, horizon: Fraction) -> float:
    share = progress(t, horizon)
    if share <= schedule.flat:
        return 1.0
    return falling((share - schedule.flat) / (1 - schedule.flat))


def one_cycle(schedule, t: Fraction, horizon: Fraction) -> float:
    share = progress(t, horizon)
    if share <= schedule.rise:
        return schedule.start + (1 - schedule.start) * falling(1 - share / schedule.rise)
    left = falling((share - schedule.rise) / (1 - schedule.rise))
    return schedule.end + (1 - schedule.end) * left


def linear(schedule, t: Fraction, horizon: Fraction) -> float:
    return schedule.floor + (1 - schedule.floor) * (1 - progress(t, horizon))


def polynomial(schedule, t: Fraction, horizon: Fraction) -> float:
    left = 1 - progress(t, horizon)
    return schedule.floor + (1 - schedule.floor) * left**schedule.power


def inverse_sqrt(schedule, t: Fraction, horizon: Fraction) -> float:
    scale = schedule.scale or schedule.warmup or 1.0
    return math.sqrt(scale / (scale + float(t)))


def piecewise(schedule, t: Fraction, horizon: Fraction) -> float:
    return schedule.factors[sum(t >= exact(one) for one in schedule.boundaries)]


FACTORS = {
    "constant": lambda schedule, t, horizon: 1.0,
    "cosine": cosine,
    "cosine_restarts": cosine_restarts,
    "coslog4": coslog4,
    "exponential": lambda schedule, t, horizon: math.exp(math.log(schedule.by) * float(t)),
    "flat_cos": flat_cos,
    "inverse_sqrt": inverse_sqrt,
    "linear": linear,
    "one_cycle": one_cycle,
    "piecewise": piecewise,
    "plateau": lambda schedule, t, horizon: 1.0,
    "polynomial": polynomial,
    "step": lambda schedule, t, horizon: schedule.by ** (t // exact(schedule.every)),
}
