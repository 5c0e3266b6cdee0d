"""AMSGrad."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.jit import Loop, jit
from nettrain.optim import Array, State
from nettrain.optim.adam import Adam


@dataclass(frozen=True, kw_only=True)
class Amsgrad(Adam):
    """AMSGrad. m, v as in Adam;  u = max(u, v);
    w -= lr (m / (1-b1^t)) / (sqrt(u / (1-b2^t)) + epsilon).

    Dividing by the largest second moment so far, steps never grow again. Reddi, Kale & Kumar 2018,
    Algorithm 2, with the bias corrections that PyTorch's Adam(amsgrad=True) keeps and the paper
    leaves out.
    """

    slots = ("m", "v", "u")

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        m, v, u, step = slots["m"], slots["v"], slots["u"], work[0]
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=step)
        v *= self.beta2
        np.multiply(g, g, out=step)
        step *= 1 - self.beta2
        v += step
        np.maximum(u, v, out=u)
        np.sqrt(u, out=step)
        step *= 1 / math.sqrt(1 - self.beta2**t)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= lr / (1 - self.beta1**t)
        w -= step

    def loop(self) -> Loop | None:
        return _amsgrad_loop


@jit
def _amsgrad_loop(
    w: Array, g: Array, m: Array, v: Array, u: Array,
    beta1: float, beta2: float, epsilon: float, rate: float, root: float,
) -> None:  # fmt: skip
    """One step. rate: lr / (1-b1^t); root: 1 / sqrt(1-b2^t)."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, scale, corrected = kind(epsilon), kind(rate), kind(root)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        highest = u[i] if second <= u[i] or u[i] != u[i] else second  # NaN stays
        m[i], v[i], u[i] = first, second, highest
        w[i] -= first / (math.sqrt(highest) * corrected + least) * scale
