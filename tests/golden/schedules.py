"""Makes schedules.npz: 200 learning rates of PyTorch's schedulers, stepped every batch. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/schedules.py`. The tests read the file only.

A warm-up of W steps is LinearLR from 1/W to 1 within W - 1 steps: (step + 1) / W. SequentialLR starts the schedule proper after it;
where that changes the rate that the warm-up rises to (OneCycleLR does), the two are run one after the other instead.
PyTorch has no inverse root: that of Vaswani et al. 2017, sqrt(W / step) after W steps of warm-up, is a LambdaLR.

`plateau_values` are 200 values of a metric, one an epoch; `plateau: <case>` the rates that ReduceLROnPlateau has after each.
"""

import json
import math
import platform
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.optim import lr_scheduler

STEPS, LR = 200, 0.3

# nettrain's mapping (in epochs), steps an epoch, and PyTorch's scheduler proper (in steps)
CASES = {
    "constant": ({"type": "constant"}, 10, lambda rule, lr: lr_scheduler.ConstantLR(rule, factor=1.0, total_iters=0)),
    "constant, warm-up": ({"type": "constant", "warmup": 3}, 10, lambda rule, lr: lr_scheduler.ConstantLR(rule, factor=1.0, total_iters=0)),
    "step, by 10": ({"type": "step", "every": 4, "by": 0.1}, 10, lambda rule, lr: lr_scheduler.StepLR(rule, 40, 0.1)),
    "step, halve": ({"type": "step", "every": 5, "by": 0.5}, 8, lambda rule, lr: lr_scheduler.StepLR(rule, 40, 0.5)),
    "step, within the epoch": ({"type": "step", "every": 0.6, "by": 0.9}, 5, lambda rule, lr: lr_scheduler.StepLR(rule, 3, 0.9)),
    "step, every 2 of 10 batches": ({"type": "step", "every": 0.2, "by": 0.9}, 10, lambda rule, lr: lr_scheduler.StepLR(rule, 2, 0.9)),
    "step, warm-up": ({"type": "step", "every": 2, "by": 0.5, "warmup": 3}, 8, lambda rule, lr: lr_scheduler.StepLR(rule, 16, 0.5)),
    "step, short warm-up": (
        {"type": "step", "every": 3, "by": 0.7, "warmup": 0.4}, 25, lambda rule, lr: lr_scheduler.StepLR(rule, 75, 0.7)
    ),
    "cosine": ({"type": "cosine"}, 10, lambda rule, lr: lr_scheduler.CosineAnnealingLR(rule, 200)),
    "cosine, floor": ({"type": "cosine", "floor": 0.1}, 8, lambda rule, lr: lr_scheduler.CosineAnnealingLR(rule, 200, 0.1 * lr)),
    "cosine, warm-up": ({"type": "cosine", "warmup": 2}, 10, lambda rule, lr: lr_scheduler.CosineAnnealingLR(rule, 180)),
    "cosine, floor, warm-up": (
        {"type": "cosine", "floor": 0.25, "warmup": 1.5}, 20, lambda rule, lr: lr_scheduler.CosineAnnealingLR(rule, 170, 0.25 * lr)
    ),
    "cosine_restarts": (
        {"type": "cosine_restarts", "period": 5}, 10, lambda rule, lr: lr_scheduler.CosineAnnealingWarmRestarts(rule, 50)
    ),
    "cosine_restarts, stretch": (
        {"type": "cosine_restarts", "period": 0.6, "stretch": 2, "floor": 0.1},
        10,
        lambda rule, lr: lr_scheduler.CosineAnnealingWarmRestarts(rule, 6, 2, 0.1 * lr),
    ),
    "cosine_restarts, warm-up": (
        {"type": "cosine_restarts", "period": 2, "stretch": 3, "warmup": 1.6},
        5,
        lambda rule, lr: lr_scheduler.CosineAnnealingWarmRestarts(rule, 10, 3),
    ),
    "exponential": ({"type": "exponential"}, 10, lambda rule, lr: lr_scheduler.ExponentialLR(rule, 0.95**0.1)),
    "exponential, warm-up": (
        {"type": "exponential", "by": 0.8, "warmup": 3}, 8, lambda rule, lr: lr_scheduler.ExponentialLR(rule, 0.8**0.125)
    ),
    "linear": ({"type": "linear"}, 10, lambda rule, lr: lr_scheduler.LinearLR(rule, 1.0, 0.0, 200)),
    "linear, warm-up": (
        {"type": "linear", "floor": 0.1, "warmup": 2}, 10, lambda rule, lr: lr_scheduler.LinearLR(rule, 1.0, 0.1, 180)
    ),
    "polynomial": ({"type": "polynomial"}, 10, lambda rule, lr: lr_scheduler.PolynomialLR(rule, 200, 2.0)),
    "polynomial, warm-up": (
        {"type": "polynomial", "power": 0.9, "warmup": 2.5}, 8, lambda rule, lr: lr_scheduler.PolynomialLR(rule, 180, 0.9)
    ),
    "inverse_sqrt": ({"type": "inverse_sqrt", "scale": 2}, 10, lambda rule, lr: inverse_sqrt(rule, 20)),
    "inverse_sqrt, warm-up": ({"type": "inverse_sqrt", "warmup": 3}, 10, lambda rule, lr: inverse_sqrt(rule, 30)),
    "one_cycle": ({"type": "one_cycle"}, 10, lambda rule, lr: one_cycle(rule, lr, 200, 0.3, 25, 1e4)),
    "one_cycle, short rise": (
        {"type": "one_cycle", "rise": 0.1, "start": 0.5, "end": 0.005}, 8, lambda rule, lr: one_cycle(rule, lr, 200, 0.1, 2, 100)
    ),
    "one_cycle, warm-up": (
        {"type": "one_cycle", "rise": 0.25, "start": 0.1, "end": 0.001, "warmup": 2}, 10,
        lambda rule, lr: one_cycle(rule, lr, 180, 0.25, 10, 100),
    ),
    "piecewise": (
        {"type": "piecewise", "boundaries": [3, 7.1, 12], "factors": [1, 0.3, 0.09, 0.027]},
        10,
        lambda rule, lr: lr_scheduler.MultiStepLR(rule, [30, 71, 120], 0.3),
    ),
    "piecewise, warm-up": (
        {"type": "piecewise", "boundaries": [0.7, 4], "factors": [1, 2, 4], "warmup": 3},
        10,
        lambda rule, lr: lr_scheduler.MultiStepLR(rule, [7, 40], 2.0),
    ),
}  # fmt: skip
APART = {"one_cycle, warm-up"}
PLATEAU = {
    "defaults": ({"type": "plateau"}, "min", {"patience": 10, "threshold": 1e-4, "min_lr": 1e-6}),
    "of a score": (
        {
            "type": "plateau",
            "by": 0.5,
            "patience": 3,
            "threshold": 0.05,
            "min_lr": 0.01,
            "cooldown": 4,
            "monitor": "validation_accuracy",
        },
        "max",
        {"factor": 0.5, "patience": 3, "threshold": 0.05, "min_lr": 0.01, "cooldown": 4},
    ),
    "impatient": (
        {"type": "plateau", "by": 0.9, "patience": 0, "min_lr": 0},
        "min",
        {"factor": 0.9, "patience": 0, "eps": 0},
    ),
}


def inverse_sqrt(rule, scale):
    return lr_scheduler.LambdaLR(rule, lambda step: math.sqrt(scale / (scale + step)))


def one_cycle(rule, lr, steps, rise, div_factor, final_div_factor):
    """PyTorch's cycle rises within pct_start * total_steps - 1 steps and ends at step total_steps - 1."""
    keys = {"div_factor": div_factor, "final_div_factor": final_div_factor, "cycle_momentum": False}
    return lr_scheduler.OneCycleLR(
        rule, lr, total_steps=steps + 1, pct_start=(rise * steps + 1) / (steps + 1), **keys
    )


def scheduler(case, rule):
    """PyTorch's scheduler of a case for an optimizer, to be stepped after every batch."""
    mapping, steps_per_epoch, proper = CASES[case]
    warmup = round(mapping.get("warmup", 0) * steps_per_epoch)
    scheduler = proper(rule, rule.param_groups[0]["lr"])
    if not warmup:
        return scheduler
    rise = lr_scheduler.LinearLR(
        rule, start_factor=1 / warmup, end_factor=1.0, total_iters=warmup - 1
    )
    return lr_scheduler.SequentialLR(rule, [rise, scheduler], [warmup])


def rates(case):
    rule = torch.optim.SGD([torch.zeros(1)], lr=LR)
    if case in APART:
        mapping, steps_per_epoch, proper = CASES[case]
        warmup = round(mapping["warmup"] * steps_per_epoch)
        rise = LR * np.arange(1, warmup + 1) / warmup
        return np.concatenate([rise, stepped(rule, proper(rule, LR), STEPS - warmup)])
    return stepped(rule, scheduler(case, rule), STEPS)


def stepped(rule, schedule, steps):
    found = []
    for _ in range(steps):
        found.append(rule.param_groups[0]["lr"])
        rule.step()
        schedule.step()
    return np.array(found)


def metric():
    """A score that rises in fits and starts, stalls, and falls again."""
    generator = np.random.default_rng(7)
    t = np.arange(STEPS)
    return np.round(1 - np.exp(-t / 20) - 0.3 * (t > 150) + 0.02 * generator.normal(size=STEPS), 3)


def plateau_rates(case):
    _, mode, settings = PLATEAU[case]
    rule = torch.optim.SGD([torch.zeros(1)], lr=LR)
    schedule = lr_scheduler.ReduceLROnPlateau(rule, mode=mode, **settings)
    found = []
    for value in metric():
        schedule.step(value)
        found.append(rule.param_groups[0]["lr"])
    return np.array(found)


def keys(case):
    """What nettrain needs to compute the same rates."""
    mapping, steps_per_epoch, _ = CASES[case]
    return {
        "schedule": mapping,
        "steps_per_epoch": steps_per_epoch,
        "epochs": STEPS // steps_per_epoch,
    }


warnings.filterwarnings(
    "ignore", module="torch.optim.lr_scheduler"
)  # SequentialLR warns of its own way of stepping

if __name__ == "__main__":
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        made_by=f"tests/golden/schedules.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
        lr=LR,
        cases=json.dumps({case: keys(case) for case in CASES}),
        plateau_cases=json.dumps({case: mapping for case, (mapping, _, _) in PLATEAU.items()}),
        plateau_values=metric(),
        **{f"plateau: {case}": plateau_rates(case) for case in PLATEAU},
        **{case: rates(case) for case in CASES},
    )
