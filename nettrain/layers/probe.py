"""A look at what passes through."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import probe
from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class Probe(Layer):
    """y = x.  Every so many steps of training it tells what x is like (mean, deviation, extremes, zeros), and the gradient that comes back.

    It changes no bit. The lines go to standard error and, in a run, to its log.txt.
    """

    every: Annotated[
        Count, Field(description="steps from one report to the next; the first step is told")
    ] = 100

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if scope.proposals is None:
            return x
        return tensor.apply(
            probe.Probe(
                _Teller(self.every, scope, "values"), _Teller(self.every, scope, "gradient")
            ),
            x,
        )


class _Teller:
    """Tells of an array, at most once a step: a plan's first replay computes again what its recording computed."""

    def __init__(self, every: int, scope: Scope, what: str) -> None:
        self._every = every
        self._scope = scope
        self._what = what
        self._told: int | None = None

    def __call__(self, array: Array) -> None:
        step = self._scope.step()
        if step % self._every == 0 and step != self._told:
            self._told = step
            self._scope.report(self._scope.path, f"step {step + 1}, {self._what}: {summary(array)}")


def summary(array: Array) -> str:
    """Rows, mean, deviation, extremes, and the shares of zeros and of what is not finite."""
    good = array[np.isfinite(array)]
    told = [f"rows {len(array)}"]
    if good.size:
        told += [
            f"mean {good.mean():.4g}",
            f"deviation {good.std():.4g}",
            f"from {good.min():.4g} to {good.max():.4g}",
        ]
    told.append(f"zeros {np.mean(array == 0):.0%}")
    if good.size < array.size:
        told.append(f"not finite {1 - good.size / array.size:.0%}")
    return ", ".join(told)
