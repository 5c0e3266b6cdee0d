"""Whether a gradient was asked for where there is none: at a kink, such as that of relu at 0.

There each program's rounding decides on which side it is. A little beside it both must agree.
"""

from typing import Any

import numpy as np
import torch
from against.comparison import Comparison, Deviation
from against.pytorch.gradients import compare_gradients
from against.pytorch.twin import Twin
from against.recorder import RecordedStep, copied

POINTS = 3  # beside the kink, at which gradients are compared
DISTANCE = 1e-4


def at_kink(run: Any, twin: Twin, number: int, step: RecordedStep) -> bool:
    """Whether gradients agree at points near the weights at which they did not."""
    draw = np.random.Generator(np.random.PCG64(number))
    for _ in range(POINTS):
        weights = step.before + DISTANCE * draw.normal(size=len(step.before))
        twin.load(weights)
        twin.restore_state({name: torch.tensor(array) for name, array in step.state.items()})
        ours = _gradient(run, number, step, weights)
        twin.restore_state({name: torch.tensor(array) for name, array in step.state.items()})
        theirs = twin.gradients(number, step.rows)
        try:
            compare_gradients(Comparison(), run.network.vector.named(ours), theirs)
        except Deviation:
            return False
    return True


def _gradient(run: Any, number: int, step: RecordedStep, weights: np.ndarray) -> np.ndarray:
    """nettrain's gradient of a recorded step at other weights; the network is left as it was."""
    network, before = run.network, (run.network.vector.values.copy(), copied(run.network.state))
    network.vector.values[...] = weights
    network.restore_state(step.state)
    total, whole = np.zeros(len(weights)), sum(run.step.weight(rows) for rows in step.rows)
    for i, rows in enumerate(step.rows):
        run.step.batch.gather(rows, number, i)
        run.step.computation(len(rows), step=number, micro_batch=i)
        total += network.vector.gradient * (run.step.weight(rows) / whole if whole else 0)
    network.vector.values[...] = before[0]
    network.restore_state(before[1])
    return total
