"""nettrain's update rules in PyTorch: penalties, clipping, and the rule, each step from given gradients."""

import torch
from against.pytorch.parameters import Role
from against.pytorch.places import Tensor


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, Algorithm 2; PyTorch has none."""

    def __init__(self, groups, betas, lr=1.0):
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "betas": betas})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                direction = torch.sign(beta1 * m + (1 - beta1) * w.grad)
                w -= group["lr"] * (direction + group["weight_decay"] * w)
                m.mul_(beta2).add_(w.grad * (1 - beta2))


def betas(rule):
    return (rule.beta1, rule.beta2)


def adam(**more):
    return lambda rule, groups: torch.optim.Adam(
        groups, betas=betas(rule), eps=rule.epsilon, **more
    )


# PyTorch keeps the rate outside the velocity, which is the same only while it is constant: here the
# gradient is multiplied by the rate, and PyTorch's rate is 1.
RATE_IN_VELOCITY = {"momentum", "nesterov"}
DECOUPLED = {"adamw", "lion"}
RULES = {
    "sgd": lambda rule, groups: torch.optim.SGD(groups),
    "momentum": lambda rule, groups: torch.optim.SGD(groups, momentum=rule.beta),
    "nesterov": lambda rule, groups: torch.optim.SGD(
        groups, momentum=rule.beta, nesterov=rule.beta > 0
    ),
    "adam": adam(),
    "amsgrad": adam(amsgrad=True),
    "adamw": lambda rule, groups: torch.optim.AdamW(groups, betas=betas(rule), eps=rule.epsilon),
    "nadam": lambda rule, groups: torch.optim.NAdam(
        groups, betas=betas(rule), eps=rule.epsilon, momentum_decay=rule.psi
    ),
    "radam": lambda rule, groups: torch.optim.RAdam(groups, betas=betas(rule), eps=rule.epsilon),
    "rmsprop": lambda rule, groups: torch.optim.RMSprop(groups, alpha=rule.rho, eps=rule.epsilon),
    "adagrad": lambda rule, groups: torch.optim.Adagrad(groups, eps=rule.epsilon),
    "adadelta": lambda rule, groups: torch.optim.Adadelta(groups, rho=rule.rho, eps=rule.epsilon),
    "lion": lambda rule, groups: Lion(groups, betas(rule)),
}


class Update:
    """One step after another, from given gradients and at given weights.

    Args:
        rule: nettrain's optimizer, with its settings.
        tensors: The trained ones, by name; their values are replaced before each step.
        roles: Of the tensors.
    """

    def __init__(self, rule, tensors: dict[str, Tensor], roles: dict[str, Role]) -> None:
        self._rule, self._name = rule, rule.name()
        self._tensors, self._roles = tensors, roles
        groups = [
            {"params": [tensor], "lr": 1.0, "weight_decay": 0.0, "name": name}
            for name, tensor in tensors.items()
        ]
        self._optimizer = RULES[self._name](rule, groups)

    def step(
        self,
        gradients: dict[str, Tensor],
        lr: float,
        *,
        l1: float,
        l2: float,
        decay: float,
        clip_norm: float | None,
        clip_value: float | None,
    ) -> None:
        """Change the tensors in place."""
        gradients = clipped(gradients, clip_norm, clip_value)
        before = {name: tensor.detach().clone() for name, tensor in self._tensors.items()}
        inside = self._name in RATE_IN_VELOCITY
        coupled = not inside and self._name not in DECOUPLED  # PyTorch adds 2 l2 w by itself
        for group in self._optimizer.param_groups:
            name, (w,) = group["name"], group["params"]
            role, g = self._roles[name], gradients[name].clone()
            rate = lr * role.rate
            if role.decayed:
                g += l1 * torch.sign(w.detach())
                if not coupled:
                    g += 2 * l2 * w.detach()
            w.grad = g * rate if inside else g
            group["lr"] = 1.0 if inside else rate
            group["weight_decay"] = 0.0
            if role.decayed:
                group["weight_decay"] = 2 * l2 if coupled else decay
        self._optimizer.step()
        for name, role in self._roles.items():
            if role.members and name in self._tensors:
                w, old = self._tensors[name].detach(), before[name]
                for j, factor in enumerate(role.members):
                    size = w.shape[-1] // len(role.members)
                    part = (..., slice(j * size, (j + 1) * size)) if role.inside else j
                    w[part] = old[part] + factor * (w[part] - old[part])


def clipped(
    gradients: dict[str, Tensor], clip_norm: float | None, clip_value: float | None
) -> dict[str, Tensor]:
    """Elements first, then the length of all together (Pascanu et al. 2013, Algorithm 1).

    PyTorch's clip_grad_norm_ divides by the length + 1e-6.
    """
    found = dict(gradients)
    if clip_value is not None:
        found = {name: g.clamp(-clip_value, clip_value) for name, g in found.items()}
    if clip_norm is not None:
        norm = float(torch.linalg.vector_norm(torch.cat([g.flatten() for g in found.values()])))
        if norm > clip_norm:
            found = {name: g * (clip_norm / norm) for name, g in found.items()}
    return found
