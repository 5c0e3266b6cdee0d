"""Parallel branches of layers."""

import dataclasses
import operator
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.bound_layer import BoundLayer, bind, name_layers, resolve
from nettrain.nn.composite import Composite
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape

Branch = Annotated[
    tuple[Layer, ...], Field(description="layers in this order; an empty list is the identity")
]


VERBS = {"concatenate": "concatenate", "sum": "sum", "product": "multiply"}


@dataclass(frozen=True, kw_only=True)
class Parallel(Composite):
    """Parallel branches. y = b_1(x), b_2(x), ... concatenated (last axis), added or multiplied.

    Each branch is a list of layers; in names they are branch_1, branch_2 and so on.
    """

    branches: Annotated[
        tuple[Branch, ...],
        Field(
            min_length=1,
            description="lists of layers, which all get the same input",
            examples=[[[{"type": "dense", "units": 64}, "relu"], []]],
        ),
    ]
    merge: Annotated[
        Literal["concatenate", "sum", "product"],
        Field(description="how the outputs of the branches are combined"),
    ] = "concatenate"

    def with_next_activation(self, activation: Activation | None) -> Layer:
        return self.replace(
            branches=tuple(tuple(resolve(branch, activation)) for branch in self.branches)
        )

    def _bind(self, shape: Shape) -> list[list[BoundLayer]]:
        bound = []
        for number, branch in enumerate(self.branches, start=1):
            try:
                bound.append(bind(branch, shape))
            except ConfigError as error:
                raise ConfigError(
                    [f"branch {number}: {problem}" for problem in error.problems]
                ) from None
        return bound

    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        return [
            [dataclasses.replace(bound, name=f"branch_{number}.{bound.name}") for bound in branch]
            for number, branch in enumerate(self._bind(shape), start=1)
        ]

    def output_shape(self, shape: Shape) -> Shape:
        shapes = [branch[-1].output_shape if branch else shape for branch in self._bind(shape)]
        concatenated = self.merge == "concatenate"
        if len({(len(s), s[:-1]) if concatenated else s for s in shapes}) > 1:
            listed = " and ".join(map(str, shapes))
            axes = "all axes but the last" if concatenated else "all axes"
            raise ConfigError(
                f"the branches give rows of shapes {listed}: to {VERBS[self.merge]} them they "
                f"must agree in {axes}"
            )
        return (*shapes[0][:-1], sum(s[-1] for s in shapes)) if concatenated else shapes[0]

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        outputs = [
            scope.child(f"branch_{number}").forward(name_layers(branch), x)
            for number, branch in enumerate(self.branches, start=1)
        ]
        if self.merge == "concatenate":
            return f.concatenate(outputs, axis=-1)
        combine = operator.add if self.merge == "sum" else operator.mul
        return reduce(combine, outputs)
