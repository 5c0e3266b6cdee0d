"""RAdam: rectified Adam."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.jit import Loop, jit
from nettrain.optim import Array, State
from nettrain.optim.adam import Adam


@dataclass(frozen=True, kw_only=True)
class Radam(Adam):
    """RAdam. m, v as in Adam;  R = 2 / (1-b2) - 1;  rho = R - 2 t b2^t / (1-b2^t);
    r = sqrt((rho-4) (rho-2) R / ((R-4) (R-2) rho));
    w -= lr r (m / (1-b1^t)) sqrt(1-b2^t) / (sqrt(v) + epsilon) if rho > 5,
    else w -= lr m / (1-b1^t).

    Adam that ignores the second moment while too few gradients have been seen. Liu et al. 2020, "On
    the variance of the adaptive learning rate", Algorithm 2. The paper's threshold is 4 and it has
    no epsilon; 5, and epsilon beside the root of the uncorrected v, are PyTorch's.
    """

    def rectification(self, t: int) -> float | None:
        """r sqrt(1-b2^t); None while rho <= 5."""
        kept = self.beta2**t
        longest = 2 / (1 - self.beta2) - 1
        rho = longest - 2 * t * kept / (1 - kept)
        if rho <= 5:
            return None
        return math.sqrt(
            (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
        ) * math.sqrt(1 - kept)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        m, v, step = slots["m"], slots["v"], work[0]
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=step)
        v *= self.beta2
        np.multiply(g, g, out=step)
        step *= 1 - self.beta2
        v += step
        rectification = self.rectification(t)
        if rectification is None:
            np.multiply(m, lr / (1 - self.beta1**t), out=step)
        else:
            np.sqrt(v, out=step)
            step += self.epsilon
            np.divide(m, step, out=step)
            step *= lr * rectification / (1 - self.beta1**t)
        w -= step

    def loop(self) -> Loop | None:
        return _radam_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        rectification = self.rectification(t)
        rate = lr * (rectification or 1.0) / (1 - self.beta1**t)
        return self.beta1, self.beta2, self.epsilon, rate, rectification is not None


@jit
def _radam_loop(
    w: Array, g: Array, m: Array, v: Array,
    beta1: float, beta2: float, epsilon: float, rate: float, rectified: bool,
) -> None:  # fmt: skip
    """One step. rate: the factor of m; rectified: whether it is divided by the second moment."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, scale = kind(epsilon), kind(rate)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        m[i], v[i] = first, second
        w[i] -= (first / (math.sqrt(second) + least) if rectified else first) * scale
