"""Random outputs and targets, large and tied ones too: losses, gradients and predictions by PyTorch."""

from typing import Any

import numpy as np
import torch
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from against.pytorch import losses
from against.random_configs.runs import loss as random_loss

from nettrain.autodiff import Tensor, grad
from nettrain.errors import NettrainError
from nettrain.nn.loss import Loss
from nettrain.training.build import encoded

CASES = 300
TOLERANCE = 1e-11  # of the largest number of the array
LEAST = 1e-3  # what should be 0 is the difference of numbers near 1
TASKS = {"classes": "classification", "labels": "multilabel", "values": "regression", "counts": "regression", "distributions": "regression"}  # fmt: skip


def draw(chance: Chance) -> dict[str, Any]:
    """A loss, and how its outputs and targets are drawn."""
    task = chance.pick([*TASKS, "classes", "values"])
    size = chance.randint(2 if task in ("classes", "distributions") else 1, 6)
    return {
        "loss": random_loss(chance, {"task": task, "outputs": size}),
        "task": task,
        "size": size,
        "rows": chance.randint(1, 20),
        "members": chance.pick([None, None, 1, 3]),
        "scale": chance.number(1e-3, 30 if task == "counts" else 1e3),
        "ties": chance.maybe(0.3),
        "seed": chance.randrange(10**6),
    }


def coverage() -> Coverage:
    """Every loss."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    return Coverage([Loss], [], {})  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare the loss of each row, its gradient, and the predictions. Returns what was tried."""
    try:
        loss = Loss.parse(case["loss"])
        outputs = loss.outputs(TASKS[case["task"]], case["size"])
    except NettrainError as error:
        raise Refused(str(error)) from None
    z, targets = _rows(case, outputs)
    y = encoded(loss, targets, case["size"], np.dtype(np.float64))
    theirs_y = losses.encoded(loss, targets, case["size"])
    w = np.random.Generator(np.random.PCG64(case["seed"])).exponential(size=len(z))
    name = loss.name()

    leaf = torch.tensor(z, requires_grad=True)
    rows = losses.row_losses(loss, leaf, theirs_y)
    (rows * torch.tensor(w)).sum().backward()
    found = loss.training_rows(Tensor(z), Tensor(y)).value
    comparison.close(f"rows: {name}", found, rows.detach().numpy(), TOLERANCE)
    ours = grad(lambda x: (loss.training_rows(x, Tensor(y)) * Tensor(w)).sum())(z)
    if not _at_kink(name, loss, z, targets):
        theirs = leaf.grad.numpy()
        scale = max(float(np.abs(theirs).max()), float(w.max()) * LEAST)  # p - y of a sure row
        comparison.close(f"gradient: {name}", ours, theirs, TOLERANCE, scale)
    if z.ndim == 2:
        task = TASKS[case["task"]]
        predicted = losses.predictions(loss, torch.tensor(z), task).numpy()
        comparison.close(f"predictions: {name}", loss.predictions(z, task), predicted, TOLERANCE)
    return (loss,)


def _at_kink(name: str, loss: Any, z: np.ndarray, targets: np.ndarray) -> bool:
    """Whether PyTorch's choice of a subgradient differs from nettrain's: where quantile has a tie."""
    if name == "quantile":
        levels = len(loss.levels)
        parts = np.split(z, levels, axis=-1)
        y = targets if z.ndim == 2 else targets[:, None]
        return any((part == y).any() for part in parts)
    if name == "hinge":  # margins of exactly 1
        own = np.take_along_axis(z, np.broadcast_to(targets.reshape(-1, *(1,) * (z.ndim - 1)), (*z.shape[:-1], 1)), axis=-1)  # fmt: skip
        return bool((z - own + 1 == 0).any())
    return False


def _rows(case: dict[str, Any], outputs: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.Generator(np.random.PCG64(case["seed"]))
    n, size = case["rows"], case["size"]
    members = () if case["members"] is None else (case["members"],)
    z = draw.normal(size=(n, *members, outputs)) * case["scale"]
    match case["task"]:
        case "classes":
            targets: Any = draw.integers(size, size=n)
        case "labels":
            targets = draw.integers(2, size=(n, size)).astype(np.float64)
        case "values":
            targets = draw.normal(size=(n, size)) * case["scale"]
        case "counts":
            targets = draw.poisson(3.0, size=(n, size)).astype(np.float64)
        case _:
            targets = draw.dirichlet(np.full(size, 0.3), size=n)
            targets[0] = np.eye(size)[0]
    if case["ties"]:
        z = np.round(z)
        targets = np.round(targets) if case["task"] == "values" else targets
    return z, targets
