"""Probe: a report about the values and gradients at one place of a network."""

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
    """Probe. y = x; in training it reports mean, deviation, extremes and zeros of x and dx.

    Results do not change. The lines go to standard error and, in a run, to its log.txt.
    """

    every: Annotated[
        Count, Field(description="steps between reports; the first report is at step 1")
    ] = 100

    takes_codes = True

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if scope.proposals is None:
            return x
        return tensor.apply(
            probe.Probe(
                _Reporter(self.every, scope, "values"), _Reporter(self.every, scope, "gradient")
            ),
            x,
        )


class _Reporter:
    """Reports on an array, at most once per step: a plan's first replay repeats its recording."""

    def __init__(self, every: int, scope: Scope, what: str) -> None:
        self._every = every
        self._scope = scope
        self._what = what
        self._reported: int | None = None

    def __call__(self, array: Array) -> None:
        step = self._scope.step()
        if step % self._every == 0 and step != self._reported:
            self._reported = step
            self._scope.report(self._scope.path, f"step {step + 1}, {self._what}: {summary(array)}")


def summary(array: Array) -> str:
    """Returns rows, mean, deviation, extremes, and the fractions that are zero or not finite."""
    good = array[np.isfinite(array)]
    parts = [f"rows {len(array)}"]
    if good.size:
        parts += [
            f"mean {good.mean():.4g}",
            f"deviation {good.std():.4g}",
            f"from {good.min():.4g} to {good.max():.4g}",
        ]
    parts.append(f"zeros {np.mean(array == 0):.0%}")
    if good.size < array.size:
        parts.append(f"not finite {1 - good.size / array.size:.0%}")
    return ", ".join(parts)
