"""The start that turns and never stretches."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Initializer):
    """w^T w = gain^2 I where the outputs are no more than the inputs, else w w^T = gain^2 I.  Saxe et al. 2014, section 3.

    Every such matrix is as likely as any other. The last axis is the outputs, all others together are the inputs.
    """

    gain: Annotated[
        Positive,
        Field(
            description="what every length is multiplied by; sqrt 2 = 1.414 keeps it through a relu"
        ),
    ] = 1.0

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        o = shape[-1] if shape else 1
        i = math.prod(shape) // max(o, 1)
        q, r = np.linalg.qr(generator.normal(size=(max(i, o), min(i, o))))
        q *= np.where(
            np.diag(r) < 0, -1, 1
        )  # else the signs would be the algorithm's: Mezzadri 2007, section 5
        return self.gain * (q if i >= o else q.T).reshape(shape)
