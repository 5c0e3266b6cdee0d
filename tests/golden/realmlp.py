"""Parts of RealMLP as its authors compute them, in float64, for tests/schedules and tests/nn.

Made with pytabkit 1.7.3 on PyTorch 2.13; run it where these are installed:
`python tests/golden/realmlp.py`. The tests read the file only.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from pytabkit.models.training.scheduling import LearnerProgress, get_schedule

STEPS = 200


def factors(name):
    """What multiplies the base rate in each of 200 steps."""
    schedule, progress, found = get_schedule(name), LearnerProgress(), []
    progress.max_epochs = 1
    for step in range(STEPS):
        progress.epoch_float = step / STEPS
        schedule.update(SimpleNamespace(progress=progress))
        found.append(schedule.get_value())
    return np.array(found)


def main():
    torch.set_default_dtype(torch.float64)
    arrays = {f"schedule_{name}": factors(name) for name in ("coslog4", "flat_cos")}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
