"""Makes schedules.npz: 200 learning rates of PyTorch's schedulers, stepped every batch. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/schedules.py`. The tests read the file only.

A warm-up of W steps is LinearLR from 1/W to 1 within W - 1 steps: (step + 1) / W. SequentialLR starts the schedule proper after it.
"""
import json
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
}



def scheduler(case, rule):
    """PyTorch's scheduler of a case for an optimizer, to be stepped after every batch."""
    mapping, steps_per_epoch, proper = CASES[case]
    warmup = round(mapping.get("warmup", 0) * steps_per_epoch)
    scheduler = proper(rule, rule.param_groups[0]["lr"])
    if not warmup:
        return scheduler
    rise = lr_scheduler.LinearLR(rule, start_factor=1 / warmup, end_factor=1.0, total_iters=warmup - 1)
    return lr_scheduler.SequentialLR(rule, [rise, scheduler], [warmup])


def rates(case):
    rule = torch.optim.SGD([torch.zeros(1)], lr=LR)
    schedule = scheduler(case, rule)
    found = []
    for _ in range(STEPS):
        found.append(rule.param_groups[0]["lr"])
        rule.step()
        schedule.step()
    return np.array(found)


def keys(case):
    """What nettrain needs to compute the same rates."""
    mapping, steps_per_epoch, _ = CASES[case]
    return {"schedule": mapping, "steps_per_epoch": steps_per_epoch, "epochs": STEPS // steps_per_epoch}


warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")  # SequentialLR warns of its own way of stepping

if __name__ == "__main__":
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        made_by=f"tests/golden/schedules.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
        lr=LR,
        cases=json.dumps({case: keys(case) for case in CASES}),
        **{case: rates(case) for case in CASES},
    )
