"""Makes optimizers.npz: the weights that PyTorch's optimizers reach in 100 steps, float64. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/optimizers.py`. The tests read the file only.

The problem: logits = tanh(x w1 + b1) w2 + b2, the loss is the mean over a batch's rows of softmax cross-entropy, plus l2 sum w^2 over
w1 and w2. PyTorch's weight_decay adds weight_decay * w to the gradient, so it is 2 * l2; that of AdamW is decoupled, and stands in its
mapping. A batch is a row of `batches`: rows of x. L-BFGS takes all rows in each of its `steps`, fewer than 100: it then stands at the
minimum, where rounding decides; it is stopped while the loss still falls.
`start` and the final weights of a case are one vector: w1 (inputs, hidden), b1, w2 (hidden, classes), b2.
Under a schedule the rates are those of schedules.py. Momentum stands under none: PyTorch keeps the rate outside the velocity, which is
the same only while the rate is constant; Nesterov likewise.
"""

import json
import platform
from pathlib import Path

import numpy as np
import schedules
import torch
from torch.optim import LBFGS, SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, RAdam, RMSprop

STEPS, ROWS, INPUTS, HIDDEN, CLASSES, BATCH = 100, 40, 6, 8, 3, 5
NAMES = ("w1", "b1", "w2", "b2")

# nettrain's mapping, l2, and PyTorch's optimizer for the same rule
CASES = {
    "sgd": ({"type": "sgd", "lr": 0.1}, 0, SGD, {"lr": 0.1}),
    "sgd, l2": ({"type": "sgd", "lr": 0.1}, 0.01, SGD, {"lr": 0.1}),
    "momentum": (
        {"type": "momentum", "lr": 0.05, "beta": 0.9},
        0,
        SGD,
        {"lr": 0.05, "momentum": 0.9},
    ),
    "momentum, beta 0": ({"type": "momentum", "lr": 0.05, "beta": 0.0}, 0, SGD, {"lr": 0.05}),
    "momentum, l2": (
        {"type": "momentum", "lr": 0.05, "beta": 0.5},
        0.01,
        SGD,
        {"lr": 0.05, "momentum": 0.5},
    ),
    "adam": ({"type": "adam", "lr": 1e-3}, 0, Adam, {"lr": 1e-3}),
    "adam, other constants": (
        {"type": "adam", "lr": 0.05, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4},
        0,
        Adam,
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-4},
    ),
    "adam, l2": ({"type": "adam", "lr": 0.01}, 0.01, Adam, {"lr": 0.01}),
    "nesterov": (
        {"type": "nesterov", "lr": 0.05},
        0,
        SGD,
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ),
    "nesterov, l2": (
        {"type": "nesterov", "lr": 0.05, "beta": 0.5},
        0.01,
        SGD,
        {"lr": 0.05, "momentum": 0.5, "nesterov": True},
    ),
    "adamw": (
        {"type": "adamw", "lr": 0.01, "weight_decay": 0.1},
        0,
        AdamW,
        {"lr": 0.01, "weight_decay": 0.1},
    ),
    "adamw, defaults": ({"type": "adamw"}, 0, AdamW, {"lr": 1e-3}),
    "rmsprop": ({"type": "rmsprop"}, 0, RMSprop, {"lr": 1e-3, "alpha": 0.9}),
    "rmsprop, l2": (
        {"type": "rmsprop", "lr": 0.01, "rho": 0.99, "epsilon": 1e-4},
        0.01,
        RMSprop,
        {"lr": 0.01, "alpha": 0.99, "eps": 1e-4},
    ),
    "adagrad": ({"type": "adagrad"}, 0, Adagrad, {"lr": 0.01}),
    "adagrad, l2": (
        {"type": "adagrad", "lr": 0.1, "epsilon": 1e-3},
        0.01,
        Adagrad,
        {"lr": 0.1, "eps": 1e-3},
    ),
    "adadelta": ({"type": "adadelta"}, 0, Adadelta, {}),
    "adadelta, l2": (
        {"type": "adadelta", "lr": 2, "rho": 0.8, "epsilon": 1e-4},
        0.01,
        Adadelta,
        {"lr": 2, "rho": 0.8, "eps": 1e-4},
    ),
    "nadam": ({"type": "nadam"}, 0, NAdam, {}),
    "nadam, l2": (
        {"type": "nadam", "lr": 0.01, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4, "psi": 0.1},
        0.01,
        NAdam,
        {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-4, "momentum_decay": 0.1},
    ),
    "amsgrad": ({"type": "amsgrad"}, 0, Adam, {"amsgrad": True}),
    "amsgrad, l2": (
        {"type": "amsgrad", "lr": 0.05, "beta1": 0.5, "beta2": 0.5},
        0.01,
        Adam,
        {"lr": 0.05, "betas": (0.5, 0.5), "amsgrad": True},
    ),
    "radam": ({"type": "radam"}, 0, RAdam, {}),
    "radam, l2": (
        {"type": "radam", "lr": 0.02, "beta2": 0.9},
        0.01,
        RAdam,
        {"lr": 0.02, "betas": (0.9, 0.9)},
    ),
    "lbfgs": ({"type": "lbfgs"}, 0, LBFGS, {}),
    "lbfgs, l2": (
        {"type": "lbfgs", "lr": 0.5, "history": 3},
        0.01,
        LBFGS,
        {"lr": 0.5, "history_size": 3},
    ),
}
LBFGS_STEPS = 20
SCHEDULED = [
    (case, schedule)
    for case in ("sgd", "adam")
    for schedule in schedules.CASES
    if schedule not in schedules.APART
]

generator = np.random.default_rng(100)
x = generator.normal(size=(ROWS, INPUTS))
targets = generator.integers(0, CLASSES, ROWS)
batches = np.array([generator.choice(ROWS, BATCH, replace=False) for _ in range(STEPS)])
start = {
    "w1": generator.normal(size=(INPUTS, HIDDEN)) / np.sqrt(INPUTS),
    "b1": 0.1 * generator.normal(size=HIDDEN),
    "w2": generator.normal(size=(HIDDEN, CLASSES)) / np.sqrt(HIDDEN),
    "b2": 0.1 * generator.normal(size=CLASSES),
}


def loss(weights, rows):
    logits = (
        torch.tanh(torch.tensor(x[rows]) @ weights["w1"] + weights["b1"]) @ weights["w2"]
        + weights["b2"]
    )
    return torch.nn.functional.cross_entropy(logits, torch.tensor(targets[rows]))


def final_weights(case, schedule=None):
    _, l2, optimizer, keywords = CASES[case]
    weights = {name: torch.tensor(start[name], requires_grad=True) for name in NAMES}
    if optimizer is LBFGS:
        return lbfgs_weights(weights, l2, keywords)
    decay = keywords.get("weight_decay", 2 * l2 if optimizer is not AdamW else 0.01)
    groups = [
        {"params": [weights["w1"], weights["w2"]], "weight_decay": decay},
        {"params": [weights["b1"], weights["b2"]], "weight_decay": 0},
    ]
    rule = optimizer(groups, **keywords)
    rates = schedules.scheduler(schedule, rule) if schedule else None
    for rows in batches:
        rule.zero_grad()
        loss(weights, rows).backward()
        rule.step()
        if rates:
            rates.step()
    return flat(weights)


def lbfgs_weights(weights, l2, keywords):
    rule = LBFGS(
        weights.values(),
        **{"history_size": 10} | keywords,
        max_iter=1,
        max_eval=26,
        line_search_fn="strong_wolfe",
    )

    def objective():
        rule.zero_grad()
        total = loss(weights, slice(None)) + l2 * (
            (weights["w1"] ** 2).sum() + (weights["w2"] ** 2).sum()
        )
        total.backward()
        return total

    for _ in range(LBFGS_STEPS):
        rule.step(objective)
    return flat(weights)


def flat(weights):
    return np.concatenate([weights[name].detach().numpy().ravel() for name in NAMES])


def keys(case):
    """What nettrain needs to compute the same weights."""
    mapping, l2, _, _ = CASES[case]
    return {"optimizer": mapping, "l2": l2} | (
        {"steps": LBFGS_STEPS} if mapping["type"] == "lbfgs" else {}
    )


torch.use_deterministic_algorithms(True)
torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in the default type
torch.set_num_threads(1)
cases = {case: keys(case) for case in CASES} | {
    f"{case}; {schedule}": keys(case) | schedules.keys(schedule) for case, schedule in SCHEDULED
}
weights = {case: final_weights(case) for case in CASES} | {
    f"{case}; {schedule}": final_weights(case, schedule) for case, schedule in SCHEDULED
}
np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/optimizers.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    cases=json.dumps(cases),
    x=x,
    targets=targets,
    batches=batches.astype(np.int8),
    start=np.concatenate([start[name].ravel() for name in NAMES]),
    **weights,
)
