"""nettrain's activations in PyTorch."""

import torch
from against.pytorch.places import Place, Tensor
from torch.nn import functional as F

PLAIN = {
    "gelu": F.gelu,
    "identity": lambda x: x,
    "mish": F.mish,
    "relu": torch.relu,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax": lambda x: torch.softmax(x, dim=-1),
    # PyTorch's own goes over into x from 20 on, which differs by 2e-9 there.
    "softplus": lambda x: F.softplus(x, threshold=1000),
    "softsign": F.softsign,
    "step": lambda x: torch.heaviside(x.detach(), torch.zeros_like(x)) + 0 * x,
    "tanh": torch.tanh,
}
WITH_FIELDS = {
    "elu": lambda x, function: F.elu(x, alpha=function.alpha),
    "leaky_relu": lambda x, function: F.leaky_relu(x, function.slope),
}


def activation(function, x: Tensor, place: Place) -> Tensor:
    """The output of an activation, which may have a tensor of its own."""
    name = function.name()
    if name in PLAIN:
        return PLAIN[name](x)
    if name in WITH_FIELDS:
        return WITH_FIELDS[name](x, function)
    if name == "prelu":
        return prelu(x, place["slope"])
    raise KeyError(f"the activation {name} has no translation")


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """PyTorch's has the channels second, and knows no members."""
    if slope.ndim == 2:  # a slope, or one per unit, for each member (k, 1) or (k, c)
        return torch.where(x > 0, x, slope * x)
    return F.prelu(x.movedim(-1, 1).contiguous(), slope).movedim(1, -1)
