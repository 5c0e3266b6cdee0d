"""Makes parameter_groups.npz: the weights that PyTorch's AdamW reaches with a group for each parameter, float64. Made with PyTorch 2.13.0,
NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/parameter_groups.py`. The tests read the file only.

The problem: y = tanh((x s) w1 + b1) w2 + b2, the loss is the mean over rows of the squared error. Rates are lr(t) times the factor of the
group, decays weight_decay(t), for biases 0; lr(t) follows coslog4, weight_decay(t) flat_cos, as in RealMLP.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch

STEPS, LR, DECAY = 60, 0.05, 0.3
FACTORS = {
    "s": 6.0,
    "w1": 1.0,
    "b1": 0.1,
    "w2": 0.5,
    "b2": 0.05,
}  # w2, b2: a layer at half the rate
SHAPES = {"s": (4,), "w1": (4, 7), "b1": (7,), "w2": (7, 2), "b2": (2,)}


def main() -> None:
    random = np.random.Generator(np.random.PCG64(16))
    start = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
    x, y = random.normal(size=(30, 4)), random.normal(size=(30, 2))
    p = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    groups = [{"params": [one], "name": name} for name, one in p.items()]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.95), eps=1e-8)
    for step in range(STEPS):
        t = step / STEPS
        lr = LR * 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t)))
        decay = DECAY * (1 if t < 0.5 else 0.5 * (1 + math.cos(math.pi * (2 * t - 1))))
        for group in optimizer.param_groups:
            group["lr"] = lr * FACTORS[group["name"]]
            group["weight_decay"] = 0.0 if group["name"].startswith("b") else decay
        found = torch.tanh((torch.tensor(x) * p["s"]) @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
        optimizer.zero_grad()
        ((found - torch.tensor(y)) ** 2).sum(dim=1).mean().backward()
        optimizer.step()
    arrays = {f"start.{name}": array for name, array in start.items()}
    arrays |= {f"end.{name}": one.detach().numpy() for name, one in p.items()}
    settings = json.dumps({"steps": STEPS, "lr": LR, "decay": DECAY, "factors": FACTORS})
    np.savez_compressed(Path(__file__).with_suffix(".npz"), x=x, y=y, settings=settings, **arrays)


if __name__ == "__main__":
    main()
