"""Orthogonal initialization."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Initializer):
    """Orthogonal. w^T w = gain^2 I where outputs <= inputs, else w w^T = gain^2 I.

    Uniform over all such matrices. The last axis is the outputs, all others together are the
    inputs. Saxe et al. 2014, section 3.
    """

    gain: Annotated[
        Positive,
        Field(description="factor of every length; sqrt 2 = 1.414 keeps it through a relu"),
    ] = 1.0

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        o = shape[-1] if shape else 1
        i = math.prod(shape) // max(o, 1)
        q, r = np.linalg.qr(generator.normal(size=(max(i, o), min(i, o))))
        # without this the signs would depend on the algorithm: Mezzadri 2007, section 5
        q *= np.where(np.diag(r) < 0, -1, 1)
        return self.gain * (q if i >= o else q.T).reshape(shape)
